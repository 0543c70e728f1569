// The vector of words that words.wgsl works on: four.

alias Words = vec4<u32>;

// A vec4 that starts with some words, and the words that a vec4 starts with.
fn lanes_of(words: Words) -> vec4<u32> {
    return words;
}

fn words_of(lanes: vec4<u32>) -> Words {
    return lanes;
}
