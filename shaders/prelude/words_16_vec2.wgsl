// Words of elements of 16 bits, as words.wgsl works on: 4 elements.

alias Words = vec2<u32>;
alias TapWords = u32;

fn words_of_taps(taps: TapWords) -> Words {
    let spread = vec2<u32>(taps, taps >> 16u);
    return (spread & vec2<u32>(0xffu)) | ((spread << vec2<u32>(8u)) & vec2<u32>(0xff0000u));
}

// A vec4 that starts with some words, and the words that a vec4 starts with.
fn lanes_of(words: Words) -> vec4<u32> {
    return vec4<u32>(words, 0u, 0u);
}

fn words_of(lanes: vec4<u32>) -> Words {
    return lanes.xy;
}
