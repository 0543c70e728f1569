// Unpooling, and the gradient of max pooling, channels first: as max_unpool_blocks.wgsl, but the four
// stride blocks of a unit are adjacent in a row of the output, counted without padding on x so that
// four cells are stored at a time. For rows that divide by four, of the input and of the pooled tensor,
// and taps of one byte. `unpool` is written for the window by src/gpu/unrolled.rs.

// Four stride blocks in a row.
struct Blocks {
    // x counts fours of blocks.
    at: Place,
    // The windows that start them.
    z: u32,
    y: u32,
}

// Four windows of a row.
struct Four {
    // Where they are in the pooled tensor, or the nearest that are there.
    source: u32,
    exists: bool,
}

// In the row that lies jz, jy before the blocks' own, fours `number` counted from `before` ahead of
// the thread's.
fn four_of(blocks: Blocks, jz: u32, jy: u32, number: u32, before: u32) -> Four {
    // What lies before the first window wraps to a huge number.
    let wz = blocks.z - jz;
    let wy = blocks.y - jy;
    let four = blocks.at.x + number - before;
    let fours = pooled_size().z / 4u;
    let exists = wz < pooled_size().x && wy < pooled_size().y && four < fours;
    let slice = blocks.at.outer * pooled_size().x + min(wz, pooled_size().x - 1u);
    let row = slice * pooled_size().y + min(wy, pooled_size().y - 1u);
    return Four(row * fours + min(four, fours - 1u), exists);
}

fn hold(four: Four) -> Held {
    return held(load(four.source), load_taps(four.source), vec4<bool>(four.exists));
}

// The only one of them that the blocks ask, in every lane.
fn hold_single(four: Four, lane: u32) -> Held {
    return held(
        vec4<u32>(load_single(four.source, lane)),
        vec4<u32>(load_taps(four.source)[lane]),
        vec4<bool>(four.exists),
    );
}

// Stores number `four` of the fours of cells in row rz, ry of the blocks, if they are there.
fn put_four(blocks: Blocks, rz: u32, ry: u32, four: u32, cells: vec4<u32>) {
    let z = blocks.z * STRIDE_Z + rz - params.before.x;
    let y = blocks.y * STRIDE_Y + ry - params.before.y;
    let x = blocks.at.x * STRIDE_X + four;
    let fours = input_size().z / 4u;
    // What lies before the input wraps to a huge number.
    let inside = z < input_size().x && y < input_size().y && x < fours;
    let row = (blocks.at.outer * input_size().x + z) * input_size().y + y;
    store(row * fours + x, cells, blocks.at.exists && inside);
}

// Those of the second unit of a thread.
fn beside_blocks(blocks: Blocks) -> Blocks {
    var next = blocks;
    next.at = beside(blocks.at);
    return next;
}

@compute @workgroup_size(WORKGROUP)
fn max_unpool_rows(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let at = place(turn(workgroup, local));
    unpool(Blocks(at, at.z + params.first_block.x, at.y + params.first_block.y));
}
