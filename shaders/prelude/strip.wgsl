// Rows of cells under a strip of windows: STRIP windows one below the other, each STRIDE_Y rows below the last. A
// row that lies under several windows is loaded and searched once: the maximum of a window is that of the maxima
// of its rows.

// A row of cells.
struct Row {
    // Its number among the rows of the input.
    number: u32,
    inside: bool,
}

// The row that is cell_z, cell_y cells from the first cell of the first window.
fn input_row(at: Position, cell_z: u32, cell_y: u32) -> Row {
    let z = i32(at.z * STRIDE_Z + cell_z) - i32(params.pad_before.x);
    let y = i32(at.y * (STRIP * STRIDE_Y) + cell_y) - i32(params.pad_before.y);
    if !PADDED && STRIP == 1u {
        return Row((at.outer * input_size().x + u32(z)) * input_size().y + u32(y), true);
    }
    // The last windows of a strip may not exist.
    let slice = at.outer * input_size().x + nearest(z, input_size().x);
    return Row(slice * input_size().y + nearest(y, input_size().y), !PADDED || in_input(z, y, 0));
}

// Stores the maximum of window `number` of the strip, if there is one.
fn store_window(at: Position, number: u32, maximum: Maximum) {
    let y = at.y * STRIP + number;
    if STRIP > 1u && y >= pooled_size().y {
        return;
    }
    let extents = vec3<u32>(pooled_size().xy, params.extents.z);
    let item = address(extents, at.outer, at.z, y, at.x, at.inner);
    store_maximum(item, settled(maximum, first_tap(vec4<u32>(at.z), vec4<u32>(y), window_x(at))));
}
