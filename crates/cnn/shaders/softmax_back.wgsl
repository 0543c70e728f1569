// What softmax sends back, for vector_by_thread.wgsl or vector_by_workgroup.wgsl.

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

fn run_share(i: u32, thread: u32) {
    let first = i / params.inner * params.len * params.inner + i % params.inner;
    var sum = 0.0;
    for (var n = thread; n < params.len; n += SHARES) {
        let at = first + n * params.inner;
        sum += select(y[at], 1.0, params.log != 0u) * signal[at];
    }
    sum = shared_sum(thread, sum);
    for (var n = thread; n < params.len; n += SHARES) {
        let at = first + n * params.inner;
        back[at] = select(y[at] * (signal[at] - sum), signal[at] - exp(y[at]) * sum, params.log != 0u);
    }
}
