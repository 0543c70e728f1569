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
                let source = window_address(at, wz, wy, wx);
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
        }
    }
    if SUMMED {
        return total(sum);
    }
    return last;
}

// Where the value and the tap of a window are; of a window that is not there, those of one near it.
fn window_address(at: Place, wz: Coord, wy: Coord, wx: Coord) -> Coord {
    return address(
        params.pooled,
        at.outer,
        nearest(Signed(wz), params.pooled.x),
        nearest(Signed(wy), params.pooled.y),
        nearest(Signed(wx), params.pooled.z),
        at.inner,
    );
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
    let at = place(unit);
    let z = at.z + Coord(params.before.x);
    let y = at.y + Coord(params.before.y);
    let x = at.x + Coord(params.before.z);
    store_unit(unit, gather(
        at,
        z / STRIDE_Z, y / STRIDE_Y, x / STRIDE_X,
        z % STRIDE_Z, y % STRIDE_Y, x % STRIDE_X,
    ));
}

// Windows whose values and taps a thread holds in registers, each read once whatever the number of
// cells. Where more can meet in a cell, every cell is gathered by itself.
const HELD: u32 = 8u;
var<private> held_cells: array<vec4<u32>, HELD>;
var<private> held_taps: array<vec4<u32>, HELD>;

// The tap of cell r of a block in its window j, NO_CELL if it is none. All are constants once the
// loops are unrolled.
fn tap_in_window(r: vec3<u32>, j: vec3<u32>) -> u32 {
    let stride = vec3<u32>(STRIDE_Z, STRIDE_Y, STRIDE_X);
    let dilation = vec3<u32>(DILATION_Z, DILATION_Y, DILATION_X);
    let kernel = vec3<u32>(KERNEL_Z, KERNEL_Y, KERNEL_X);
    let offset = r + j * stride;
    let tap = offset / dilation;
    if any(offset % dilation != vec3<u32>(0u)) || any(tap >= kernel) {
        return NO_CELL;
    }
    return (tap.x * KERNEL_Y + tap.y) * KERNEL_X + tap.z;
}

// Number `window` of the windows of a block, in raster order: how many windows before the block's.
fn window_before(window: u32) -> vec3<u32> {
    return vec3<u32>(
        WINDOWS_Z - 1u - window / (WINDOWS_Y * WINDOWS_X),
        WINDOWS_Y - 1u - window / WINDOWS_X % WINDOWS_Y,
        WINDOWS_X - 1u - window % WINDOWS_X,
    );
}

// What cell r of the block gets from the windows that are held. Floats are summed as they are.
fn take_held(r: vec3<u32>) -> vec4<u32> {
    var last = vec4<u32>(0u);
    var sum = Sum(vec4<u32>(0u), vec4<u32>(0u));
    var plain = vec4<f32>(0.0);
    for (var window = 0u; window < WINDOWS_Z * WINDOWS_Y * WINDOWS_X; window++) {
        let tap = tap_in_window(r, window_before(window));
        if tap != NO_CELL {
            let hit = held_taps[window] == vec4<u32>(tap);
            let cells = held_cells[window];
            if !SUMMED || is_single() {
                last = select(last, cells, hit);
            } else if is_float() {
                plain += bitcast<vec4<f32>>(select(vec4<u32>(0u), cells, hit));
            } else {
                sum = sum_with(sum, cells, hit);
            }
        }
    }
    if !SUMMED || is_single() {
        return last;
    }
    if is_float() {
        return narrow(bitcast<vec4<u32>>(plain));
    }
    return total(sum);
}

// Whether a cell belongs to one window at the most, and so nothing is ever added.
fn is_single() -> bool {
    return WINDOWS_Z == 1u && WINDOWS_Y == 1u && WINDOWS_X == 1u;
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
    let at = place(params.first + number);
    let qz = at.z + Coord(params.first_block.x);
    let qy = at.y + Coord(params.first_block.y);
    let qx = at.x + Coord(params.first_block.z);

    let is_held = WINDOWS_Z * WINDOWS_Y * WINDOWS_X <= HELD;
    var delicate = false;
    if is_held {
        for (var window = 0u; window < WINDOWS_Z * WINDOWS_Y * WINDOWS_X; window++) {
            let before = window_before(window);
            let wz = qz - Coord(before.x);
            let wy = qy - Coord(before.y);
            let wx = qx - Coord(before.z);
            let exists = (wz < Coord(params.pooled.x)) & (wy < Coord(params.pooled.y))
                & (wx < Coord(params.pooled.z));
            let source = window_address(at, wz, wy, wx);
            let taps = load_taps(source);
            held_taps[window] = select(vec4<u32>(NO_CELL), taps, vec4<bool>(exists));
            var cells = load(source);
            if SUMMED && is_single() {
                cells = total(sum_with(
                    Sum(vec4<u32>(0u), vec4<u32>(0u)), cells, vec4<bool>(true),
                ));
            } else if SUMMED && is_float() {
                cells = term(cells);
                delicate = delicate || is_delicate(cells);
            }
            held_cells[window] = cells;
        }
    }

    // Two loops of one body each: a driver unrolls a loop only while its body is small.
    if is_held && !delicate {
        for (var cell = 0u; cell < STRIDE_Z * STRIDE_Y * STRIDE_X; cell++) {
            let r = cell_of_block(cell);
            store_cell(at, qz, qy, qx, r, take_held(r));
        }
    } else {
        for (var cell = 0u; cell < STRIDE_Z * STRIDE_Y * STRIDE_X; cell++) {
            let r = cell_of_block(cell);
            let put = gather(at, qz, qy, qx, Coord(r.x), Coord(r.y), Coord(r.z));
            store_cell(at, qz, qy, qx, r, put);
        }
    }
}

// Number `cell` of the cells of a block, in raster order.
fn cell_of_block(cell: u32) -> vec3<u32> {
    return vec3<u32>(cell / (STRIDE_Y * STRIDE_X), cell / STRIDE_X % STRIDE_Y, cell % STRIDE_X);
}

// Stores cell r of block q, if there is one.
fn store_cell(at: Place, qz: Coord, qy: Coord, qx: Coord, r: vec3<u32>, put: vec4<u32>) {
    let z = Signed(qz * STRIDE_Z + Coord(r.x)) - Signed(i32(params.before.x));
    let y = Signed(qy * STRIDE_Y + Coord(r.y)) - Signed(i32(params.before.y));
    let x = Signed(qx * STRIDE_X + Coord(r.z)) - Signed(i32(params.before.z));
    let inside = at.exists & (Flag(!PADDED) | in_input(z, y, x));
    store(address(params.input, at.outer, Coord(z), Coord(y), Coord(x), at.inner), put, inside);
}
