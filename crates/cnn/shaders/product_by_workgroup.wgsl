// The products of tile.wgsl where they have few rows or few columns and many steps, as the fully connected layer of an
// image has, for workgroup_sum.wgsl: a workgroup makes one sum. Each of its 64 threads adds every 64th term.

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let own = workgroup.x + workgroup.y * workgroups.x;
    let row = own / columns();
    // A workgroup past the end makes a sum of the last row again, and stores nothing.
    let real = row < products() * rows();
    let of_row = min(row, products() * rows() - 1u);
    let product = of_row / rows();
    let own_column = own % columns();
    let column = column_at(product, own_column);
    var sum = 0.0;
    let left_row = row_at(product, of_row % rows());
    for (var number = thread; number < depth(); number += THREADS) {
        let step = step_of(number);
        sum += left(left_row + step.left) * right_or_zero(step, column);
    }
    let total = workgroup_sum(thread, sum);
    if (thread == 0u && real) {
        store(result_at(product, own_column), product, of_row % rows(), total);
    }
}
