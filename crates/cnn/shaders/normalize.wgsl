// Vectors with their mean subtracted and divided by their deviation.

@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn run_share(i: u32, thread: u32) {
    let first = i / params.inner * params.len * params.inner + i % params.inner;
    let m = moments(first, thread);
    for (var n = thread; n < params.len; n += SHARES) {
        let at = first + n * params.inner;
        y[at] = (x[at] - m.x) * m.y;
    }
}
