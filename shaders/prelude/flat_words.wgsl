// Stores of flat.wgsl word by word, where the number of elements does not divide by four. A work item stores
// whole words, so that no two work items share one.

alias Stored = u32;

// Stores elements 4·item to 4·item + 3 in as many words as they take. The rest of the last word of a tensor
// becomes 0.
fn store_item(item: u32, elements: vec4<u32>) {
    let numbers = vec4<u32>(item * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
    let exists = numbers < vec4<u32>(params.elements);
    let masked = select(vec4<u32>(0u), elements, exists);
    let per_word = 32u / BITS;
    let first = item * (BITS / 8u) - params.output_base;
    for (var word = 0u; word < BITS / 8u; word++) {
        if exists[word * per_word] {
            tensor_out[first + word] = word_of_elements(masked, word);
        }
    }
}

// Whether the tensor has word `word` of a work item's taps.
fn has_taps_word(item: u32, word: u32) -> bool {
    return item * 4u + word * (4u / TAP_BYTES) < params.elements;
}
