// The gradient of PReLU. An invocation computes an element.

struct Params {
    count: u32,
    dims0: u32,
    dims1: u32,
    dims2: u32,
    dims3: u32,
    dims4: u32,
    dims5: u32,
    b0: u32,
    b1: u32,
    b2: u32,
    b3: u32,
    b4: u32,
    b5: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> slope: array<f32>;
@group(0) @binding(3) var<storage, read> signal: array<f32>;
@group(0) @binding(4) var<storage, read_write> back: array<f32>;

fn run(i: u32) {
    let at = along(coordinates(i, Axes(params.dims0, params.dims1, params.dims2, params.dims3, params.dims4, params.dims5)), Axes(params.b0, params.b1, params.b2, params.b3, params.b4, params.b5));
    back[i] = select(signal[i], signal[i] * slope[at], x[i] < 0.0);
}
