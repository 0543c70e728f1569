// Which of two cells is greater, on their bits: a float comparison may flush subnormals and may
// assume that there is no NaN.

// Integers that order as the cells do: −0 and +0 alike, a NaN above all.
fn key(cells: vec4<u32>) -> vec4<i32> {
    let top = cells << vec4<u32>(32u - BITS);
    if KIND == SIGNED {
        return bitcast<vec4<i32>>(top);
    }
    if KIND == UNSIGNED {
        return bitcast<vec4<i32>>(top ^ vec4<u32>(0x80000000u));
    }
    let magnitude = top & vec4<u32>(0x7fffffffu);
    let size = bitcast<vec4<i32>>(magnitude);
    let ordered = select(size, -size, magnitude != top);
    let infinity = select(0x7f800000u, 0x7c000000u, KIND == BINARY16);
    return select(ordered, vec4<i32>(0x7fffffff), magnitude > vec4<u32>(infinity));
}

// What the next cell must pass. A NaN is passed by another NaN (PyTorch: every NaN takes over), a
// number only by what is greater.
fn to_beat(best: vec4<i32>) -> vec4<i32> {
    if KIND == SIGNED || KIND == UNSIGNED {
        return best;
    }
    return min(best, vec4<i32>(0x7ffffffe));
}
