// Stores of four elements at once: of vec4.wgsl, of row_words.wgsl, and of flat.wgsl where the numbers of elements are
// multiples of four.

alias Stored = Packed;

// Stores the four elements of a number.
fn store_item(item: u32, elements: vec4<u32>) {
    tensor_out[item - params.output_base] = pack(elements);
}

// Whether the tensor has word `word` of a work item's taps: each work item has four windows.
fn has_taps_word(item: u32, word: u32) -> bool {
    return true;
}
