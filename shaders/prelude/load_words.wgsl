// Loads of flat.wgsl, of single words.

alias Loaded = u32;

// The element by its number, counted from the first that is bound.
fn load_element(number: u32) -> u32 {
    return element_of_word(tensor_in[number / (32u / BITS)], number);
}
