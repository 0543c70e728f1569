// Loads of max_unpool_row.wgsl where the stride on x is 1 and rows of windows divide by four.

// Vec4 `offset` of a row of windows, counted from the work item's own number.
fn load_vec4_of_windows(cells: RowCells, row: WindowRow, offset: i32) -> Pooled {
    let number = cells.number + u32(offset);
    let width = pooled_size().z / 4u;
    let source = row.first / 4u + min(number, width - 1u);
    let elements = unpack(tensor_in[source - params.input_base / 4u]);
    return pooled(elements, load_taps_of_item(source, row.exists && number < width));
}
