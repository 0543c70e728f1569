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

fn channels() -> u32 {
    return params.depth;
}

fn column_at(product: u32, column: u32) -> Column {
    return Column(product * params.b_batch + column * params.b_column);
}

fn left(product: u32, row: u32, channel: u32, tap: u32) -> f32 {
    return a[product * params.a_batch + row * params.a_row + channel * params.a_depth];
}

fn place(tap: u32, column: Column) -> u32 {
    return column.first;
}

fn right(place: u32, channel: u32) -> f32 {
    return b[place + channel * params.b_depth];
}

fn store(product: u32, row: u32, column: u32, sum: f32) {
    y[product * params.y_batch + row * params.y_row + column * params.y_column] = sum;
}
