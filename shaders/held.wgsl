// Windows that a thread of an unpooling holds, each read once whatever the number of cells, and what
// it puts into cells from them.

// Whether no cell belongs to two windows, so that nothing is ever added.
override SINGLE: bool = true;

// A window's value and tap, in four lanes. A value that is never added is a cell in `term.low`.
struct Held {
    term: Sum,
    taps: vec4<u32>,
}

fn held(cells: vec4<u32>, taps: vec4<u32>, exists: vec4<bool>) -> Held {
    var value = Sum(cells, vec4<u32>(0u));
    if SUMMED && !SINGLE {
        value = term(cells);
    } else if SUMMED && is_float() {
        value.low = sum_of_one(cells);
    }
    return Held(value, select(vec4<u32>(NO_CELL), taps, exists));
}

// What the first window puts into the cell of this tap.
fn pick_first(window: Held, taps: vec4<u32>) -> Sum {
    let nothing = Sum(vec4<u32>(0u), vec4<u32>(0u));
    return chosen(nothing, window.term, window.taps == taps);
}

// With the value of another window, where it is put into the cell: the last, or the sum.
fn pick(put: Sum, window: Held, taps: vec4<u32>) -> Sum {
    let hit = window.taps == taps;
    if SUMMED && !SINGLE {
        return chosen(put, add(put, window.term), hit);
    }
    return chosen(put, window.term, hit);
}

// What is put, as cells.
fn settled(put: Sum) -> vec4<u32> {
    if SUMMED && !SINGLE {
        return total(put);
    }
    return put.low;
}
