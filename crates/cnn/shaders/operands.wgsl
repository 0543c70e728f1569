// The uniform of pair.wgsl and pair_back.wgsl, and their two operands, which repeat along some axes.

struct Params {
    count: u32,
    // See pairs.wgsl.
    function: u32,
    // The operand that a signal goes back to; pair.wgsl does not read it.
    operand: u32,
    dims0: u32,
    dims1: u32,
    dims2: u32,
    dims3: u32,
    dims4: u32,
    dims5: u32,
    a0: u32,
    a1: u32,
    a2: u32,
    a3: u32,
    a4: u32,
    a5: u32,
    b0: u32,
    b1: u32,
    b2: u32,
    b3: u32,
    b4: u32,
    b5: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;

// The elements of the two operands for element i of the result.
fn operands(i: u32) -> vec2<f32> {
    let at = coordinates(i, Axes(params.dims0, params.dims1, params.dims2, params.dims3, params.dims4, params.dims5));
    let l = a[along(at, Axes(params.a0, params.a1, params.a2, params.a3, params.a4, params.a5))];
    let r = b[along(at, Axes(params.b0, params.b1, params.b2, params.b3, params.b4, params.b5))];
    return vec2(l, r);
}
