// The taps of `Words` of four elements of 16 bits.

alias TapWords = u32;

fn words_of_taps(taps: TapWords) -> Words {
    let spread = vec2<u32>(taps, taps >> 16u);
    return (spread & vec2<u32>(0xffu)) | ((spread << vec2<u32>(8u)) & vec2<u32>(0xff0000u));
}
