// Unpooling by arbitrary indices that keeps the last value of a cell, in raster order. An atomic maximum finds
// the greatest number of an element that goes to each cell, whatever the order of the invocations. Passes:
// clear, locate, close_report, gather.

// For each cell, one more than the number of the element that it gets; 0 for a cell that gets none.
@group(0) @binding(6) var<storage, read_write> last: array<atomic<u32>>;

fn clear_cell(cell: u32) {
    atomicStore(&last[cell], 0u);
}

fn put_element(element: u32, cell: u32) {
    if cell != NONE {
        atomicMax(&last[cell], element + 1u);
    }
}

// A work item makes four adjacent cells of the output.
@compute @workgroup_size(WORKGROUP_SIZE)
fn scatter_gather(id: Invocation) {
    let item = invocation(id);
    var elements = vec4<u32>(0u);
    for (var lane = 0u; lane < 4u; lane++) {
        let cell = item * 4u + lane;
        if cell < params.cells {
            let element = atomicLoad(&last[cell]);
            if element > 0u {
                elements[lane] = load_value(element - 1u);
            }
        }
    }
    store_cells(item, elements);
}
