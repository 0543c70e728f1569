// Four adjacent 16-bit cells as they lie in memory.

alias Quad = vec2<u32>;

// Cell `lane` of a quad of the tensor that is read, and no more of it than that takes.
fn single(quad: u32, lane: u32) -> u32 {
    return lane_bits(tensor_in[quad][lane / 2u], lane);
}

fn unpack(quad: Quad) -> vec4<u32> {
    return vec4<u32>(quad.x & 0xffffu, quad.x >> 16u, quad.y & 0xffffu, quad.y >> 16u);
}

fn pack(cells: vec4<u32>) -> Quad {
    return vec2<u32>(cells.x | (cells.y << 16u), cells.z | (cells.w << 16u));
}
