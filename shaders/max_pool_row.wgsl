// Max pooling, with argmax or without, as max_pool.wgsl, where a pixel is one element (channels first) and the lengths
// of the rows of the input and of the pooled tensor are multiples of four. A work item makes four values that are
// adjacent in a row, in each row of a strip of windows (strip.wgsl); the cells of their windows are loaded as vec4s.
//
// `pool` and `store_maximum` are written for the window by src/gpu/kernel/generated.

// Vec4 `number` of the cells that the four windows span in a row, counted from `before` vec4s in front of the
// windows' own.
fn load_cells(at: Position, row: Row, number: u32, before: u32) -> Maximum {
    let column = i32(at.x * STRIDE_X + number) - i32(before);
    // A row divides by four: a vec4 lies in it as a whole, or not at all.
    let width = input_size().z / 4u;
    var in_row = u32(column);
    var inside = true;
    if PADDED {
        in_row = u32(clamp(column, 0, i32(width) - 1));
        inside = row.inside && u32(column) < width;
    }
    return maximum_of_cells(load(row.number * width + in_row), vec4<bool>(inside), 0u);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn max_pool_row(id: Invocation) {
    let item = work_item(id);
    if item != NONE {
        pool(position(item));
    }
}
