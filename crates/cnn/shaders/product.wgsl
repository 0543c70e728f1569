// Products of matrices, each tensor with its strides, for steps.wgsl.

struct Params {
    batch: u32,
    rows: u32,
    columns: u32,
    depth: u32,
    a_batch: u32,
    a_row: u32,
    a_depth: u32,
    b_batch: u32,
    b_depth: u32,
    b_column: u32,
    y_batch: u32,
    y_row: u32,
    y_column: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

// Where a column begins in b.
struct Column {
    first: u32,
}

// How far the factors of a step lie from where the row and the column begin.
struct Step {
    left: u32,
    right: u32,
}

fn products() -> u32 {
    return params.batch;
}

fn rows() -> u32 {
    return params.rows;
}

fn columns() -> u32 {
    return params.columns;
}

// A step of the depth is a channel of one tap.
const TAPS: u32 = 1u;
const PADDED: u32 = 0u;

fn channels() -> u32 {
    return params.depth;
}

fn left_channel() -> u32 {
    return params.a_depth;
}

fn right_channel() -> u32 {
    return params.b_depth;
}

fn row_at(product: u32, row: u32) -> u32 {
    return product * params.a_batch + row * params.a_row;
}

fn column_at(product: u32, column: u32) -> Column {
    return Column(product * params.b_batch + column * params.b_column);
}

fn step_at(channel: u32, tap: u32) -> Step {
    return Step(channel * left_channel(), channel * right_channel());
}

fn inside(step: Step, column: Column) -> bool {
    return true;
}

fn index_of(step: Step, column: Column) -> u32 {
    return column.first + step.right;
}

fn left(index: u32) -> f32 {
    return a[index];
}

fn right(index: u32) -> f32 {
    return b[index];
}

fn result_at(product: u32, column: u32) -> u32 {
    return product * params.y_batch + column * params.y_column;
}

fn store(result: u32, product: u32, row: u32, sum: f32) {
    y[result + row * params.y_row] = sum;
}

fn store_share(index: u32, sum: f32) {
    y[index] = sum;
}

fn load_share(index: u32) -> f32 {
    return a[index];
}
