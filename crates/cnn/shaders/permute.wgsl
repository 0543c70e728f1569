// A tensor with its axes in another order. An invocation computes an element.

struct Params {
    count: u32,
    dims0: u32,
    dims1: u32,
    dims2: u32,
    dims3: u32,
    dims4: u32,
    dims5: u32,
    steps0: u32,
    steps1: u32,
    steps2: u32,
    steps3: u32,
    steps4: u32,
    steps5: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn run(i: u32) {
    let at = coordinates(i, Axes(params.dims0, params.dims1, params.dims2, params.dims3, params.dims4, params.dims5));
    y[i] = x[along(at, Axes(params.steps0, params.steps1, params.steps2, params.steps3, params.steps4, params.steps5))];
}
