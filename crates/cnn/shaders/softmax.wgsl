// Softmax over vectors of `len` elements, with a stride of `inner`, for vector_by_thread.wgsl or
// vector_by_workgroup.wgsl.

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

fn run_share(i: u32, thread: u32) {
    let first = i / params.inner * params.len * params.inner + i % params.inner;
    var highest = x[first];
    for (var n = thread; n < params.len; n += SHARES) {
        highest = max(highest, x[first + n * params.inner]);
    }
    highest = shared_max(thread, highest);
    var sum = 0.0;
    for (var n = thread; n < params.len; n += SHARES) {
        let part = exp(x[first + n * params.inner] - highest);
        y[first + n * params.inner] = part;
        sum += part;
    }
    sum = shared_sum(thread, sum);
    for (var n = thread; n < params.len; n += SHARES) {
        let at = first + n * params.inner;
        y[at] = select(y[at] / sum, x[at] - highest - log(sum), params.log != 0u);
    }
}
