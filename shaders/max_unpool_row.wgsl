// Unpooling, and the gradient of max pooling, where the elements of a row, pixels times channels, divide by
// four. A work item owns four adjacent elements, or 16 bytes of elements of 16 or 8 bits (row_words.wgsl), in each
// row of a stride block: the rows from the start of one window to the start of the next, on z and y. Where windows
// overlap and the stride on y is 1, it owns a strip of STRIP blocks, one below the other. Adjacent work items store
// adjacent bytes.
//
// tensor_in: the pooled values. taps_in: the tap of each. tensor_out: the unpooled tensor.
//
// `unpool` is written for the window by src/gpu/kernel/generated. Where a pixel is one element and the stride on x
// divides four, the windows of each lane are constants of the code, counted from a window that `RowCells` gives, and
// each window is loaded once (by `load_windows`, or as a part of a vec4 where the stride is 1: windows_vec4.wgsl).
// Elsewhere each lane loads the windows of its own cell (`load_windows_at`).

// Four adjacent elements of a row, in each row of a strip of stride blocks.
struct RowCells {
    outer: u32,
    // The window that starts the first block.
    z: u32,
    y: u32,
    // Number of the vec4 in its row.
    number: u32,
    // For each lane its cell on x, counted with the padding, and its channel.
    x: vec4<u32>,
    inner: vec4<u32>,
}

// A row of windows.
struct WindowRow {
    // Number of its first window in the pooled tensor.
    first: u32,
    exists: bool,
}

// The row of windows that is after_z, after_y rows after the one that starts the strip.
fn window_row(cells: RowCells, after_z: i32, after_y: i32) -> WindowRow {
    // A coordinate before the first window wraps to a number larger than any extent.
    let z = cells.z + u32(after_z);
    let y = cells.y + u32(after_y);
    let exists = z < pooled_size().x && y < pooled_size().y;
    let slice = cells.outer * pooled_size().x + min(z, pooled_size().x - 1u);
    let row = slice * pooled_size().y + min(y, pooled_size().y - 1u);
    return WindowRow(row * pooled_size().z, exists);
}

// Stores the elements in row rz, ry of the strip, if the output has the row.
fn store_cells(cells: RowCells, rz: u32, ry: u32, elements: vec4<u32>) {
    // A coordinate before the input wraps to a number larger than any extent.
    let z = cells.z * STRIDE_Z + rz - params.pad_before.x;
    let y = cells.y * STRIDE_Y + ry - params.pad_before.y;
    if z < input_size().x && y < input_size().y {
        let row = (cells.outer * input_size().x + z) * input_size().y + y;
        store_item(row * params.extents.z + cells.number, elements);
    }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn max_unpool_row(id: Invocation) {
    let item = work_item(id);
    if item == NONE {
        return;
    }
    let at = pixel_coordinates(item, 0u);
    let element = vec4<u32>(at.x * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
    var x = element;
    var inner = vec4<u32>(0u);
    if !ONE_ELEMENT_PER_PIXEL {
        x = element / params.inner;
        inner = element - x * params.inner;
    }
    let z = at.z + params.first_block.x;
    let y = at.y * STRIP + params.first_block.y;
    unpool(RowCells(at.outer, z, y, at.x, x + params.pad_before.z, inner));
}
