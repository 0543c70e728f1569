// What softmax sends back. An invocation computes a vector.

struct Params {
    count: u32,
    len: u32,
    inner: u32,
    // Whether y is a logarithm.
    log: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> signal: array<f32>;
@group(0) @binding(3) var<storage, read_write> back: array<f32>;

fn run(i: u32) {
    let first = i / params.inner * params.len * params.inner + i % params.inner;
    var sum = 0.0;
    for (var n = 0u; n < params.len; n++) {
        let at = first + n * params.inner;
        sum += select(y[at], 1.0, params.log != 0u) * signal[at];
    }
    for (var n = 0u; n < params.len; n++) {
        let at = first + n * params.inner;
        back[at] = select(y[at] * (signal[at] - sum), signal[at] - exp(y[at]) * sum, params.log != 0u);
    }
}
