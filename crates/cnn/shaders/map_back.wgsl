// What a function of each element sends back, under the three rules at ReLU. An invocation computes an
// element. `seen` is the function's result for ReLU and sigmoid, else what it read.

struct Params {
    count: u32,
    // 0 ReLU, 1 leaky ReLU, 2 clip, 3 sigmoid.
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
    switch params.function {
        case 0u: { back[i] = rectified(v > 0.0, r); }
        case 1u: { back[i] = select(r, r * params.a, v < 0.0); }
        case 2u: {
            let below = v <= params.b;
            let clipped = select(0.0, r, v >= params.a && below);
            back[i] = select(clipped, rectified(v > 0.0 && below, r), params.a == 0.0);
        }
        default: { back[i] = r * v * (1.0 - v); }
    }
}
