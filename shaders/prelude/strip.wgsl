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

// Stores the maximum of window `number` of the strip, if there is one. `first_tap_of` is that of the shader.
fn store_window(at: Position, number: u32, maximum: Maximum) {
    let y = at.y * STRIP + number;
    if STRIP > 1u && y >= pooled_size().y {
        return;
    }
    let row = (at.outer * pooled_size().x + at.z) * pooled_size().y + y;
    let pixel = row * params.extents.z + at.x;
    let item = select(pixel * params.inner + at.inner, pixel, ONE_ELEMENT_PER_PIXEL);
    store_maximum(item, settled(maximum, first_tap_of(at, number)));
}
