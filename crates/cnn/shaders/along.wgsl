// A sparse matrix along one axis, for sum_by_thread.wgsl or sum_by_workgroup.wgsl: `outer` blocks of `from` rows of
// `inner` elements become blocks of `to` rows. A sum is an element.

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

// The entries of a row, and where the elements that they are multiplied with begin.
struct Terms {
    entry: u32,
    count: u32,
    first: u32,
}

fn terms_of(i: u32) -> Terms {
    let row = i / params.inner % params.to_rows;
    let block = i / params.inner / params.to_rows * params.from_rows;
    return Terms(starts[row], starts[row + 1u] - starts[row], block * params.inner + i % params.inner);
}

fn term(terms: Terms, n: u32) -> f32 {
    let entry = terms.entry + n;
    return values[entry] * x[terms.first + columns[entry] * params.inner];
}

fn store(i: u32, terms: Terms, sum: f32) {
    y[i] = sum;
}
