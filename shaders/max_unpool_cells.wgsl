// Unpooling, and the gradient of max pooling, as max_unpool_blocks.wgsl, but a thread owns four
// adjacent cells of the output: for blocks of many cells, for cells in many windows, and for small
// elements, whose blocks would share words.
//
// Window q reads cell p of the padded input by its tap t where q·stride + t·dilation = p, on each axis.
// A thread iterates over the taps from the last to the first, which visits the windows in raster order,
// and only those that read the cell. Of all taps only t = first, first + STEP, first + 2·STEP … can leave
// a multiple of the stride, where STEP = stride / gcd(stride, dilation). A window has at most 65,535 taps,
// and so many iterations the loop has at most.

// Per axis: the distance between such taps; the number that `first_tap` multiplies by; and how many
// there are at most, ceil(kernel / STEP). `Axis::taps_of_cell` of src/axis/taps_of_cell.rs has them.
override STEP_Z: u32 = 1u;
override STEP_Y: u32 = 1u;
override STEP_X: u32 = 1u;
override INVERSE_Z: u32 = 1u;
override INVERSE_Y: u32 = 1u;
override INVERSE_X: u32 = 1u;
override TAPS_Z: u32 = 1u;
override TAPS_Y: u32 = 1u;
override TAPS_X: u32 = 1u;

// The smallest tap, on one axis, by which a window can read cell p.
fn first_tap(p: Coord, stride: u32, step: u32, inverse: u32) -> Coord {
    return p / (stride / step) % step * inverse % step;
}

// The window that reads a cell by a tap, on one axis.
struct Reader {
    window: Coord,
    exists: Flag,
}

fn reader(p: Coord, tap: Coord, kernel: u32, stride: u32, dilation: u32, pooled: u32) -> Reader {
    let offset = tap * dilation;
    let window = (p - offset) / stride;
    // Step by step, as in `in_input`.
    let is_tap = tap < Coord(kernel);
    let starts_before = offset <= p;
    let is_whole = window * stride == p - offset;
    let is_window = window < Coord(pooled);
    let is_near = is_tap & starts_before;
    let is_there = is_whole & is_window;
    return Reader(min(window, Coord(pooled - 1u)), is_near & is_there);
}

// What the cells z, y, x of the padded input get.
fn gather(at: Place, z: Coord, y: Coord, x: Coord) -> vec4<u32> {
    let first_z = first_tap(z, STRIDE_Z, STEP_Z, INVERSE_Z);
    let first_y = first_tap(y, STRIDE_Y, STEP_Y, INVERSE_Y);
    let first_x = first_tap(x, STRIDE_X, STEP_X, INVERSE_X);
    var last = vec4<u32>(0u);
    var sum = Sum(vec4<u32>(0u), vec4<u32>(0u));
    // One loop, not three: as in max_pool.wgsl.
    for (var left = TAPS_Z * TAPS_Y * TAPS_X; left > 0u; left--) {
        let number = left - 1u;
        let tap_z = first_z + Coord(number / (TAPS_Y * TAPS_X) * STEP_Z);
        let tap_y = first_y + Coord(number / TAPS_X % TAPS_Y * STEP_Y);
        let tap_x = first_x + Coord(number % TAPS_X * STEP_X);
        let in_z = reader(z, tap_z, KERNEL_Z, STRIDE_Z, DILATION_Z, pooled_size().x);
        let in_y = reader(y, tap_y, KERNEL_Y, STRIDE_Y, DILATION_Y, pooled_size().y);
        let in_x = reader(x, tap_x, KERNEL_X, STRIDE_X, DILATION_X, pooled_size().z);
        let in_slice = in_y.exists & in_x.exists;
        let in_tensor = in_z.exists & in_slice;
        let reads = at.exists & in_tensor;
        if !some(reads) {
            continue;
        }
        let source =
            address(pooled_size(), at.outer, in_z.window, in_y.window, in_x.window, at.inner);
        let tap = (tap_z * KERNEL_Y + tap_y) * KERNEL_X + tap_x;
        let hit = vec4<bool>(reads) & (load_taps(source) == vec4<u32>(tap));
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
    store_unit(turn, gather(at, z, y, x));
}
