// Words of elements of 8 bits, as words.wgsl works on: 16 elements. Their taps lie as they do.

alias Words = vec4<u32>;
alias TapWords = vec4<u32>;

fn words_of_taps(taps: TapWords) -> Words {
    // Bit 6 instead of bit 7: no tap has either.
    return (taps & vec4<u32>(0x7f7f7f7fu)) | ((taps >> vec4<u32>(1u)) & vec4<u32>(0x40404040u));
}

// A vec4 that starts with some words, and the words that a vec4 starts with.
fn lanes_of(words: Words) -> vec4<u32> {
    return words;
}

fn words_of(lanes: vec4<u32>) -> Words {
    return lanes;
}

// The taps of windows as they lie in memory. Each word of `bytes` has the taps of four windows, as bytes
// from bit 0.
fn taps_of_words(bytes: Words) -> TapWords {
    return bytes;
}
