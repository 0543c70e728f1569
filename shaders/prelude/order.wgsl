// The search for the maximum of a window, in four lanes. Elements are compared on their bits: a float
// comparison may flush subnormals, and may assume that there is no NaN.

// Integers in the order of the elements: −0 and +0 are one number, and a NaN is above all others. The least
// integer is the key of no float.
fn ordered_key(elements: vec4<u32>) -> vec4<i32> {
    let top = elements << vec4<u32>(32u - BITS);
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

// The key that the next element must exceed. Another NaN takes over from a NaN, as in PyTorch; a number takes
// over from a lesser one only.
fn threshold(key: vec4<i32>) -> vec4<i32> {
    if KIND == SIGNED || KIND == UNSIGNED {
        return key;
    }
    return min(key, vec4<i32>(0x7ffffffe));
}

// The maximum of the cells compared so far.
struct Maximum {
    elements: vec4<u32>,
    // The key that the next element must exceed.
    threshold: vec4<i32>,
    taps: vec4<u32>,
    // Whether some cell has been compared.
    started: vec4<bool>,
}

fn no_maximum() -> Maximum {
    return Maximum(vec4<u32>(0u), vec4<i32>(i32(0x80000000u)), vec4<u32>(0u), vec4<bool>(false));
}

// The maximum of one cell more, which takes over when it is greater or NaN. The first cell inside the input
// starts the search, so there is no sentinel. Cells of the padding are skipped.
fn compare(maximum: Maximum, elements: vec4<u32>, inside: vec4<bool>, tap: u32) -> Maximum {
    let keys = ordered_key(elements);
    let greater = keys > maximum.threshold;
    var takes_over = inside & greater;
    if KIND == SIGNED || KIND == UNSIGNED {
        let first = !maximum.started;
        let starts = inside & first;
        takes_over = takes_over | starts;
    }
    return Maximum(
        select(maximum.elements, elements, takes_over),
        select(maximum.threshold, threshold(keys), takes_over),
        select(maximum.taps, vec4<u32>(tap), takes_over),
        maximum.started | inside,
    );
}
