// Softmax over vectors of `len` elements, with a stride of `inner`. An invocation computes a vector.

struct Params {
    count: u32,
    len: u32,
    inner: u32,
    // Whether its logarithm is wanted.
    log: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn run(i: u32) {
    let first = i / params.inner * params.len * params.inner + i % params.inner;
    var highest = x[first];
    for (var n = 1u; n < params.len; n++) {
        highest = max(highest, x[first + n * params.inner]);
    }
    var sum = 0.0;
    for (var n = 0u; n < params.len; n++) {
        let part = exp(x[first + n * params.inner] - highest);
        y[first + n * params.inner] = part;
        sum += part;
    }
    for (var n = 0u; n < params.len; n++) {
        let at = first + n * params.inner;
        y[at] = select(y[at] / sum, x[at] - highest - log(sum), params.log != 0u);
    }
}
