// What both poolings share: which of two cells is greater, and what a thread does with its units. Cells
// are compared on their bits: a float comparison may flush subnormals and may assume that there is no
// NaN.

// Integers that order as the cells do: −0 and +0 alike, a NaN above all. Of floats none is the least
// integer.
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

// What the search through a window has found so far.
struct Best {
    cells: vec4<u32>,
    // What the next cell must pass.
    limit: vec4<i32>,
    taps: vec4<u32>,
    found: vec4<bool>,
}

fn nothing() -> Best {
    return Best(vec4<u32>(0u), vec4<i32>(i32(0x80000000u)), vec4<u32>(0u), vec4<bool>(false));
}

// A cell takes over when it is greater, or NaN; the first that exists starts the search, so there is
// no sentinel. Padded cells are skipped.
fn take(best: Best, cells: vec4<u32>, inside: vec4<bool>, tap: u32) -> Best {
    let keys = key(cells);
    let greater = keys > best.limit;
    var takes = inside & greater;
    if KIND == SIGNED || KIND == UNSIGNED {
        let first = !best.found;
        let starts = inside & first;
        takes = takes | starts;
    }
    return Best(
        select(best.cells, cells, takes),
        select(best.limit, to_beat(keys), takes),
        select(best.taps, vec4<u32>(tap), takes),
        best.found | inside,
    );
}

// Stores what a search has found for a unit.
fn store_best(turn: Turn, best: Best) {
    store_unit(turn, best.cells);
    store_taps(turn, best.taps);
}

// Pools the units of a thread: of two, both are searched before one is stored.
fn pool(turn: Turn) {
    let at = place(turn);
    let best = search(at);
    if PAIRED {
        store_best(second(turn), search(beside(at)));
    }
    store_best(turn, best);
}
