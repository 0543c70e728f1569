// Products of matrices in tiles: `rows()` × `columns()` sums of each of `products()` products, over the `depth()` steps
// of steps.wgsl.
//
// A workgroup of 256 threads makes a tile of TILE rows × TILE columns of one product, each thread 4×4 of it: its rows
// and columns are VEC4S apart, so that threads side by side load and store elements side by side. A k-tile of
// 1024 / TILE steps of both matrices lies in workgroup memory at a time, while threads load their part of the next
// into registers. With TILE 64 every thread takes all steps of a k-tile. With TILE 32 a tile has work for 64 threads,
// and SPLIT = 4 times as many take a quarter of the steps each and add at the end; with TILE 16, 16 times as many.
// So a thread always takes VEC4S steps of a k-tile. Sums run in one order, so a device gives the same bits on every
// run.
//
// Where few tiles have many steps, SHARES workgroups take a share of the steps of a tile each, and shares.wgsl adds
// what they store.
//
// On an NVIDIA H200 a convolution of 3×3 with 64 channels of 224×224 runs at 28 TFLOP/s. It runs at 19 where the steps
// of a k-tile are a loop, and at 24 where each element that is loaded finds its row and its tap anew.

const THREADS: u32 = 256u;
// Vec4s of a row of the tile.
const VEC4S: u32 = TILE / 4u;
const SPLIT: u32 = THREADS / (VEC4S * VEC4S);
// Steps of a k-tile.
const K_TILE: u32 = SPLIT * VEC4S;

// Steps by the part of the threads that takes them. The number of a step in its part is a constant below, so that it
// is not checked. A vec4 more than rows have keeps threads that store different steps off each other's banks.
var<workgroup> left_k_tile: array<array<array<vec4<f32>, VEC4S + 1u>, VEC4S>, SPLIT>;
var<workgroup> right_k_tile: array<array<array<vec4<f32>, VEC4S>, VEC4S>, SPLIT>;

// A step of four rows, 0 past the end.
fn load_left(number: u32, own: vec4<u32>) -> vec4<f32> {
    if (number >= depth()) {
        return vec4(0.0);
    }
    let indices = own + step_of(number).left;
    return vec4(left(indices.x), left(indices.y), left(indices.z), left(indices.w));
}

// Where four rows begin. The last row stands for those past the end.
fn rows_at(product: u32, row: u32) -> vec4<u32> {
    let last = rows() - 1u;
    return vec4(
        row_at(product, min(row, last)),
        row_at(product, min(row + VEC4S, last)),
        row_at(product, min(row + 2u * VEC4S, last)),
        row_at(product, min(row + 3u * VEC4S, last)),
    );
}

// A step of four columns, 0 past the end.
fn load_right(number: u32, own: Columns) -> vec4<f32> {
    if (number >= depth()) {
        return vec4(0.0);
    }
    let step = step_of(number);
    return vec4(
        right_or_zero(step, own.a),
        right_or_zero(step, own.b),
        right_or_zero(step, own.c),
        right_or_zero(step, own.d),
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
    let column_tiles = (columns() + TILE - 1u) / TILE;
    let row_tiles = (rows() + TILE - 1u) / TILE;
    let tiles = products() * row_tiles * column_tiles;
    let all_number = workgroup.x + workgroup.y * workgroups.x;
    let share = min(all_number / tiles, SHARES - 1u);
    let number = all_number - share * tiles;
    // Whole k-tiles, as many for each share, or one more.
    let k_tiles = (depth() + K_TILE - 1u) / K_TILE;
    let begin = share * k_tiles / SHARES * K_TILE;
    let end = min((share + 1u) * k_tiles / SHARES * K_TILE, depth());
    // The grid is a rectangle and may have more workgroups than there are tiles: those past the end make the last
    // product again, but store nothing.
    let real = number / (row_tiles * column_tiles) < products();
    let product = min(number / (row_tiles * column_tiles), products() - 1u);
    let in_product = number % (row_tiles * column_tiles);
    let first_row = in_product / column_tiles * TILE;
    let first_column = in_product % column_tiles * TILE;

    // What a thread sums, and a step and vec4 of the right matrix that it loads.
    let part = thread / (VEC4S * VEC4S);
    let row = thread / VEC4S % VEC4S;
    let column = thread % VEC4S;
    // And of the left matrix, whose steps lie side by side.
    let left_step = thread % K_TILE;
    let left_vec4 = thread / K_TILE;

    let left_rows = rows_at(product, first_row + left_vec4);
    let right_columns = columns_at(product, first_column + column);
    var next_left = load_left(begin + left_step, left_rows);
    var next_right = load_right(begin + thread / VEC4S, right_columns);
    var sums0 = vec4(0.0);
    var sums1 = vec4(0.0);
    var sums2 = vec4(0.0);
    var sums3 = vec4(0.0);
    for (var start = begin; start < end; start += K_TILE) {
        left_k_tile[left_step / VEC4S][left_step % VEC4S][left_vec4] = next_left;
        right_k_tile[part][row][column] = next_right;
        workgroupBarrier();
        if (start + K_TILE < end) {
            next_left = load_left(start + K_TILE + left_step, left_rows);
            next_right = load_right(start + K_TILE + thread / VEC4S, right_columns);
        }
        // EACH STEP: src/gpu/shader.rs writes the block VEC4S times.
        {
            let a = left_k_tile[part][STEP][row];
            let b = right_k_tile[part][STEP][column];
            sums0 += a.x * b;
            sums1 += a.y * b;
            sums2 += a.z * b;
            sums3 += a.w * b;
        }
        // END
        workgroupBarrier();
    }
    if (SPLIT > 1u) {
        sums0 = sum_of_parts(part, row, column, sums0);
        sums1 = sum_of_parts(part, row, column, sums1);
        sums2 = sum_of_parts(part, row, column, sums2);
        sums3 = sum_of_parts(part, row, column, sums3);
    }
    if (!real || part > 0u) {
        return;
    }
    let at = Sum(share, product, first_row + row, first_column + column);
    store_column(at, 0u, vec4(sums0.x, sums1.x, sums2.x, sums3.x));
    store_column(at, VEC4S, vec4(sums0.y, sums1.y, sums2.y, sums3.y));
    store_column(at, 2u * VEC4S, vec4(sums0.z, sums1.z, sums2.z, sums3.z));
    store_column(at, 3u * VEC4S, vec4(sums0.w, sums1.w, sums2.w, sums3.w));
}

// Part 0 gets the sum, one part after the other. Every thread of the workgroup must call it.
fn sum_of_parts(part: u32, row: u32, column: u32, own: vec4<f32>) -> vec4<f32> {
    right_k_tile[part][row][column] = own;
    workgroupBarrier();
    var sum = own;
    if (part == 0u) {
        for (var other = 1u; other < SPLIT; other++) {
            sum += right_k_tile[other][row][column];
        }
    }
    workgroupBarrier();
    return sum;
}

// Of the first of a thread's sums.
struct Sum {
    share: u32,
    product: u32,
    row: u32,
    column: u32,
}

fn store_column(first: Sum, further: u32, sums: vec4<f32>) {
    let at = Sum(first.share, first.product, first.row, first.column + further);
    if (at.column >= columns()) {
        return;
    }
    let result = result_at(at.product, at.column);
    store_sum(at, result, 0u, sums.x);
    store_sum(at, result, VEC4S, sums.y);
    store_sum(at, result, 2u * VEC4S, sums.z);
    store_sum(at, result, 3u * VEC4S, sums.w);
}

fn store_sum(first: Sum, result: u32, further: u32, sum: f32) {
    let row = first.row + further;
    if (row >= rows()) {
        return;
    }
    if (SHARES > 1u) {
        let index = ((first.share * products() + first.product) * rows() + row) * columns() + first.column;
        store_share(index, sum);
    } else {
        store(result, first.product, row, sum);
    }
}
