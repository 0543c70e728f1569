// The taps of `Words` of eight elements of 16 bits.

alias TapWords = vec2<u32>;

fn words_of_taps(taps: TapWords) -> Words {
    let spread = vec4<u32>(taps.x, taps.x >> 16u, taps.y, taps.y >> 16u);
    return (spread & vec4<u32>(0xffu)) | ((spread << vec4<u32>(8u)) & vec4<u32>(0xff0000u));
}

// The taps of windows as they lie in memory. Each word of `bytes` has the taps of its windows, as bytes from bit 0.
fn taps_of_words(bytes: Words) -> TapWords {
    return bytes.xz | (bytes.yw << vec2<u32>(16u));
}
