// A function of two tensors. An invocation computes an element.

@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn run(i: u32) {
    let both = operands(i);
    y[i] = combined(params.function, both.x, both.y);
}
