// The positions of the `kept` largest or smallest elements of each vector of `len` elements with a stride of
// `inner`, the first of equals before the others. An invocation counts the elements that come before one, and
// writes its position where they are few enough.

struct Params {
    count: u32,
    len: u32,
    inner: u32,
    kept: u32,
    largest: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> positions: array<f32>;

// The bits of a float as a number of the same order, larger ones first in what is kept; -0 is 0.
fn rank_of(i: u32) -> u32 {
    let bits = x[i];
    var key = select(bits | 0x80000000u, ~bits, bits >= 0x80000000u);
    key = select(key, 0x80000000u, (bits & 0x7fffffffu) == 0u);
    return select(~key, key, params.largest != 0u);
}

fn run(i: u32) {
    let own = i / params.inner % params.len;
    let vector = i / params.inner / params.len;
    let first = vector * params.len * params.inner + i % params.inner;
    let key = rank_of(i);
    var before = 0u;
    for (var n = 0u; n < params.len; n++) {
        let other = rank_of(first + n * params.inner);
        if (other > key || (other == key && n < own)) {
            before++;
        }
    }
    if (before < params.kept) {
        positions[(vector * params.kept + before) * params.inner + i % params.inner] = f32(own);
    }
}
