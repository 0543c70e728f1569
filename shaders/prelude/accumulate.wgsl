// The accumulator of a cell in an unpooling by stride blocks, in four lanes: the last of the values that go
// to the cell, or their sum. Each window is loaded once, and the cells of a block accumulate from it.

// The value and the tap of a window.
struct Pooled {
    // A term of a sum; where nothing is summed, the element in `term.low`.
    term: Sum,
    taps: vec4<u32>,
}

fn pooled(elements: vec4<u32>, taps: vec4<u32>, exists: vec4<bool>) -> Pooled {
    var value = Sum(elements, vec4<u32>(0u));
    if SUMMED && OVERLAPPING {
        value = term(elements);
    } else if SUMMED && is_float() {
        value.low = sum_of_one(elements);
    }
    return Pooled(value, select(vec4<u32>(NONE), taps, exists));
}

// The accumulator of a cell after the first window, in which the cell has these taps.
fn accumulate_first(window: Pooled, taps: vec4<u32>) -> Sum {
    let zero = Sum(vec4<u32>(0u), vec4<u32>(0u));
    return select_sum(zero, window.term, window.taps == taps);
}

// The accumulator after a further window.
fn accumulate(accumulator: Sum, window: Pooled, taps: vec4<u32>) -> Sum {
    let hit = window.taps == taps;
    if SUMMED && OVERLAPPING {
        return select_sum(accumulator, add(accumulator, window.term), hit);
    }
    return select_sum(accumulator, window.term, hit);
}

// The elements of an accumulator after the last window.
fn finish(accumulator: Sum) -> vec4<u32> {
    if SUMMED && OVERLAPPING {
        return total(accumulator);
    }
    return accumulator.low;
}
