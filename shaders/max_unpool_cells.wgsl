// Unpooling, and the gradient of max pooling, as max_unpool_blocks.wgsl, but a thread owns four
// adjacent cells of the output: for blocks of many cells, for cells in many windows, and for small
// elements, whose blocks would share words.

// Windows that can hold one cell, per axis: ceil(((kernel − 1)·dilation + 1) / stride).
override WINDOWS_Z: u32 = 1u;
override WINDOWS_Y: u32 = 1u;
override WINDOWS_X: u32 = 1u;

// A tap's number on one axis, or no cell: `offset` cells into the window.
fn tap_at(offset: Coord, kernel: u32, dilation: u32) -> Coord {
    let fits = (offset < Coord(kernel * dilation)) & (offset % dilation == Coord(0u));
    return select(Coord(NO_CELL), offset / dilation, fits);
}

// What the cells r of blocks q get: their windows are asked one by one.
fn gather(
    at: Place,
    qz: Coord, qy: Coord, qx: Coord,
    rz: Coord, ry: Coord, rx: Coord,
) -> vec4<u32> {
    var last = vec4<u32>(0u);
    var sum = Sum(vec4<u32>(0u), vec4<u32>(0u));
    // One loop, not three: as in max_pool.wgsl.
    for (var window = WINDOWS_Z * WINDOWS_Y * WINDOWS_X; window > 0u; window--) {
        let jz = (window - 1u) / (WINDOWS_Y * WINDOWS_X);
        let jy = (window - 1u) / WINDOWS_X % WINDOWS_Y;
        let jx = (window - 1u) % WINDOWS_X;
        // What lies before the first window wraps to a huge number.
        let wz = qz - Coord(jz);
        let wy = qy - Coord(jy);
        let wx = qx - Coord(jx);
        let tz = tap_at(rz + Coord(jz * STRIDE_Z), KERNEL_Z, DILATION_Z);
        let ty = tap_at(ry + Coord(jy * STRIDE_Y), KERNEL_Y, DILATION_Y);
        let tx = tap_at(rx + Coord(jx * STRIDE_X), KERNEL_X, DILATION_X);
        // Step by step, as in `in_input`.
        let in_z = (wz < Coord(pooled_size().x)) & (tz != Coord(NO_CELL));
        let in_y = (wy < Coord(pooled_size().y)) & (ty != Coord(NO_CELL));
        let in_x = (wx < Coord(pooled_size().z)) & (tx != Coord(NO_CELL));
        let in_slice = in_y & in_x;
        let in_tensor = in_z & in_slice;
        let holds = at.exists & in_tensor;
        if !some(holds) {
            continue;
        }
        let source = address(
            pooled_size(),
            at.outer,
            min(wz, Coord(pooled_size().x - 1u)),
            min(wy, Coord(pooled_size().y - 1u)),
            min(wx, Coord(pooled_size().z - 1u)),
            at.inner,
        );
        let tap = (tz * KERNEL_Y + ty) * KERNEL_X + tx;
        let hit = vec4<bool>(holds) & (load_taps(source) == vec4<u32>(tap));
        if any(hit) {
            let cells = load(source);
            if SUMMED {
                sum = sum_with(sum, cells, hit);
            } else {
                last = select(last, cells, hit);
            }
        }
    }
    if SUMMED {
        return total(sum);
    }
    return last;
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
