// Loads of flat.wgsl from a tensor that is also loaded by vec4s, whose elements therefore divide by four.

alias Loaded = Packed;

// The element by its number, counted from the first that is bound.
fn load_element(number: u32) -> u32 {
    return unpack(tensor_in[number / 4u])[number % 4u];
}
