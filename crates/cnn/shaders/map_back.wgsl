// What a function of each element sends back, under the three rules at ReLU. An invocation computes an
// element. `seen` is the function's result for ReLU and sigmoid, else what it read.

struct Params {
    count: u32,
    // See function.wgsl.
    function: u32,
    a: f32,
    b: f32,
    // 0 gradient, 1 deconvnet, 2 guided.
    rule: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> seen: array<f32>;
@group(0) @binding(2) var<storage, read> signal: array<f32>;
@group(0) @binding(3) var<storage, read_write> back: array<f32>;

fn rectified(open: bool, r: f32) -> f32 {
    let passes = (params.rule == 1u || open) && (params.rule == 0u || r > 0.0);
    return select(0.0, r, passes);
}

fn run(i: u32) {
    let v = seen[i];
    let r = signal[i];
    if (params.function == 0u) {
        back[i] = rectified(v > 0.0, r);
    } else if (params.function == 2u && params.a == 0.0) {
        back[i] = rectified(v > 0.0 && v <= params.b, r);
    } else if (r == 0.0) {
        back[i] = 0.0;
    } else {
        back[i] = r * derivative(v);
    }
}
