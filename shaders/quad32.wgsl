// Four adjacent 32-bit cells as they lie in memory.

alias Quad = vec4<u32>;

// Cell `lane` of a quad of the tensor that is read, and no more of it than that takes.
fn single(quad: u32, lane: u32) -> u32 {
    return tensor_in[quad][lane];
}

fn unpack(quad: Quad) -> vec4<u32> {
    return quad;
}

fn pack(cells: vec4<u32>) -> Quad {
    return cells;
}
