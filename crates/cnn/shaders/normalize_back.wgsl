// What normalisation sends back. An invocation computes a vector.

@group(0) @binding(2) var<storage, read> signal: array<f32>;
@group(0) @binding(3) var<storage, read_write> back: array<f32>;

fn run(i: u32) {
    let first = i / params.inner * params.len * params.inner + i % params.inner;
    let m = moments(first);
    var sum = 0.0;
    var product = 0.0;
    for (var n = 0u; n < params.len; n++) {
        let at = first + n * params.inner;
        sum += signal[at];
        product += signal[at] * (x[at] - m.x) * m.y;
    }
    let count = f32(params.len);
    for (var n = 0u; n < params.len; n++) {
        let at = first + n * params.inner;
        back[at] = m.y * (signal[at] - sum / count - (x[at] - m.x) * m.y * product / count);
    }
}
