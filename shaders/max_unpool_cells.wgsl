// Unpooling, and the gradient of max pooling, as max_unpool_blocks.wgsl, but a thread owns four
// adjacent cells of the output: for blocks of many cells, for cells in many windows, and for small
// elements, whose blocks would share words.

fn gather_values(source: Coord) -> vec4<u32> {
    return load(source);
}

fn gather_taps(source: Coord) -> vec4<u32> {
    return load_taps(source);
}

// A thread owns four adjacent cells of the output, whole words of any element.
@compute @workgroup_size(WORKGROUP)
fn max_unpool_cells(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let turn = turn(workgroup, local);
    let at = place(turn);
    let z = at.z + Coord(params.before.x);
    let y = at.y + Coord(params.before.y);
    let x = at.x + Coord(params.before.z);
    store_unit(turn, gather(
        at,
        z / STRIDE_Z, y / STRIDE_Y, x / STRIDE_X,
        z % STRIDE_Z, y % STRIDE_Y, x % STRIDE_X,
    ));
}
