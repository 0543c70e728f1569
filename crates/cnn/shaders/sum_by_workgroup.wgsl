// A workgroup for each of params.count sums: the end of a kernel with many terms, for workgroup_sum.wgsl. Each of 64
// threads adds every 64th term.

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = workgroup.x + workgroup.y * workgroups.x;
    // A workgroup past the end makes the last sum again, and stores nothing.
    let terms = terms_of(min(i, params.count - 1u));
    var sum = 0.0;
    for (var n = thread; n < terms.count; n += THREADS) {
        sum += term(terms, n);
    }
    let total = workgroup_sum(thread, sum);
    if (thread == 0u && i < params.count) {
        store(i, terms, total);
    }
}
