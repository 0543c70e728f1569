// The uniform of normalize.wgsl and normalize_back.wgsl, and the moments of a vector of `len`
// elements with a stride of `inner`, for vector_by_thread.wgsl or vector_by_workgroup.wgsl.

struct Params {
    count: u32,
    len: u32,
    inner: u32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;

// The mean, and the reciprocal of the deviation.
fn moments(first: u32, thread: u32) -> vec2<f32> {
    var sum = 0.0;
    for (var n = thread; n < params.len; n += SHARES) {
        sum += x[first + n * params.inner];
    }
    let mean = shared_sum(thread, sum) / f32(params.len);
    var squares = 0.0;
    for (var n = thread; n < params.len; n += SHARES) {
        let off = x[first + n * params.inner] - mean;
        squares += off * off;
    }
    return vec2(mean, 1.0 / sqrt(shared_sum(thread, squares) / f32(params.len) + params.epsilon));
}
