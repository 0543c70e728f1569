// Unpooling, and the gradient of max pooling, where the elements of a row, pixels times channels, do not divide
// by four: the tensor is flat memory all the same. A work item owns four elements that are adjacent in memory,
// in one row or in two, and gathers each from the windows that cover it.
//
// tensor_in: the pooled values. taps_in: the tap of each. tensor_out: the unpooled tensor.
//
// `unpool` is written for the window by src/gpu/kernel/generated.

// A row of cells, counted with the padding.
struct CellRow {
    outer: u32,
    z: u32,
    y: u32,
}

// Four adjacent elements.
struct FlatCells {
    item: u32,
    // The row of the first, and the next row.
    row: CellRow,
    next: CellRow,
    in_next: vec4<bool>,
    // For each lane its cell on x, counted with the padding, and its channel.
    x: vec4<u32>,
    inner: vec4<u32>,
}

// Rows of windows over the cells' two rows.
struct WindowRows {
    // Numbers of their first windows in the pooled tensor, for each lane.
    first: vec4<u32>,
    // For each lane the tap of the first cell of its row in such a window, or a number larger than every tap.
    taps: vec4<u32>,
}

// The tap, on one axis, of the cell that is `cell` cells into the window `before` windows earlier.
fn tap_of_cell(cell: u32, before: u32, stride: u32, kernel: u32, dilation: u32) -> u32 {
    let offset = cell + before * stride;
    if dilation == 1u && (before + 1u) * stride <= kernel {
        return offset;
    }
    let tap = offset / dilation;
    return select(NO_TAP, tap, offset % dilation == 0u && tap < kernel);
}

// The row of windows that is before_z, before_y rows before the one that starts the stride block of a row of
// cells: the number of its first window, and the tap.
fn window_row(cells: CellRow, before_z: u32, before_y: u32) -> vec2<u32> {
    // A coordinate before the first window wraps to a number larger than any extent.
    let z = cells.z / STRIDE_Z - before_z;
    let y = cells.y / STRIDE_Y - before_y;
    let tap_z = tap_of_cell(cells.z % STRIDE_Z, before_z, STRIDE_Z, KERNEL_Z, DILATION_Z);
    let tap_y = tap_of_cell(cells.y % STRIDE_Y, before_y, STRIDE_Y, KERNEL_Y, DILATION_Y);
    let exists = z < pooled_size().x && y < pooled_size().y;
    let slice = cells.outer * pooled_size().x + min(z, pooled_size().x - 1u);
    let row = slice * pooled_size().y + min(y, pooled_size().y - 1u);
    let tap = select(NO_TAP, (tap_z * KERNEL_Y + tap_y) * KERNEL_X, exists);
    return vec2<u32>(row * pooled_size().z, tap);
}

fn window_rows(cells: FlatCells, before_z: u32, before_y: u32) -> WindowRows {
    let own = window_row(cells.row, before_z, before_y);
    var next = own;
    if cells.in_next.w {
        next = window_row(cells.next, before_z, before_y);
    }
    return WindowRows(
        select(vec4<u32>(own.x), vec4<u32>(next.x), cells.in_next),
        select(vec4<u32>(own.y), vec4<u32>(next.y), cells.in_next),
    );
}

fn unpool_exactly(cells: FlatCells) -> vec4<u32> {
    let at = position(cells.item);
    let pads = params.pad_before;
    return gather(at, at.z + pads.x, at.y + pads.y, at.x + pads.z);
}

// The elements of a work item: those of the first, counted on for the others.
fn flat_cells(item: u32) -> FlatCells {
    let first = coordinates(item * 4u);
    let pads = params.pad_before;
    var row = CellRow(first.outer, first.z, first.y);
    var next = CellRow(first.outer, first.z, first.y + 1u);
    let extents = with_constant_axes(params.extents);
    if next.y == extents.y {
        next.y = 0u;
        next.z++;
    }
    if next.z == extents.x {
        next.z = 0u;
        next.outer++;
    }
    if SPATIAL_AXES > 2u {
        row.z += pads.x;
        next.z += pads.x;
    }
    row.y += pads.y;
    next.y += pads.y;
    var x = vec4<u32>(first.x);
    var inner = vec4<u32>(first.inner);
    var in_next = vec4<bool>(false);
    for (var lane = 1u; lane < 4u; lane++) {
        let is_last = ONE_ELEMENT_PER_PIXEL || inner[lane - 1u] + 1u == params.inner;
        inner[lane] = select(inner[lane - 1u] + 1u, 0u, is_last);
        let lane_x = x[lane - 1u] + select(0u, 1u, is_last);
        let is_past = lane_x == params.extents.z;
        x[lane] = select(lane_x, 0u, is_past);
        in_next[lane] = in_next[lane - 1u] || is_past;
    }
    return FlatCells(item, row, next, in_next, x + pads.z, inner);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn max_unpool_flat(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = work_item(workgroup, local);
    if item == NONE {
        return;
    }
    store_item(item, unpool(flat_cells(item)));
}
