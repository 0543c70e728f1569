// Adjacent elements as one vec4: four channels of a pixel, where channels come last and their number is a multiple of
// four, or four elements of a row (max_pool_row.wgsl, max_unpool_backward.wgsl), where rows have a multiple of four
// elements. In a module with tap_words.wgsl, elements have 16 or 8 bits and stay in words: the vec4 is four words,
// which are 8 or 16 channels of a pixel. A coordinate is one number for the whole vec4, which one instruction loads or
// stores.

alias Loaded = Packed;
alias Coordinate = u32;
alias SignedCoordinate = i32;
alias Mask = bool;

// The position of a work item: four channels of a pixel, or a vec4 of a row.
fn position(item: u32) -> Position {
    let at = coordinates(item);
    return Position(at.outer, at.z, at.y, at.x, at.inner, true);
}

fn load(address: Coordinate) -> vec4<u32> {
    return unpack(tensor_in[address - params.input_base]);
}

fn load_taps(address: Coordinate) -> vec4<u32> {
    return load_taps_of_item(address, true);
}

// The coordinates on x of four windows: of channels of one window, or adjacent in a row.
fn window_x(at: Position) -> vec4<u32> {
    return select(vec4<u32>(at.x), vec4<u32>(at.x * 4u) + vec4<u32>(0u, 1u, 2u, 3u), ONE_ELEMENT_PER_PIXEL);
}

// Elements of a pixel.
fn channels() -> u32 {
    return params.inner * 4u;
}

// The channel of each lane inside its pixel.
fn channel(inner: Coordinate) -> vec4<u32> {
    return vec4<u32>(inner * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
}
