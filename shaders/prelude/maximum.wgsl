// The search for the maximum of four windows: elements, keys and taps side by side.

// The maximum of some cells of four windows.
struct Maximum {
    elements: vec4<u32>,
    keys: vec4<u32>,
    taps: vec4<u32>,
}

// The maximum of one cell each. A cell of the padding has the least key, and so never takes over.
fn maximum_of_cells(elements: vec4<u32>, inside: vec4<bool>, tap: u32) -> Maximum {
    return Maximum(elements, select(vec4<u32>(0u), ordered_key(elements), inside), vec4<u32>(tap));
}

// The maximum of some cells and of cells after them in raster order: the first of equal elements, and the last
// NaN, as in PyTorch. A key that follows must exceed that of the maximum, or that of +∞ if the maximum is NaN.
fn later(maximum: Maximum, next: Maximum) -> Maximum {
    var threshold = maximum.keys;
    if IS_FLOAT {
        threshold = min(threshold, vec4<u32>(INFINITY * 2u));
    }
    let takes_over = next.keys > threshold;
    return Maximum(
        select(maximum.elements, next.elements, takes_over),
        select(maximum.keys, next.keys, takes_over),
        select(maximum.taps, next.taps, takes_over),
    );
}

// The maximum of windows whose cells have all been compared, given their first taps that lie in the input. Where
// no cell is above the least element, a cell of the padding may have been taken: the maximum is the least element, in
// the first cell that lies in the input.
fn settled(maximum: Maximum, first_tap: vec4<u32>) -> Maximum {
    let is_least = maximum.keys == vec4<u32>(0u);
    if !PADDED || !any(is_least) {
        return maximum;
    }
    let least = select(SIGN, INFINITY | 0x80000000u, IS_FLOAT) >> (32u - BITS);
    return Maximum(
        select(maximum.elements, vec4<u32>(least), is_least),
        maximum.keys,
        select(maximum.taps, first_tap, is_least),
    );
}

// The maximum of a row with the taps that its cells have in a window, where the first has `first_tap`.
fn in_window(row: Maximum, first_tap: u32) -> Maximum {
    return Maximum(row.elements, row.keys, row.taps + first_tap);
}

fn elements_of(maximum: Maximum) -> vec4<u32> {
    return maximum.elements;
}

fn taps_of(maximum: Maximum) -> vec4<u32> {
    return maximum.taps;
}
