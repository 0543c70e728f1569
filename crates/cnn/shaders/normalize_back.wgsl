// What normalisation sends back.

@group(0) @binding(2) var<storage, read> signal: array<f32>;
@group(0) @binding(3) var<storage, read_write> back: array<f32>;

fn run_share(i: u32, thread: u32) {
    let first = i / params.inner * params.len * params.inner + i % params.inner;
    let m = moments(first, thread);
    var sum = 0.0;
    var product = 0.0;
    for (var n = thread; n < params.len; n += SHARES) {
        let at = first + n * params.inner;
        sum += signal[at];
        product += signal[at] * (x[at] - m.x) * m.y;
    }
    sum = shared_sum(thread, sum);
    product = shared_sum(thread, product);
    let count = f32(params.len);
    for (var n = thread; n < params.len; n += SHARES) {
        let at = first + n * params.inner;
        back[at] = m.y * (signal[at] - sum / count - (x[at] - m.x) * m.y * product / count);
    }
}
