// Products of matrices in tiles: `rows()` × `columns()` sums of each of `products()` products, over the `depth()` steps
// of steps.wgsl.
//
// A workgroup of 256 threads makes a tile of TILE rows × TILE columns of one product, each thread 4×4 of it: its rows
// and columns are VEC4S apart, so that threads side by side load and store elements side by side. A slab of
// 1024 / TILE steps of both matrices lies in workgroup memory at a time, while threads load their part of the next
// into registers. With TILE 64 every thread takes all steps of a slab. With TILE 32 a tile has work for 64 threads,
// and SPLIT = 4 times as many take a quarter of the steps each and add at the end; with TILE 16, 16 times as many.
// Sums run in one order, so a device gives the same bits on every run.

const THREADS: u32 = 256u;
// Vec4s of a row of the tile.
const VEC4S: u32 = TILE / 4u;
const SPLIT: u32 = THREADS / (VEC4S * VEC4S);
const SLAB: u32 = 1024u / TILE;
const STEPS: u32 = SLAB / SPLIT;

// A vec4 more than rows have keeps threads that store different steps off each other's banks.
var<workgroup> left_slab: array<vec4<f32>, SLAB * (VEC4S + 1u)>;
var<workgroup> right_slab: array<vec4<f32>, 256>;

// Four rows of a step, 0 past the end.
fn load_left(product: u32, row: u32, step: u32) -> vec4<f32> {
    return vec4(
        left_or_zero(product, row, step),
        left_or_zero(product, row + VEC4S, step),
        left_or_zero(product, row + 2u * VEC4S, step),
        left_or_zero(product, row + 3u * VEC4S, step),
    );
}

fn left_or_zero(product: u32, row: u32, step: u32) -> f32 {
    if (row < rows() && step < depth()) {
        return left_at(product, row, step);
    }
    return 0.0;
}

// A step of four columns, 0 past the end.
fn load_right(step: u32, own: Columns) -> vec4<f32> {
    if (step >= depth()) {
        return vec4(0.0);
    }
    return vec4(
        right_at(step, own.a),
        right_at(step, own.b),
        right_at(step, own.c),
        right_at(step, own.d),
    );
}

struct Columns {
    a: Column,
    b: Column,
    c: Column,
    d: Column,
}

// The last column stands for those past the end.
fn columns_at(product: u32, column: u32) -> Columns {
    let last = columns() - 1u;
    return Columns(
        column_at(product, min(column, last)),
        column_at(product, min(column + VEC4S, last)),
        column_at(product, min(column + 2u * VEC4S, last)),
        column_at(product, min(column + 3u * VEC4S, last)),
    );
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = workgroup.x + workgroup.y * workgroups.x;
    let column_tiles = (columns() + TILE - 1u) / TILE;
    let row_tiles = (rows() + TILE - 1u) / TILE;
    // The grid is a rectangle and may have more workgroups than there are tiles: those past the end make the last
    // product again, but store nothing.
    let real = number / (row_tiles * column_tiles) < products();
    let product = min(number / (row_tiles * column_tiles), products() - 1u);
    let in_product = number % (row_tiles * column_tiles);
    let first_row = in_product / column_tiles * TILE;
    let first_column = in_product % column_tiles * TILE;

    let left_step = thread % SLAB;
    let left_vec4 = thread / SLAB;
    let right_step = thread / VEC4S;
    let right_vec4 = thread % VEC4S;
    let own = columns_at(product, first_column + right_vec4);
    var next_left = load_left(product, first_row + left_vec4, left_step);
    var next_right = load_right(right_step, own);

    let row_vec4 = thread / VEC4S % VEC4S;
    let column_vec4 = thread % VEC4S;
    let first_step = thread / (VEC4S * VEC4S) * STEPS;
    var sums0 = vec4(0.0);
    var sums1 = vec4(0.0);
    var sums2 = vec4(0.0);
    var sums3 = vec4(0.0);
    for (var start = 0u; start < depth(); start += SLAB) {
        left_slab[left_step * (VEC4S + 1u) + left_vec4] = next_left;
        right_slab[thread] = next_right;
        workgroupBarrier();
        if (start + SLAB < depth()) {
            next_left = load_left(product, first_row + left_vec4, start + SLAB + left_step);
            next_right = load_right(start + SLAB + right_step, own);
        }
        for (var step = first_step; step < first_step + STEPS; step++) {
            let a = left_slab[step * (VEC4S + 1u) + row_vec4];
            let b = right_slab[step * VEC4S + column_vec4];
            sums0 += a.x * b;
            sums1 += a.y * b;
            sums2 += a.z * b;
            sums3 += a.w * b;
        }
        workgroupBarrier();
    }
    // The sums of the other threads of a tile, one part after the other.
    let at = thread % (VEC4S * VEC4S) * 4u;
    for (var part = 1u; part < SPLIT; part++) {
        if (thread / (VEC4S * VEC4S) == part) {
            right_slab[at] = sums0;
            right_slab[at + 1u] = sums1;
            right_slab[at + 2u] = sums2;
            right_slab[at + 3u] = sums3;
        }
        workgroupBarrier();
        if (thread < VEC4S * VEC4S) {
            sums0 += right_slab[at];
            sums1 += right_slab[at + 1u];
            sums2 += right_slab[at + 2u];
            sums3 += right_slab[at + 3u];
        }
        workgroupBarrier();
    }
    if (!real || thread >= VEC4S * VEC4S) {
        return;
    }
    store_row(product, first_row + row_vec4, first_column + column_vec4, sums0);
    store_row(product, first_row + row_vec4 + VEC4S, first_column + column_vec4, sums1);
    store_row(product, first_row + row_vec4 + 2u * VEC4S, first_column + column_vec4, sums2);
    store_row(product, first_row + row_vec4 + 3u * VEC4S, first_column + column_vec4, sums3);
}

fn store_row(product: u32, row: u32, column: u32, sums: vec4<f32>) {
    store_sum(product, row, column, sums.x);
    store_sum(product, row, column + VEC4S, sums.y);
    store_sum(product, row, column + 2u * VEC4S, sums.z);
    store_sum(product, row, column + 3u * VEC4S, sums.w);
}

fn store_sum(product: u32, row: u32, column: u32, sum: f32) {
    if (row < rows() && column < columns()) {
        store(product, row, column, sum);
    }
}
