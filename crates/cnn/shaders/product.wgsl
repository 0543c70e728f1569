// Products of matrices, each tensor with its strides. A workgroup of 64 threads makes a tile of 8 rows
// and 8 columns of one product, sixteen steps of depth at a time. Sums run in one order.

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

const TILE: u32 = 8u;
const DEPTH: u32 = 16u;

var<workgroup> a_tile: array<f32, 128>;
var<workgroup> b_tile: array<f32, 128>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = workgroup.x + workgroup.y * workgroups.x;
    let column_tiles = (params.columns + TILE - 1u) / TILE;
    let row_tiles = (params.rows + TILE - 1u) / TILE;
    let batch = number / (row_tiles * column_tiles);
    let in_batch = number % (row_tiles * column_tiles);
    let first_row = in_batch / column_tiles * TILE;
    let first_column = in_batch % column_tiles * TILE;
    // A workgroup past the end goes through the loop and writes nothing, so that every barrier is met.
    let real = batch < params.batch;
    var sum = 0.0;
    for (var start = 0u; start < params.depth; start += DEPTH) {
        for (var i = thread; i < 128u; i += 64u) {
            let d = start + i / TILE;
            let row = first_row + i % TILE;
            var value = 0.0;
            if (real && d < params.depth && row < params.rows) {
                value = a[batch * params.a_batch + row * params.a_row + d * params.a_depth];
            }
            a_tile[i] = value;
            let column = first_column + i % TILE;
            value = 0.0;
            if (real && d < params.depth && column < params.columns) {
                value = b[batch * params.b_batch + d * params.b_depth + column * params.b_column];
            }
            b_tile[i] = value;
        }
        workgroupBarrier();
        for (var d = 0u; d < DEPTH; d++) {
            sum += a_tile[d * TILE + thread / TILE] * b_tile[d * TILE + thread % TILE];
        }
        workgroupBarrier();
    }
    let row = first_row + thread / TILE;
    let column = first_column + thread % TILE;
    if (real && row < params.rows && column < params.columns) {
        y[batch * params.y_batch + row * params.y_row + column * params.y_column] = sum;
    }
}
