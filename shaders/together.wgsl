// Lanes together: four adjacent channels of one pixel, when channels come last and divide by four.
// A coordinate is one number for all lanes, and four cells are one load or store.

alias Unit = Quad;
alias Coord = u32;
alias Signed = i32;
alias Flag = bool;

// Unit `unit`: four channels of a pixel.
fn place(unit: u32) -> Place {
    let at = spot(unit);
    return Place(at.outer, at.z, at.y, at.x, at.inner, true);
}

fn some(flag: Flag) -> bool {
    return flag;
}

fn load(address: Coord) -> vec4<u32> {
    return unpack(tensor_in[address - params.in_base]);
}

// Stores four cells where they belong in the tensor.
fn store(address: Coord, cells: vec4<u32>, inside: Flag) {
    if inside {
        tensor_out[address - params.out_base] = pack(cells);
    }
}

// Stores the four cells of a unit.
fn store_unit(unit: u32, cells: vec4<u32>) {
    tensor_out[unit - params.out_base] = pack(cells);
}

fn load_taps(address: Coord) -> vec4<u32> {
    let word = address * TAP_BYTES - params.taps_base;
    if TAP_BYTES == 2u {
        let pair = vec2<u32>(taps_in[word], taps_in[word + 1u]);
        return vec4<u32>(pair.x & 0xffffu, pair.x >> 16u, pair.y & 0xffffu, pair.y >> 16u);
    }
    return (vec4<u32>(taps_in[word]) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(0xffu);
}

// The words of taps of a unit: there is no unit that is not whole.
fn has_taps_word(unit: u32, word: u32) -> bool {
    return true;
}

// Elements inside a pixel.
fn channels() -> u32 {
    return params.inner * 4u;
}

// The element inside its pixel of each lane.
fn channel(inner: Coord) -> vec4<u32> {
    return vec4<u32>(inner * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
}
