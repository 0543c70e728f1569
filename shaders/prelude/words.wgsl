// The accumulator of cells in an unpooling, as accumulate.wgsl, where elements of 16 or 8 bits stay in words as they
// lie in memory: an integer operation on a word works on all its elements. Windows have at most 64 cells, so that a
// tap, in as many bits as an element, leaves the top bit free.
//
// `Words` is one vector of words, and `TapWords` the taps of as many windows: see words_vec4.wgsl, words_8.wgsl and
// the others.

// The top bit of each element of a word, and every second element.
const TOPS: u32 = ONES << (BITS - 1u);
const EVEN: u32 = select(0x0000ffffu, 0x00ff00ffu, BITS == 8u);

// Words in the form of two vectors: the even and the odd elements.
struct Halves {
    even: Words,
    odd: Words,
}

fn halves(words: Words) -> Halves {
    return Halves(words & Words(EVEN), (words >> Words(BITS)) & Words(EVEN));
}

// The values and the taps of some windows, and the terms of a sum.
struct Pooled {
    elements: Words,
    taps: Words,
    terms: Halves,
}

fn pooled(elements: Words, taps: Words) -> Pooled {
    let parts = halves(elements);
    if !SUMMED || !IS_FLOAT {
        return Pooled(elements, taps, parts);
    }
    // A term may be −0: `finish` makes sums +0.
    let terms = Halves(words_of(widen(lanes_of(parts.even))), words_of(widen(lanes_of(parts.odd))));
    let even = words_of(sum_of_one(lanes_of(parts.even)));
    let odd = words_of(sum_of_one(lanes_of(parts.odd)));
    return Pooled(even | (odd << Words(BITS)), taps, terms);
}

// A mask of the elements whose windows have one tap, which each component of `taps` is: all bits of these elements
// are set, and no other bits.
fn hits(window: Pooled, taps: vec4<u32>) -> Words {
    // The top bit is left where the taps are equal.
    let equal = (Words(TOPS) - (window.taps ^ Words(taps.x * ONES))) & Words(TOPS);
    return (equal << Words(1u)) - (equal >> Words(BITS - 1u));
}

// The terms that go to some cells; elsewhere 0.
fn summands(window: Pooled, taps: vec4<u32>) -> Halves {
    if IS_FLOAT {
        let parts = halves(window.taps);
        let tap = Words(taps.x);
        return Halves(
            select(Words(0u), window.terms.even, parts.even == tap),
            select(Words(0u), window.terms.odd, parts.odd == tap),
        );
    }
    return halves(window.elements & hits(window, taps));
}

// The accumulator of cells after the first window, in which they have these taps.
fn accumulate_first(window: Pooled, taps: vec4<u32>) -> Halves {
    if SUMMED && OVERLAPPING {
        return summands(window, taps);
    }
    return Halves(finish_one(window, taps), Words(0u));
}

// The accumulator after a further window.
fn accumulate(accumulator: Halves, window: Pooled, taps: vec4<u32>) -> Halves {
    if SUMMED && OVERLAPPING {
        let more = summands(window, taps);
        if IS_FLOAT {
            let even = bitcast<vec4<f32>>(lanes_of(accumulator.even)) + bitcast<vec4<f32>>(lanes_of(more.even));
            let odd = bitcast<vec4<f32>>(lanes_of(accumulator.odd)) + bitcast<vec4<f32>>(lanes_of(more.odd));
            return Halves(words_of(bitcast<vec4<u32>>(even)), words_of(bitcast<vec4<u32>>(odd)));
        }
        return Halves(accumulator.even + more.even, accumulator.odd + more.odd);
    }
    let hit = hits(window, taps);
    return Halves((accumulator.even & ~hit) | (window.elements & hit), Words(0u));
}

// The elements of cells that one window covers.
fn finish_one(window: Pooled, taps: vec4<u32>) -> Words {
    return window.elements & hits(window, taps);
}

// Sums, each as wide as two elements, as elements in their lower halves. Integers saturate.
fn finish_half(sums: Words) -> Words {
    if IS_FLOAT {
        let lanes = lanes_of(sums);
        let magnitude = lanes & vec4<u32>(0x7fffffffu);
        return words_of(round_to_element(select(lanes, vec4<u32>(0u), magnitude == vec4<u32>(0u))));
    }
    // Bit 15 of each sum of at most nine bytes that is past 255.
    let over = (sums + Words(0x7f007f00u)) & Words(0x80008000u);
    return (sums | ((over >> Words(7u)) - (over >> Words(15u)))) & Words(EVEN);
}

// The elements of an accumulator after the last window.
fn finish(accumulator: Halves) -> Words {
    if SUMMED && OVERLAPPING {
        return finish_half(accumulator.even) | (finish_half(accumulator.odd) << Words(BITS));
    }
    return accumulator.even;
}

// The elements of cells that no window covers.
fn no_window() -> Words {
    return Words(0u);
}
