// The windows of a work item where they may lie in different rows, or are channels of one window.

// The coordinate of each on x.
fn window_x(at: Position) -> vec4<u32> {
    return vec4<u32>(at.x);
}
