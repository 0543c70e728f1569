// The taps of a work item's four windows, from whole words. The last word of a tensor may contain the taps of fewer
// windows; it is loaded whole nevertheless. Where `exists` is false all bits of each tap are set, which is no tap: a
// window whose taps are bytes has at most 255 cells, and any other at most 65,535.
fn load_taps_of_item(item: u32, exists: bool) -> vec4<u32> {
    let first = item * TAP_BYTES - params.taps_base;
    if TAP_BYTES == 2u {
        let second = select(first, first + 1u, has_taps_word(item, 1u));
        let words = vec2<u32>(taps_in[first], taps_in[second]);
        let pair = select(vec2<u32>(NONE), words, vec2<bool>(exists));
        return vec4<u32>(pair.x & 0xffffu, pair.x >> 16u, pair.y & 0xffffu, pair.y >> 16u);
    }
    let word = select(NONE, taps_in[first], exists);
    return (vec4<u32>(word) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(0xffu);
}

// Stores the taps of a work item's four windows in whole words.
fn store_taps_of_item(item: u32, taps: vec4<u32>) {
    let first = item * TAP_BYTES - params.taps_base;
    if TAP_BYTES == 2u {
        let pairs = (taps.xz & vec2<u32>(0xffffu)) | (taps.yw << vec2<u32>(16u));
        for (var word = 0u; word < 2u; word++) {
            if has_taps_word(item, word) {
                taps_out[first + word] = pairs[word];
            }
        }
    } else {
        let bytes = (taps & vec4<u32>(0xffu)) << vec4<u32>(0u, 8u, 16u, 24u);
        taps_out[first] = bytes.x | bytes.y | bytes.z | bytes.w;
    }
}
