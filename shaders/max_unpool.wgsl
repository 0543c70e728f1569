// Unpooling, and the gradient of max pooling: tensor_in holds the pooled values, taps_in where each
// belongs, tensor_out is the unpooled tensor. Nothing is scattered: a thread owns cells of the
// output, asks the windows that hold them, and writes each once, zeros included.
//
// A stride block is the cells from the start of one window to the start of the next. Cell r of
// block q is offset r + j·stride of window q − j, and that is a tap of the window when it is a
// multiple of the dilation inside the kernel. Each axis is tested on its own: a row's last tap is
// not the next row's first. Windows are asked in raster order, so `last` and `sum` are the same
// whatever the device.

// Windows that can hold one cell, per axis: ceil(((kernel − 1)·dilation + 1) / stride).
override WINDOWS_Z: u32 = 1u;
override WINDOWS_Y: u32 = 1u;
override WINDOWS_X: u32 = 1u;
// Whether values that meet in a cell are summed; else the last stays.
override SUMMED: bool = false;

// A tap's number on one axis, or no cell: `offset` cells into the window.
fn tap_at(offset: Coord, kernel: u32, dilation: u32) -> Coord {
    let fits = (offset < Coord(kernel * dilation)) & (offset % dilation == Coord(0u));
    return select(Coord(NO_CELL), offset / dilation, fits);
}

// What the cells r of blocks q get.
fn gather(
    at: Place,
    qz: Coord, qy: Coord, qx: Coord,
    rz: Coord, ry: Coord, rx: Coord,
) -> vec4<u32> {
    var last = vec4<u32>(0u);
    var sum = Sum(vec4<u32>(0u), vec4<u32>(0u));
    for (var jz = WINDOWS_Z; jz > 0u; jz--) {
        let wz = qz - Coord(jz - 1u);
        let tz = tap_at(rz + Coord((jz - 1u) * STRIDE_Z), KERNEL_Z, DILATION_Z);
        let holds_z = at.exists & (wz < Coord(params.pooled.x)) & (tz != Coord(NO_CELL));
        for (var jy = WINDOWS_Y; jy > 0u; jy--) {
            let wy = qy - Coord(jy - 1u);
            let ty = tap_at(ry + Coord((jy - 1u) * STRIDE_Y), KERNEL_Y, DILATION_Y);
            let holds_y = holds_z & (wy < Coord(params.pooled.y)) & (ty != Coord(NO_CELL));
            for (var jx = WINDOWS_X; jx > 0u; jx--) {
                let wx = qx - Coord(jx - 1u);
                let tx = tap_at(rx + Coord((jx - 1u) * STRIDE_X), KERNEL_X, DILATION_X);
                let holds = holds_y & (wx < Coord(params.pooled.z)) & (tx != Coord(NO_CELL));
                if !some(holds) {
                    continue;
                }
                let source = address(params.pooled, at.outer, wz, wy, wx, at.inner);
                let tap = (tz * KERNEL_Y + ty) * KERNEL_X + tx;
                let hit = vec4<bool>(holds) & (load_taps(source, holds) == vec4<u32>(tap));
                if any(hit) {
                    let cells = load(source, holds);
                    if SUMMED {
                        sum = sum_with(sum, cells, hit);
                    } else {
                        last = select(last, cells, hit);
                    }
                }
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
    let number = thread(workgroup, local);
    if number >= params.units {
        return;
    }
    let unit = params.first + number;
    let at = place(unit, params.input);
    let z = at.z + Coord(params.before.x);
    let y = at.y + Coord(params.before.y);
    let x = at.x + Coord(params.before.z);
    store_unit(unit, gather(
        at,
        z / STRIDE_Z, y / STRIDE_Y, x / STRIDE_X,
        z % STRIDE_Z, y % STRIDE_Y, x % STRIDE_X,
    ));
}

// A thread owns the stride block of its window, in four adjacent lanes.
@compute @workgroup_size(WORKGROUP)
fn max_unpool_blocks(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let number = thread(workgroup, local);
    if number >= params.units {
        return;
    }
    let at = place(params.first + number, params.blocks);
    let qz = at.z + Coord(params.first_block.x);
    let qy = at.y + Coord(params.first_block.y);
    let qx = at.x + Coord(params.first_block.z);

    // One window a block: its value and tap are read once, whatever the number of cells.
    let single = WINDOWS_Z == 1u && WINDOWS_Y == 1u && WINDOWS_X == 1u;
    var cells = vec4<u32>(0u);
    var taps = vec4<u32>(NO_CELL);
    if single {
        let has_window = at.exists & (qz < Coord(params.pooled.x)) & (qy < Coord(params.pooled.y))
            & (qx < Coord(params.pooled.z));
        if some(has_window) {
            let source = address(params.pooled, at.outer, qz, qy, qx, at.inner);
            taps = load_taps(source, has_window);
            cells = load(source, has_window);
            if SUMMED {
                cells = total(sum_with(
                    Sum(vec4<u32>(0u), vec4<u32>(0u)), cells, vec4<bool>(true),
                ));
            }
        }
    }

    for (var rz = 0u; rz < STRIDE_Z; rz++) {
        for (var ry = 0u; ry < STRIDE_Y; ry++) {
            for (var rx = 0u; rx < STRIDE_X; rx++) {
                let z = Signed(qz * STRIDE_Z + Coord(rz)) - Signed(i32(params.before.x));
                let y = Signed(qy * STRIDE_Y + Coord(ry)) - Signed(i32(params.before.y));
                let x = Signed(qx * STRIDE_X + Coord(rx)) - Signed(i32(params.before.z));
                let inside = at.exists & in_input(z, y, x);
                if !some(inside) {
                    continue;
                }
                var put = vec4<u32>(0u);
                if single {
                    let tz = tap_at(Coord(rz), KERNEL_Z, DILATION_Z);
                    let ty = tap_at(Coord(ry), KERNEL_Y, DILATION_Y);
                    let tx = tap_at(Coord(rx), KERNEL_X, DILATION_X);
                    let holds = (tz != Coord(NO_CELL)) & (ty != Coord(NO_CELL)) & (tx != Coord(NO_CELL));
                    let tap = vec4<u32>((tz * KERNEL_Y + ty) * KERNEL_X + tx);
                    put = select(put, cells, vec4<bool>(holds) & (taps == tap));
                } else {
                    put = gather(at, qz, qy, qx, Coord(rz), Coord(ry), Coord(rx));
                }
                store(
                    address(params.input, at.outer, Coord(z), Coord(y), Coord(x), at.inner),
                    put,
                    inside,
                );
            }
        }
    }
}
