// The extreme element of each vector of `len` elements with a stride of `inner`, its position, or the
// product of all elements. An invocation computes a vector.

struct Params {
    count: u32,
    len: u32,
    inner: u32,
    // 0 maximum, 1 minimum, 2 product, 3 and 4 the first and the last position of the largest, 5 and 6
    // of the smallest.
    function: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn run(i: u32) {
    let first = i / params.inner * params.len * params.inner + i % params.inner;
    var best = x[first];
    var position = 0u;
    for (var n = 1u; n < params.len; n++) {
        let v = x[first + n * params.inner];
        var replaces = false;
        switch params.function {
            case 0u, 3u: { replaces = v > best; }
            case 4u: { replaces = v >= best; }
            case 1u, 5u: { replaces = v < best; }
            case 6u: { replaces = v <= best; }
            default: { best *= v; }
        }
        if (replaces) {
            best = v;
            position = n;
        }
    }
    y[i] = select(best, f32(position), params.function > 2u);
}
