// Unpooling, and the gradient of max pooling, as max_unpool_block.wgsl, where a pixel is one element (channels
// first), the rows of the input and of the pooled tensor divide by four, and taps are bytes. A work item owns
// four stride blocks that are adjacent in a row of the output. On x, blocks are counted without the padding,
// so that four cells are stored at once.
//
// `unpool` is written for the window by src/gpu/kernel/generated.rs.

// Four stride blocks in a row.
struct Blocks {
    // x counts vec4s of blocks.
    at: Position,
    // The windows that start the blocks.
    z: u32,
    y: u32,
}

// Four adjacent windows of the row of windows that is before_z, before_y rows before the blocks' own: vec4
// `number` of the row, counted from `before` vec4s in front of the work item's.
fn load_windows(blocks: Blocks, before_z: u32, before_y: u32, number: u32, before: u32) -> Pooled {
    // A coordinate before the first window wraps to a number larger than any extent.
    let z = blocks.z - before_z;
    let y = blocks.y - before_y;
    let x = blocks.at.x + number - before;
    let width = pooled_size().z / 4u;
    let exists = z < pooled_size().x && y < pooled_size().y && x < width;
    let slice = blocks.at.outer * pooled_size().x + min(z, pooled_size().x - 1u);
    let row = slice * pooled_size().y + min(y, pooled_size().y - 1u);
    let source = row * width + min(x, width - 1u);
    return pooled(load(source), load_taps(source), vec4<bool>(exists));
}

// Stores vec4 `number` of the cells in row rz, ry of the blocks, if the output has them.
fn store_cells(blocks: Blocks, rz: u32, ry: u32, number: u32, elements: vec4<u32>) {
    // A coordinate before the input wraps to a number larger than any extent.
    let z = blocks.z * STRIDE_Z + rz - params.pad_before.x;
    let y = blocks.y * STRIDE_Y + ry - params.pad_before.y;
    let x = blocks.at.x * STRIDE_X + number;
    let width = input_size().z / 4u;
    let inside = z < input_size().x && y < input_size().y && x < width;
    let row = (blocks.at.outer * input_size().x + z) * input_size().y + y;
    store(row * width + x, elements, inside);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn max_unpool_row(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = work_item(workgroup, local);
    if item == NONE {
        return;
    }
    let at = position(item);
    unpool(Blocks(at, at.z + params.first_block.x, at.y + params.first_block.y));
}
