// A workgroup for each of params.count vectors: the end of a kernel of long vectors, for workgroup_sum.wgsl.

// Threads that share a vector.
const SHARES: u32 = THREADS;

// The sum of what the threads have, for all of them.
fn shared_sum(thread: u32, part: f32) -> f32 {
    _ = workgroup_sum(thread, part);
    return workgroupUniformLoad(&parts[0]);
}

// The largest of what the threads have, for all of them.
fn shared_max(thread: u32, part: f32) -> f32 {
    parts[thread] = part;
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (thread < half) {
            parts[thread] = max(parts[thread], parts[thread + half]);
        }
    }
    return workgroupUniformLoad(&parts[0]);
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = workgroup.x + workgroup.y * workgroups.x;
    if (i < params.count) {
        run_share(i, thread);
    }
}
