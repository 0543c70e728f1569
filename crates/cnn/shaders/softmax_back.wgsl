// What softmax sends back. An invocation computes a vector.

struct Params {
    count: u32,
    len: u32,
    inner: u32,
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
        sum += y[at] * signal[at];
    }
    for (var n = 0u; n < params.len; n++) {
        let at = first + n * params.inner;
        back[at] = y[at] * (signal[at] - sum);
    }
}
