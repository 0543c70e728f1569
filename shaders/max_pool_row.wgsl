// Max pooling with argmax, as max_pool.wgsl, where a pixel is one element (channels first) and the rows of
// the input and of the pooled tensor divide by four. A work item makes four values that are adjacent in a
// row; the cells of their windows are loaded as vec4s of the row.
//
// `find_maximum` and `store_maximum` are written for the window by src/gpu/kernel/generated.rs.

// The maximum before the first comparison.
fn least_of(at: Position) -> Maximum {
    let x = vec4<u32>(at.x * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
    return least(first_tap(vec4<u32>(at.z), vec4<u32>(at.y), x));
}

// A row of cells under a row of windows.
struct Row {
    // Number of its first vec4 in the input.
    first: u32,
    inside: bool,
}

// The row of cells that is tap_z, tap_y taps into the windows.
fn input_row(at: Position, tap_z: u32, tap_y: u32) -> Row {
    let z = i32(at.z * STRIDE_Z + tap_z * DILATION_Z) - i32(params.pad_before.x);
    let y = i32(at.y * STRIDE_Y + tap_y * DILATION_Y) - i32(params.pad_before.y);
    let slice = at.outer * input_size().x + nearest(z, input_size().x);
    let row = slice * input_size().y + nearest(y, input_size().y);
    return Row(row * (input_size().z / 4u), !PADDED || in_input(z, y, 0));
}

// Four adjacent cells of a row: vec4 `number` of those that the four windows span, counted from `before`
// vec4s in front of the windows' own.
fn load_of_row(at: Position, row: Row, number: u32, before: u32) -> vec4<u32> {
    var column = i32(at.x * STRIDE_X + number) - i32(before);
    if PADDED {
        column = clamp(column, 0, i32(input_size().z / 4u) - 1);
    }
    return load(row.first + u32(column));
}

// The maximum after the cells that are tap_x taps into a row of the windows.
fn compare_of_row(
    maximum: Maximum, at: Position, row: Row, elements: vec4<u32>, keys: Keys, tap: u32, tap_x: u32,
) -> Maximum {
    var inside = vec4<bool>(row.inside);
    if PADDED {
        let first = i32(at.x * 4u * STRIDE_X + tap_x * DILATION_X) - i32(PAD_BEFORE_X);
        let x = vec4<i32>(first) + vec4<i32>(0, 1, 2, 3) * i32(STRIDE_X);
        // A coordinate before the input wraps to a number larger than any extent.
        let in_row = vec4<u32>(x) < vec4<u32>(input_size().z);
        inside = inside & in_row;
    }
    return compare(maximum, elements, keys, inside, tap);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn max_pool_row(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = work_item(workgroup, local);
    if item == NONE {
        return;
    }
    store_maximum(item, find_maximum(position(item)));
}
