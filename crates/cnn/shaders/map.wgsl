// A function of each element. An invocation computes an element.

struct Params {
    count: u32,
    // See function.wgsl.
    function: u32,
    a: f32,
    b: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn run(i: u32) {
    y[i] = value(x[i]);
}
