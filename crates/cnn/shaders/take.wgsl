// Elements at computed positions along an axis, the same positions in `repeats` neighbouring blocks. A position
// below 0 counts from the end, and one outside gives 0. An invocation computes an element.

struct Params {
    count: u32,
    repeats: u32,
    from_rows: u32,
    to_rows: u32,
    inner: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> positions: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn run(i: u32) {
    let column = i % params.inner;
    let row = i / params.inner % params.to_rows;
    let block = i / params.inner / params.to_rows;
    let list = block / params.repeats * params.to_rows;
    var at = i32(positions[(list + row) * params.inner + column]);
    at += select(0, i32(params.from_rows), at < 0);
    let is_inside = at >= 0 && at < i32(params.from_rows);
    let cell = block * params.from_rows + u32(select(0, at, is_inside));
    y[i] = select(0.0, x[cell * params.inner + column], is_inside);
}
