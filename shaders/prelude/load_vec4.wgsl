// Loads of flat.wgsl from a tensor that is also loaded by vec4s, whose elements therefore divide by four.

alias Loaded = Packed;

fn load_element(number: u32) -> u32 {
    return unpack(tensor_in[number / 4u - params.input_base])[number % 4u];
}
