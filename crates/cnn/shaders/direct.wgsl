// The products of tile.wgsl where they have few rows, as a convolution of each channel by itself has: a thread makes
// one sum.

const THREADS: u32 = 64u;

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = (workgroup.x + workgroup.y * workgroups.x) * THREADS + thread;
    let row = number / columns();
    if (row >= products() * rows()) {
        return;
    }
    let product = row / rows();
    let own_column = number % columns();
    let column = column_at(product, own_column);
    let own_row = row % rows();
    var sum = 0.0;
    for (var tap = 0u; tap < TAPS; tap++) {
        let first = step_at(0u, tap);
        if (PADDED > 0u && !inside(first, column)) {
            continue;
        }
        let left_index = row_at(product, own_row) + first.left;
        let right_index = index_of(first, column);
        for (var channel = 0u; channel < channels(); channel++) {
            sum += left(left_index + channel * left_channel()) * right(right_index + channel * right_channel());
        }
    }
    store(result_at(product, own_column), product, own_row, sum);
}
