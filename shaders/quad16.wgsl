// Four adjacent 16-bit cells as they lie in memory.

alias Quad = vec2<u32>;

fn unpack(quad: Quad) -> vec4<u32> {
    return vec4<u32>(quad.x & 0xffffu, quad.x >> 16u, quad.y & 0xffffu, quad.y >> 16u);
}

fn pack(cells: vec4<u32>) -> Quad {
    return vec2<u32>(cells.x | (cells.y << 16u), cells.z | (cells.w << 16u));
}
