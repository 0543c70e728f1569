// One thread for each of params.count vectors: the end of a kernel of short vectors, or of vectors whose elements lie
// apart, where threads side by side read elements side by side.

// Threads that share a vector.
const SHARES: u32 = 1u;

// The sum of what those threads have.
fn shared_sum(thread: u32, part: f32) -> f32 {
    return part;
}

// The largest of what they have.
fn shared_max(thread: u32, part: f32) -> f32 {
    return part;
}

fn run(i: u32) {
    run_share(i, 0u);
}
