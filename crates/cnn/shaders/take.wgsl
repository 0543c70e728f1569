// Elements at computed positions along an axis; a position outside gives 0. An invocation computes an element.

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn run(i: u32) {
    let column = i % params.inner;
    let row = i / params.inner % params.to_rows;
    let block = i / params.inner / params.to_rows;
    let at = named(block, row, column);
    let is_inside = at >= 0 && at < i32(params.from_rows);
    let cell = block * params.from_rows + u32(select(0, at, is_inside));
    y[i] = select(0.0, x[cell * params.inner + column], is_inside);
}
