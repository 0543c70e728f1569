// Vectors with their mean subtracted and divided by their deviation. An invocation computes a
// vector.

@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn run(i: u32) {
    let first = i / params.inner * params.len * params.inner + i % params.inner;
    let m = moments(first);
    for (var n = 0u; n < params.len; n++) {
        let at = first + n * params.inner;
        y[at] = (x[at] - m.x) * m.y;
    }
}
