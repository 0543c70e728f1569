// The number of a thread among all of a dispatch, whose grid is folded past 65,535 workgroups.
// Every kernel begins with this; `params` is its uniform at binding 0.

const THREADS: u32 = 64u;

fn element(workgroup: vec3<u32>, workgroups: vec3<u32>, thread: u32) -> u32 {
    return (workgroup.x + workgroup.y * workgroups.x) * THREADS + thread;
}
