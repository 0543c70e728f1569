// The sums of tile.wgsl where SHARES workgroups made a share of each: a thread adds those of one sum, in one order.

const THREADS: u32 = 64u;

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = (workgroup.x + workgroup.y * workgroups.x) * THREADS + thread;
    let count = products() * rows() * columns();
    if (number >= count) {
        return;
    }
    var sum = 0.0;
    for (var share = 0u; share < SHARES; share++) {
        sum += load_share(share * count + number);
    }
    let product = number / columns() / rows();
    store(result_at(product, number % columns()), product, number / columns() % rows(), sum);
}
