// The windows of a work item where their rows divide by four: adjacent in a row.

// The coordinate of each on x.
fn window_x(at: Position) -> vec4<u32> {
    return vec4<u32>(at.x * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
}
