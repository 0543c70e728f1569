// Unpooling, and the gradient of max pooling, by stride blocks: the cells from the start of one window to the
// start of the next, on each axis. A work item owns four adjacent blocks of the output. It loads the value
// and the tap of each window that covers a cell of its blocks once, and stores each cell once, zeros included:
// nothing is scattered.
//
// tensor_in: the pooled values. taps_in: the tap of each. tensor_out: the unpooled tensor.
//
// Cell r of block q has offset r + j·stride in window q − j, and is a tap of that window where the offset is a
// multiple of the dilation and inside the kernel. Each axis is tested by itself: the last tap of a row is not
// the first of the next. Cells accumulate from windows in raster order, so that the last value and the sum are
// the same on every device.
//
// `unpool`, which loads the windows and stores the cells, is written for the window by
// src/gpu/kernel/generated.rs.

// Four stride blocks.
struct Blocks {
    item: u32,
    at: Position,
    // The windows that start the blocks.
    z: Coordinate,
    y: Coordinate,
    x: Coordinate,
    // Address of the first cell of each block in the output; it wraps for a block that starts in the padding.
    first: Coordinate,
}

// The windows that are before_z, before_y, before_x windows before those that start the blocks.
fn load_window(blocks: Blocks, before_z: u32, before_y: u32, before_x: u32) -> Pooled {
    if BLOCKS_ARE_WINDOWS {
        return pooled(load_item(blocks.item), load_taps_of_item(blocks.item), vec4<bool>(true));
    }
    // A coordinate before the first window wraps to a number larger than any extent.
    let z = blocks.z - Coordinate(before_z);
    let y = blocks.y - Coordinate(before_y);
    let x = blocks.x - Coordinate(before_x);
    let in_z = z < Coordinate(pooled_size().x);
    let in_y = y < Coordinate(pooled_size().y);
    let in_x = x < Coordinate(pooled_size().z);
    let in_slice = in_y & in_x;
    let source = address(
        pooled_size(),
        blocks.at.outer,
        min(z, Coordinate(pooled_size().x - 1u)),
        min(y, Coordinate(pooled_size().y - 1u)),
        min(x, Coordinate(pooled_size().z - 1u)),
        blocks.at.inner,
    );
    return pooled(load(source), load_taps(source), vec4<bool>(in_z & in_slice));
}

// Stores the cells that are rz, ry, rx cells into the blocks, where the output has them.
fn store_cell(blocks: Blocks, rz: u32, ry: u32, rx: u32, elements: vec4<u32>) {
    var inside = blocks.at.exists;
    if PADDED {
        let pads = vec3<i32>(params.pad_before);
        let z = SignedCoordinate(blocks.z * STRIDE_Z + Coordinate(rz)) - SignedCoordinate(pads.x);
        let y = SignedCoordinate(blocks.y * STRIDE_Y + Coordinate(ry)) - SignedCoordinate(pads.y);
        let x = SignedCoordinate(blocks.x * STRIDE_X + Coordinate(rx)) - SignedCoordinate(pads.z);
        let in_tensor = in_input(z, y, x);
        inside = inside & in_tensor;
    }
    var offset = (rz * input_size().y + ry) * input_size().z + rx;
    if !ONE_ELEMENT_PER_PIXEL {
        offset *= params.inner;
    }
    store(blocks.first + Coordinate(offset), elements, inside);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn max_unpool_block(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = work_item(workgroup, local);
    if item == NONE {
        return;
    }
    let at = position(item);
    let z = at.z + Coordinate(params.first_block.x);
    let y = at.y + Coordinate(params.first_block.y);
    let x = at.x + Coordinate(params.first_block.z);
    let first = address(
        input_size(),
        at.outer,
        z * STRIDE_Z - Coordinate(params.pad_before.x),
        y * STRIDE_Y - Coordinate(params.pad_before.y),
        x * STRIDE_X - Coordinate(params.pad_before.z),
        at.inner,
    );
    unpool(Blocks(item, at, z, y, x, first));
}
