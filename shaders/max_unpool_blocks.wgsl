// Unpooling, and the gradient of max pooling: tensor_in holds the pooled values, taps_in where each
// belongs, tensor_out is the unpooled tensor. Nothing is scattered: a thread owns cells of the
// output, asks the windows that hold them, and writes each once, zeros included.
//
// A stride block is the cells from the start of one window to the start of the next. Cell r of
// block q is offset r + j·stride of window q − j, and that is a tap of the window when it is a
// multiple of the dilation inside the kernel. Each axis is tested on its own: a row's last tap is
// not the next row's first. Windows are asked in raster order, so `last` and `sum` are the same
// whatever the device.
//
// `unpool`, which holds the windows and puts the cells, is written for the window by
// src/gpu/unrolled.rs.

// Whether some block lacks one of its windows, or has more than one.
override SPARE: bool = true;

// Stride blocks in four lanes.
struct Blocks {
    turn: Turn,
    at: Place,
    // The windows that start them.
    z: Coord,
    y: Coord,
    x: Coord,
    // Where their first cells are in the output: a number that wraps for those in the padding.
    first: Coord,
}

// The windows that lie jz, jy, jx before those that start the blocks.
fn hold(blocks: Blocks, jz: u32, jy: u32, jx: u32) -> Held {
    if !SPARE {
        // A window for each block: a unit of blocks is one of windows, too.
        return held(load_unit(blocks.turn), load_unit_taps(blocks.turn), vec4<bool>(true));
    }
    // What lies before the first window wraps to a huge number.
    let wz = blocks.z - Coord(jz);
    let wy = blocks.y - Coord(jy);
    let wx = blocks.x - Coord(jx);
    let in_z = wz < Coord(pooled_size().x);
    let in_y = wy < Coord(pooled_size().y);
    let in_x = wx < Coord(pooled_size().z);
    let in_slice = in_y & in_x;
    let source = address(
        pooled_size(),
        blocks.at.outer,
        min(wz, Coord(pooled_size().x - 1u)),
        min(wy, Coord(pooled_size().y - 1u)),
        min(wx, Coord(pooled_size().z - 1u)),
        blocks.at.inner,
    );
    return held(load(source), load_taps(source), vec4<bool>(in_z & in_slice));
}

// Stores the cells that are rz, ry, rx into the blocks, where there are such.
fn put_cell(blocks: Blocks, rz: u32, ry: u32, rx: u32, cells: vec4<u32>) {
    var inside = blocks.at.exists;
    if PADDED {
        let z = Signed(blocks.z * STRIDE_Z + Coord(rz)) - Signed(i32(params.before.x));
        let y = Signed(blocks.y * STRIDE_Y + Coord(ry)) - Signed(i32(params.before.y));
        let x = Signed(blocks.x * STRIDE_X + Coord(rx)) - Signed(i32(params.before.z));
        let in_tensor = in_input(z, y, x);
        inside = inside & in_tensor;
    }
    var on = (rz * input_size().y + ry) * input_size().z + rx;
    if !SOLE {
        on *= params.inner;
    }
    store(blocks.first + Coord(on), cells, inside);
}

// Those of the second unit of a thread.
fn beside_blocks(blocks: Blocks) -> Blocks {
    var next = blocks;
    next.turn = second(blocks.turn);
    next.at = beside(blocks.at);
    next.first = blocks.first + Coord(1u);
    return next;
}

@compute @workgroup_size(WORKGROUP)
fn max_unpool_blocks(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let turn = turn(workgroup, local);
    let at = place(turn);
    let z = at.z + Coord(params.first_block.x);
    let y = at.y + Coord(params.first_block.y);
    let x = at.x + Coord(params.first_block.z);
    let first = address(
        input_size(),
        at.outer,
        z * STRIDE_Z - Coord(params.before.x),
        y * STRIDE_Y - Coord(params.before.y),
        x * STRIDE_X - Coord(params.before.z),
        at.inner,
    );
    unpool(Blocks(turn, at, z, y, x, first));
}
