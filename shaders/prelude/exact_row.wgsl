// Loads and exact sums of max_unpool_row.wgsl where four elements are four lanes.

// For each lane window x of a row, in the lane's channel.
fn load_windows_at(cells: RowCells, row: WindowRow, x: vec4<u32>) -> Pooled {
    // A coordinate before the first window wraps to a number larger than any extent.
    let exists = x < vec4<u32>(pooled_size().z);
    var source = row.first + min(x, vec4<u32>(pooled_size().z - 1u));
    if !ONE_ELEMENT_PER_PIXEL {
        source = source * params.inner + cells.inner;
    }
    let taps = select(vec4<u32>(NONE), load_taps(source), vec4<bool>(row.exists) & exists);
    return pooled(load(source), taps);
}

// Four adjacent windows of a row: the first is `offset` windows from those that start the cells' own stride
// blocks.
fn load_windows(cells: RowCells, row: WindowRow, offset: i32) -> Pooled {
    let first = cells.number * (4u / STRIDE_X) + u32(offset);
    return load_windows_at(cells, row, vec4<u32>(first) + vec4<u32>(0u, 1u, 2u, 3u));
}

// Stores the elements of the strip, with exact sums.
fn unpool_exactly(cells: RowCells) {
    var at: Position;
    at.outer = vec4<u32>(cells.outer);
    at.inner = cells.inner;
    at.exists = vec4<bool>(true);
    for (var row = 0u; row < STRIDE_Z * STRIP * STRIDE_Y; row++) {
        let rz = row / (STRIP * STRIDE_Y);
        let ry = row % (STRIP * STRIDE_Y);
        let z = vec4<u32>(cells.z * STRIDE_Z + rz);
        let y = vec4<u32>(cells.y * STRIDE_Y + ry);
        store_cells(cells, rz, ry, gather(at, z, y, cells.x));
    }
}
