// A workgroup for each of params.count sums: the end of a kernel with many terms. Each of 64 threads adds every 64th
// term, and then pairs of threads add what they have, in one order, so that a device gives the same bits on every run.

var<workgroup> parts: array<f32, 64>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = workgroup.x + workgroup.y * workgroups.x;
    // A workgroup past the end makes the last sum again, and stores nothing.
    let terms = terms_of(min(i, params.count - 1u));
    var sum = 0.0;
    for (var n = thread; n < terms.count; n += 64u) {
        sum += term(terms, n);
    }
    parts[thread] = sum;
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (thread < half) {
            parts[thread] += parts[thread + half];
        }
    }
    if (thread == 0u && i < params.count) {
        store(i, terms, parts[0]);
    }
}
