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

// The maximum of the cells compared so far.
struct Maximum {
    elements: vec4<u32>,
    // The key that the next element must exceed: at most that of +∞, so that a NaN takes over from a NaN, as
    // in PyTorch.
    threshold: vec4<u32>,
    taps: vec4<u32>,
}

// The maximum before the first comparison: the least element, in the first cell that lies in the input. It
// stays where no cell has a greater element, and then it is right.
fn least(first_tap: vec4<u32>) -> Maximum {
    var element = select(0u, 1u << (BITS - 1u), KIND == SIGNED);
    if !IS_INTEGER {
        element = (INFINITY | 0x80000000u) >> (32u - BITS);
    }
    return Maximum(vec4<u32>(element), vec4<u32>(0u), first_tap);
}

// The keys of cells, and what the next element's must exceed if such a cell is the maximum. A cell of the padding
// has the least key, and so never takes over.
struct Keys {
    keys: vec4<u32>,
    thresholds: vec4<u32>,
}

fn keys_of(elements: vec4<u32>, inside: vec4<bool>) -> Keys {
    let keys = select(vec4<u32>(0u), ordered_key(elements), inside);
    if IS_INTEGER {
        return Keys(keys, keys);
    }
    return Keys(keys, min(keys, vec4<u32>(INFINITY * 2u)));
}

// The maximum of one cell more, which takes over when it is greater or NaN.
fn compare(maximum: Maximum, elements: vec4<u32>, keys: Keys, tap: u32) -> Maximum {
    let takes_over = keys.keys > maximum.threshold;
    return Maximum(
        select(maximum.elements, elements, takes_over),
        select(maximum.threshold, keys.thresholds, takes_over),
        select(maximum.taps, vec4<u32>(tap), takes_over),
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
