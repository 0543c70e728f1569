// Four adjacent 8-bit cells as they lie in memory.

alias Quad = u32;

// Cell `lane` of a quad of the tensor that is read, and no more of it than that takes.
fn single(quad: u32, lane: u32) -> u32 {
    return lane_bits(tensor_in[quad], lane);
}

fn unpack(quad: Quad) -> vec4<u32> {
    return (vec4<u32>(quad) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(0xffu);
}

fn pack(cells: vec4<u32>) -> Quad {
    return cells.x | (cells.y << 8u) | (cells.z << 16u) | (cells.w << 24u);
}
