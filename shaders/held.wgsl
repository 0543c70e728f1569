// Windows that a thread of an unpooling holds, each read once whatever the number of cells, and what
// it puts into cells from them.

// Whether no cell belongs to two windows, so that nothing is ever added.
override SINGLE: bool = true;

// A window's value and tap, in four lanes. Values that are to be summed are held as terms.
struct Held {
    cells: vec4<u32>,
    taps: vec4<u32>,
}

fn held(cells: vec4<u32>, taps: vec4<u32>, exists: vec4<bool>) -> Held {
    var terms = cells;
    if SUMMED && is_float() {
        if SINGLE {
            terms = sum_of_one(cells);
        } else {
            terms = term(cells);
        }
    }
    return Held(terms, select(vec4<u32>(NO_CELL), taps, exists));
}

// What no window puts into a cell.
fn nothing() -> Sum {
    return Sum(vec4<u32>(0u), vec4<u32>(0u));
}

// With the value of a window, where it is put into the cell of this tap: the last, or the sum with
// floats added as they are.
fn pick(put: Sum, window: Held, taps: vec4<u32>) -> Sum {
    let hit = window.taps == taps;
    if !SUMMED || SINGLE {
        return Sum(select(put.low, window.cells, hit), put.high);
    }
    if is_float() {
        let taken = bitcast<vec4<f32>>(select(vec4<u32>(0u), window.cells, hit));
        return Sum(bitcast<vec4<u32>>(bitcast<vec4<f32>>(put.low) + taken), put.high);
    }
    return sum_with(put, window.cells, hit);
}

// What is put, as cells.
fn settled(put: Sum) -> vec4<u32> {
    if !SUMMED || SINGLE {
        return put.low;
    }
    return total(put);
}
