// The accumulator of a cell in an unpooling, in four lanes: the last of the values that go to the cell, or
// their sum. Each window is loaded once, and the cells that it covers accumulate from it.
//
// Sums are in binary32, or in 32 bits, as long as no term asks for more: see `needs_exact_sums`.

// The values and the taps of four windows.
struct Pooled {
    // Terms of a sum; where nothing is summed, the elements.
    terms: vec4<u32>,
    taps: vec4<u32>,
}

// The taps of windows that do not exist are no taps.
fn pooled(elements: vec4<u32>, taps: vec4<u32>) -> Pooled {
    var terms = elements;
    if SUMMED && OVERLAPPING {
        // A term may be −0: `finish` makes sums +0.
        terms = select(term(elements).low, widen(elements), IS_FLOAT);
    } else if SUMMED && IS_FLOAT {
        terms = sum_of_one(elements);
    }
    return Pooled(terms, taps);
}

// Small where an addition of this file could go wrong: for a float that is not 0 and below 2^-100 (twice the
// magnitude of 0 wraps to the largest number), and for an integer of a large magnitude.
fn smallness(terms: vec4<u32>) -> vec4<u32> {
    if IS_FLOAT {
        return terms * 2u - 1u;
    }
    if KIND == SIGNED {
        return ~(terms ^ bitcast<vec4<u32>>(bitcast<vec4<i32>>(terms) >> vec4<u32>(31u)));
    }
    return ~terms;
}

// Whether sums of some terms need the exact additions of sum.wgsl, given the least `smallness` of the terms.
// Floats from 2^-100 up are multiples of 2^-123, and so is each of their sums, so that no subnormal comes up,
// which a device may flush. Sums of binary16 in binary32 are never subnormal, and those of 8 bits never reach
// 32; of 32 bits, at most nine terms are added.
fn needs_exact_sums(smallest: vec4<u32>) -> bool {
    let least = select(~(1u << 27u), LEAST_LOW * 2u - 1u, IS_FLOAT);
    return any(smallest < vec4<u32>(least));
}

// The accumulator of a cell after the first window, where the cell is `hit` by it.
fn accumulate_first_hits(terms: vec4<u32>, hit: vec4<bool>) -> vec4<u32> {
    return select(vec4<u32>(0u), terms, hit);
}

// The accumulator after a further window.
fn accumulate_hits(accumulator: vec4<u32>, terms: vec4<u32>, hit: vec4<bool>) -> vec4<u32> {
    if SUMMED && OVERLAPPING {
        let summand = select(vec4<u32>(0u), terms, hit);
        if IS_FLOAT {
            return bitcast<vec4<u32>>(bitcast<vec4<f32>>(accumulator) + bitcast<vec4<f32>>(summand));
        }
        return accumulator + summand;
    }
    return select(accumulator, terms, hit);
}

// The same of windows in which the cell has these taps.
fn accumulate_first(window: Pooled, taps: vec4<u32>) -> vec4<u32> {
    return accumulate_first_hits(window.terms, window.taps == taps);
}

fn accumulate(accumulator: vec4<u32>, window: Pooled, taps: vec4<u32>) -> vec4<u32> {
    return accumulate_hits(accumulator, window.terms, window.taps == taps);
}

// The elements of an accumulator after the last window. A sum is never −0: it starts from +0, which compilers
// may leave out.
fn finish(accumulator: vec4<u32>) -> vec4<u32> {
    if SUMMED && OVERLAPPING {
        if IS_FLOAT {
            let magnitude = accumulator & vec4<u32>(0x7fffffffu);
            return round_to_element(select(accumulator, vec4<u32>(0u), magnitude == vec4<u32>(0u)));
        }
        let sign = bitcast<vec4<u32>>(bitcast<vec4<i32>>(accumulator) >> vec4<u32>(31u));
        return total(Sum(accumulator, select(vec4<u32>(0u), sign, vec4<bool>(KIND == SIGNED))));
    }
    return accumulator;
}

// The elements of a cell that one window covers.
fn finish_one(window: Pooled, taps: vec4<u32>) -> vec4<u32> {
    return finish(accumulate_first(window, taps));
}

// The elements of a cell that no window covers.
fn no_window() -> vec4<u32> {
    return vec4<u32>(0u);
}
