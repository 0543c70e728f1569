// Four adjacent 16-bit cells as they lie in memory, in a word of 64 bits: as quad32_wide.wgsl.

alias Quad = u64;

// Cell `lane` of a quad of the tensor that is read, and no more of it than that takes.
fn single(quad: u32, lane: u32) -> u32 {
    return u32(tensor_in[quad] >> (lane * 16u)) & 0xffffu;
}

fn unpack(quad: Quad) -> vec4<u32> {
    let halves = vec2<u32>(u32(quad), u32(quad >> 32u));
    return vec4<u32>(halves.x & 0xffffu, halves.x >> 16u, halves.y & 0xffffu, halves.y >> 16u);
}

fn pack(cells: vec4<u32>) -> Quad {
    let halves = vec2<u32>(cells.x | (cells.y << 16u), cells.z | (cells.w << 16u));
    return u64(halves.x) | (u64(halves.y) << 32u);
}
