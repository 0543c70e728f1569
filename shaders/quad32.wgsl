// Four adjacent 32-bit cells as they lie in memory.

alias Quad = vec4<u32>;

fn unpack(quad: Quad) -> vec4<u32> {
    return quad;
}

fn pack(cells: vec4<u32>) -> Quad {
    return cells;
}
