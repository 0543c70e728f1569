// Four adjacent elements of 8 bits, as one load or store moves them.

alias Packed = u32;

fn unpack(packed: Packed) -> vec4<u32> {
    return (vec4<u32>(packed) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(0xffu);
}

fn pack(elements: vec4<u32>) -> Packed {
    return elements.x | (elements.y << 8u) | (elements.z << 16u) | (elements.w << 24u);
}
