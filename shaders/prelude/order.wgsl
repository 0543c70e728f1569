// The search for the maximum of a window, in four lanes. Elements are compared on their bits: a float
// comparison may flush subnormals, and may assume that there is no NaN.

// The bits of +∞, moved to the top of a word.
const INFINITY: u32 = select(0x7f800000u, 0x7c000000u, KIND == BINARY16);

// Whether elements are integers.
const IS_INTEGER: bool = KIND == SIGNED || KIND == UNSIGNED;

// Integers in the order of the elements, the least element 0. −0 and +0 are one number. The keys of floats run
// from −∞ to +∞; those of NaNs are above, because the negative ones wrap around.
fn ordered_key(elements: vec4<u32>) -> vec4<u32> {
    let top = elements << vec4<u32>(32u - BITS);
    if KIND == SIGNED {
        return top ^ vec4<u32>(0x80000000u);
    }
    if KIND == UNSIGNED {
        return top;
    }
    // All ones where the sign is set, and 0 elsewhere: negates the magnitude in two's complement.
    let sign = bitcast<vec4<u32>>(bitcast<vec4<i32>>(top) >> vec4<u32>(31u));
    return ((top & vec4<u32>(0x7fffffffu)) ^ sign) - sign + INFINITY;
}

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
    if !IS_INTEGER {
        threshold = min(threshold, vec4<u32>(INFINITY * 2u));
    }
    let takes_over = next.keys > threshold;
    return Maximum(
        select(maximum.elements, next.elements, takes_over),
        select(maximum.keys, next.keys, takes_over),
        select(maximum.taps, next.taps, takes_over),
    );
}

// The first tap of some windows that lies in the input, on one axis.
fn first_tap_inside(window: vec4<u32>, stride: u32, dilation: u32, pad_before: u32) -> vec4<u32> {
    let start = window * stride;
    return (max(start, vec4<u32>(pad_before)) - start + (dilation - 1u)) / dilation;
}

// The first tap of windows z, y, x that lies in the input.
fn first_tap(z: vec4<u32>, y: vec4<u32>, x: vec4<u32>) -> vec4<u32> {
    if !PADDED {
        return vec4<u32>(0u);
    }
    let tap_z = first_tap_inside(z, STRIDE_Z, DILATION_Z, params.pad_before.x);
    let tap_y = first_tap_inside(y, STRIDE_Y, DILATION_Y, params.pad_before.y);
    let tap_x = first_tap_inside(x, STRIDE_X, DILATION_X, params.pad_before.z);
    return (tap_z * KERNEL_Y + tap_y) * KERNEL_X + tap_x;
}

// The maximum of windows whose cells have all been compared, given their first taps that lie in the input. Where
// no cell is above the least element, a cell of the padding may have been taken: the maximum is the least element, in
// the first cell that lies in the input.
fn settled(maximum: Maximum, first_tap: vec4<u32>) -> Maximum {
    let is_least = maximum.keys == vec4<u32>(0u);
    if !PADDED || !any(is_least) {
        return maximum;
    }
    var least = select(0u, 1u << (BITS - 1u), KIND == SIGNED);
    if !IS_INTEGER {
        least = (INFINITY | 0x80000000u) >> (32u - BITS);
    }
    return Maximum(
        select(maximum.elements, vec4<u32>(least), is_least),
        maximum.keys,
        select(maximum.taps, first_tap, is_least),
    );
}
