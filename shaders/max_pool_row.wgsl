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

// Four adjacent cells of a row, and their keys.
struct CellsOfRow {
    elements: vec4<u32>,
    keys: Keys,
}

// Vec4 `number` of those that the four windows span, counted from `before` vec4s in front of the windows' own.
fn load_of_row(at: Position, row: Row, number: u32, before: u32) -> CellsOfRow {
    let column = i32(at.x * STRIDE_X + number) - i32(before);
    if !PADDED {
        let elements = load(row.first + u32(column));
        return CellsOfRow(elements, keys_of(elements, vec4<bool>(true)));
    }
    // A row divides by four: a vec4 lies in it as a whole, or not at all.
    let width = input_size().z / 4u;
    let elements = load(row.first + u32(clamp(column, 0, i32(width) - 1)));
    return CellsOfRow(elements, keys_of(elements, vec4<bool>(row.inside && u32(column) < width)));
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
