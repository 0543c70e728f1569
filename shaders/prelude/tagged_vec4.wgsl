// The maximum of four windows by the keys of tagged.wgsl.

struct Maximum {
    keys: vec4<u32>,
}

// The maximum of one cell each. All four cells lie in the input, or none of them does.
fn maximum_of_cells(elements: vec4<u32>, inside: vec4<bool>, tap: u32) -> Maximum {
    let top = select(vec4<u32>(LEAST), elements, inside.x) << vec4<u32>(32u - BITS);
    return Maximum(tagged_key(top, tag_of_cells(inside.x, tap)));
}

fn later(maximum: Maximum, next: Maximum) -> Maximum {
    return Maximum(later_key(maximum.keys, next.keys));
}

fn in_window(row: Maximum, first_tap: u32) -> Maximum {
    return Maximum(row.keys - first_tap * TAG);
}

fn elements_of(maximum: Maximum) -> vec4<u32> {
    return top_of_key(maximum.keys) >> vec4<u32>(32u - BITS);
}

fn taps_of(maximum: Maximum) -> vec4<u32> {
    return ~inverse_tap_of_key(maximum.keys);
}
