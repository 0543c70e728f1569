// A sparse matrix along one axis: `outer` blocks of `from` rows of `inner` elements become blocks of
// `to` rows. An invocation computes an element.

struct Params {
    count: u32,
    from_rows: u32,
    to_rows: u32,
    inner: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
// The first entry of each row of the matrix; the column and the value of each entry.
@group(0) @binding(2) var<storage, read> starts: array<u32>;
@group(0) @binding(3) var<storage, read> columns: array<u32>;
@group(0) @binding(4) var<storage, read> values: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

fn run(i: u32) {
    let at = i % params.inner;
    let row = i / params.inner % params.to_rows;
    let first = i / params.inner / params.to_rows * params.from_rows;
    var sum = 0.0;
    for (var entry = starts[row]; entry < starts[row + 1u]; entry++) {
        sum += values[entry] * x[(first + columns[entry]) * params.inner + at];
    }
    y[i] = sum;
}
