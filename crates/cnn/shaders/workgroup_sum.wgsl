// The sum of what the threads of a workgroup have, for sum_by_workgroup.wgsl, vector_by_workgroup.wgsl and
// product_by_workgroup.wgsl: pairs of threads add, in one order, so that a device gives the same bits on every run.

const THREADS: u32 = 64u;

var<workgroup> parts: array<f32, THREADS>;

// Thread 0 gets the sum. Every thread of the workgroup must call it.
fn workgroup_sum(thread: u32, part: f32) -> f32 {
    parts[thread] = part;
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (thread < half) {
            parts[thread] += parts[thread + half];
        }
    }
    return parts[thread];
}
