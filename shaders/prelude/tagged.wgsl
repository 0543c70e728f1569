// Keys of elements of 16 or 8 bits that contain the tap, for windows of at most 64 cells: the maximum of a window is
// one number, from which element and tap are read at the end.
//
// From the top: the key of order.wgsl, in 16 bits; then, from bit 1, the tap counted down, so that the first of equal
// elements is the largest; and bit 0, which is 0 for a negative float and tells −0 from +0.

// The lower half of the key of tap 0, and the difference from each tap to the next.
const FIRST_TAG: u32 = 0xffffu;
const TAG: u32 = 2u;

// The lower half of the key of a cell of the padding, whose upper half is that of the least element.
const PADDING: u32 = 0x8000u;

// The least element, which cells of the padding have, in each element of a word.
const LEAST: u32 = select(
    select(0u, 0x80808080u, KIND == SIGNED), ((INFINITY >> 16u) | 0x8000u) * 0x10001u, IS_FLOAT,
);

// The largest key that is no NaN.
const LARGEST: u32 = (INFINITY * 2u) | 0xffffu;

// The lower half of the keys of cells.
fn tag_of_cells(inside: bool, tap: u32) -> u32 {
    return select(PADDING, FIRST_TAG - tap * TAG, inside);
}

// Keys of elements that lie in the top bits.
fn tagged_key(top: vec4<u32>, tag: u32) -> vec4<u32> {
    if !IS_FLOAT {
        return (top ^ vec4<u32>(SIGN)) | vec4<u32>(tag);
    }
    // As in `ordered_key`: the tag carries 1 into the magnitude that was negated, and becomes even.
    let sign = bitcast<vec4<u32>>(bitcast<vec4<i32>>(top) >> vec4<u32>(31u));
    return ((top & vec4<u32>(0x7fffffffu)) ^ sign) + (INFINITY + tag);
}

// The key of cells that follow in raster order, where it takes over.
fn later_key(keys: vec4<u32>, next: vec4<u32>) -> vec4<u32> {
    if !IS_FLOAT {
        return max(keys, next);
    }
    return select(keys, next, next > min(keys, vec4<u32>(LARGEST)));
}

// The elements in the top bits, with other bits below them.
fn top_of_key(keys: vec4<u32>) -> vec4<u32> {
    if !IS_FLOAT {
        return keys ^ vec4<u32>(SIGN);
    }
    let sign = (keys & vec4<u32>(1u)) - 1u;
    let magnitude = (((keys - INFINITY) & vec4<u32>(0xffff0000u)) ^ sign) - sign;
    return magnitude | (sign & vec4<u32>(0x80000000u));
}

// The taps in the low byte, each bit inverted, with other bits above them.
fn inverse_tap_of_key(keys: vec4<u32>) -> vec4<u32> {
    return keys >> vec4<u32>(1u);
}

// A cell of the padding is below every other.
fn settled(maximum: Maximum, first_tap: vec4<u32>) -> Maximum {
    return maximum;
}
