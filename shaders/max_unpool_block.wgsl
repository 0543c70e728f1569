// Unpooling, and the gradient of max pooling, where channels come last and their number is a multiple of four, by
// stride blocks: the cells from the start of one window to the start of the next, on each axis. A work item owns four
// channels of one block of the output, or 8 or 16 channels where elements of 16 or 8 bits stay in words (words.wgsl).
// Where windows overlap and the stride on y is 1, it owns them in a strip of STRIP blocks, one below the other. It
// loads the value and the tap of each window that covers a cell of its blocks once, and stores each cell once, zeros
// included: nothing is scattered.
//
// tensor_in: the pooled values. taps_in: the tap of each. tensor_out: the unpooled tensor.
//
// Cell r of block q has offset r + j·stride in window q − j, and is a tap of that window where the offset is a
// multiple of the dilation and inside the kernel. Each axis is tested by itself: the last tap of a row is not
// the first of the next. Cells accumulate from windows in raster order, so that the last value and the sum are
// the same on every device.
//
// `unpool`, which loads the windows and stores the cells, is written for the window by
// src/gpu/kernel/generated.

// The channels that a work item owns, of a stride block or of a strip.
struct Block {
    item: u32,
    at: Position,
    // The window that starts the (first) block.
    z: u32,
    y: u32,
    x: u32,
    // Address of the first cell of the block in the output; it wraps for a block that starts in the padding.
    first: u32,
}

// The window that is after_z, after_y, after_x windows after the one that starts the strip.
fn load_window(block: Block, after_z: i32, after_y: i32, after_x: i32) -> Pooled {
    if BLOCKS_ARE_WINDOWS {
        return pooled(load(block.item), load_taps_of_item(block.item, true));
    }
    // A coordinate before the first window wraps to a number larger than any extent.
    let z = block.z + u32(after_z);
    let y = block.y + u32(after_y);
    let x = block.x + u32(after_x);
    let exists = z < pooled_size().x && y < pooled_size().y && x < pooled_size().z;
    let source = address(
        pooled_size(),
        block.at.outer,
        min(z, pooled_size().x - 1u),
        min(y, pooled_size().y - 1u),
        min(x, pooled_size().z - 1u),
        block.at.inner,
    );
    return pooled(load(source), load_taps_of_item(source, exists));
}

// Stores the cell that is rz, ry, rx cells into the strip, if the output has it.
fn store_cell(block: Block, rz: u32, ry: u32, rx: u32, elements: vec4<u32>) {
    var inside = true;
    if PADDED {
        let pads = vec3<i32>(params.pad_before);
        let z = i32(block.z * STRIDE_Z + rz) - pads.x;
        let y = i32(block.y * STRIDE_Y + ry) - pads.y;
        let x = i32(block.x * STRIDE_X + rx) - pads.z;
        inside = in_input(z, y, x);
    }
    let offset = ((rz * input_size().y + ry) * input_size().z + rx) * params.inner;
    if inside {
        store_item(block.first + offset, elements);
    }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn max_unpool_block(id: Invocation) {
    let item = work_item(id);
    if item == NONE {
        return;
    }
    let at = position(item);
    let z = at.z + params.first_block.x;
    let y = at.y * STRIP + params.first_block.y;
    let x = at.x + params.first_block.z;
    let first = address(
        input_size(),
        at.outer,
        z * STRIDE_Z - params.pad_before.x,
        y * STRIDE_Y - params.pad_before.y,
        x * STRIDE_X - params.pad_before.z,
        at.inner,
    );
    unpool(Block(item, at, z, y, x, first));
}
