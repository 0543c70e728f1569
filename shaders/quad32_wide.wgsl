// Four adjacent 32-bit cells as they lie in memory, in words of 64 bits: half as many loads and stores for
// software adapters, which make one for each word of each thread.

alias Quad = vec2<u64>;

// Cell `lane` of a quad of the tensor that is read, and no more of it than that takes.
fn single(quad: u32, lane: u32) -> u32 {
    return u32(tensor_in[quad][lane / 2u] >> (lane % 2u * 32u));
}

fn unpack(quad: Quad) -> vec4<u32> {
    return vec4<u32>(u32(quad.x), u32(quad.x >> 32u), u32(quad.y), u32(quad.y >> 32u));
}

fn pack(cells: vec4<u32>) -> Quad {
    return vec2<u64>(
        u64(cells.x) | (u64(cells.y) << 32u),
        u64(cells.z) | (u64(cells.w) << 32u),
    );
}
