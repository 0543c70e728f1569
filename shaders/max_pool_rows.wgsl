// Max pooling with argmax, channels first: as max_pool.wgsl, but the four pooled values of a unit are
// adjacent in a row, and so are their cells, which are loaded four at a time. For rows that divide by
// four, of the input and of the pooled tensor. `search` is written for the window by
// src/gpu/unrolled.rs.

// Padding before a row; here it decides which cells lie in one load.
override BEFORE_X: u32 = 0u;

// A row of the input under a row of the windows.
struct Row {
    // Number of its first four.
    line: u32,
    inside: bool,
}

// The row that is tz, ty taps into the windows.
fn row_of(at: Place, tz: u32, ty: u32) -> Row {
    let z = i32(at.z * STRIDE_Z + tz * DILATION_Z) - i32(params.before.x);
    let y = i32(at.y * STRIDE_Y + ty * DILATION_Y) - i32(params.before.y);
    let slice = at.outer * input_size().x + nearest(z, input_size().x);
    let line = (slice * input_size().y + nearest(y, input_size().y)) * (input_size().z / 4u);
    let inside = z >= 0 && z < i32(input_size().x) && y >= 0 && y < i32(input_size().y);
    return Row(line, !PADDED || inside);
}

// Where four `number` of those that four windows span is; they start `before` fours ahead of the
// windows' own.
fn four_of(at: Place, row: Row, number: u32, before: u32) -> u32 {
    var four = i32(at.x * STRIDE_X + number) - i32(before);
    if PADDED {
        four = clamp(four, 0, i32(input_size().z / 4u) - 1);
    }
    return row.line + u32(four);
}

// The only cell of a four that the windows hold, in every lane.
fn load_alone(four: u32, lane: u32) -> vec4<u32> {
    return vec4<u32>(load_single(four, lane));
}

// Looks at the cells that are tx taps into that row of the windows.
fn take_row(best: Best, at: Place, row: Row, cells: vec4<u32>, tap: u32, tx: u32) -> Best {
    var inside = vec4<bool>(row.inside);
    if PADDED {
        let x0 = i32(at.x * 4u * STRIDE_X + tx * DILATION_X) - i32(BEFORE_X);
        let x = vec4<i32>(x0) + vec4<i32>(0, 1, 2, 3) * i32(STRIDE_X);
        // What lies before the input wraps to a huge number.
        let in_row = vec4<u32>(x) < vec4<u32>(input_size().z);
        inside = inside & in_row;
    }
    return take(best, cells, inside, tap);
}

@compute @workgroup_size(WORKGROUP)
fn max_pool_rows(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    pool(turn(workgroup, local));
}
