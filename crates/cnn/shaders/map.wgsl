// A function of each element. An invocation computes an element.

struct Params {
    count: u32,
    // 0 ReLU, 1 leaky ReLU, 2 clip, 3 sigmoid.
    function: u32,
    // Slope, or lower bound.
    a: f32,
    // Upper bound.
    b: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn run(i: u32) {
    let v = x[i];
    switch params.function {
        case 0u: { y[i] = select(v, 0.0, v < 0.0); }
        case 1u: { y[i] = select(v, v * params.a, v < 0.0); }
        case 2u: { y[i] = min(max(v, params.a), params.b); }
        default: { y[i] = 1.0 / (1.0 + exp(-v)); }
    }
}
