// Max pooling, with argmax or without, as max_pool.wgsl, where channels come last, their number is a multiple of four,
// and windows overlap on y. A work item makes four channels of a strip of windows (strip.wgsl), or 8 or 16 channels
// where elements of 16 or 8 bits are compared in words (tagged_words.wgsl).
//
// `pool` and `store_maximum` are written for the window by src/gpu/kernel/generated.

// The cells of a row that are tap_x taps into the windows.
fn load_cell(at: Position, row: Row, tap_x: u32) -> Maximum {
    let x = i32(at.x * STRIDE_X + tap_x * DILATION_X) - i32(params.pad_before.z);
    var column = u32(x);
    var inside = true;
    if PADDED {
        column = nearest(x, input_size().z);
        inside = row.inside && in_input(0, 0, x);
    }
    let pixel = row.number * input_size().z + column;
    return maximum_of_cells(load(pixel * params.inner + at.inner), vec4<bool>(inside), tap_x);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn max_pool_strip(id: Invocation) {
    let item = work_item(id);
    if item != NONE {
        pool(position(item));
    }
}
