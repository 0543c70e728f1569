// Unpooling, and the gradient of max pooling, for windows that the other kernels do not serve: blocks of many
// cells and cells in many windows. A work item owns four adjacent cells of the output.
//
// tensor_in: the pooled values. taps_in: the tap of each. tensor_out: the unpooled tensor.

@compute @workgroup_size(WORKGROUP_SIZE)
fn max_unpool_cell(id: Invocation) {
    let item = work_item(id);
    if item == NONE {
        return;
    }
    let at = position(item);
    let z = at.z + Coordinate(params.pad_before.x);
    let y = at.y + Coordinate(params.pad_before.y);
    let x = at.x + Coordinate(params.pad_before.z);
    store_item(item, gather(at, z, y, x));
}
