// Four adjacent elements of 16 bits, as one load or store moves them.

alias Packed = vec2<u32>;

fn unpack(packed: Packed) -> vec4<u32> {
    return vec4<u32>(packed.x & 0xffffu, packed.x >> 16u, packed.y & 0xffffu, packed.y >> 16u);
}

fn pack(elements: vec4<u32>) -> Packed {
    return vec2<u32>(elements.x | (elements.y << 16u), elements.z | (elements.w << 16u));
}
