// The elements of four cells of an unpooling, gathered from the windows that cover them in a loop, with exact
// sums: any window, and any value.
//
// Window q covers cell p of the padded input by its tap t where q·stride + t·dilation = p, on each axis. The
// loop visits the taps from the last to the first, which visits the windows in raster order, and only taps by
// which some window can cover the cell: t = first, first + STEP, first + 2·STEP …, where
// STEP = stride / gcd(stride, dilation). A window has at most 65,535 taps, and the loop at most as many
// iterations. src/geometry/taps_of_cell.rs computes STEP, INVERSE and TAPS (the largest number of such taps).

// The smallest tap, on one axis, by which a window can cover cell p.
fn first_tap_of_cell(p: Coordinate, stride: u32, step: u32, inverse: u32) -> Coordinate {
    return p / (stride / step) % step * inverse % step;
}

// The window that covers a cell by a tap, on one axis; the nearest window where there is none.
struct Window {
    nearest: Coordinate,
    exists: Mask,
}

fn window_of_tap(
    p: Coordinate, tap: Coordinate, kernel: u32, stride: u32, dilation: u32, pooled: u32,
) -> Window {
    let offset = tap * dilation;
    let window = (p - offset) / stride;
    // Masks are combined two at a time: see `in_input`.
    let is_tap = tap < Coordinate(kernel);
    let starts_before = offset <= p;
    let is_whole = window * stride == p - offset;
    let is_window = window < Coordinate(pooled);
    let is_offset = is_tap & starts_before;
    let is_start = is_whole & is_window;
    return Window(min(window, Coordinate(pooled - 1u)), is_offset & is_start);
}

// The elements of cells z, y, x of the padded input.
fn gather(at: Position, z: Coordinate, y: Coordinate, x: Coordinate) -> vec4<u32> {
    let first_z = first_tap_of_cell(z, STRIDE_Z, STEP_Z, INVERSE_Z);
    let first_y = first_tap_of_cell(y, STRIDE_Y, STEP_Y, INVERSE_Y);
    let first_x = first_tap_of_cell(x, STRIDE_X, STEP_X, INVERSE_X);
    var last = vec4<u32>(0u);
    var sum = Sum(vec4<u32>(0u), vec4<u32>(0u));
    // One loop instead of three: as in max_pool.wgsl.
    for (var left = TAPS_Z * TAPS_Y * TAPS_X; left > 0u; left--) {
        let number = left - 1u;
        let tap_z = first_z + Coordinate(number / (TAPS_Y * TAPS_X) * STEP_Z);
        let tap_y = first_y + Coordinate(number / TAPS_X % TAPS_Y * STEP_Y);
        let tap_x = first_x + Coordinate(number % TAPS_X * STEP_X);
        let window_z = window_of_tap(z, tap_z, KERNEL_Z, STRIDE_Z, DILATION_Z, pooled_size().x);
        let window_y = window_of_tap(y, tap_y, KERNEL_Y, STRIDE_Y, DILATION_Y, pooled_size().y);
        let window_x = window_of_tap(x, tap_x, KERNEL_X, STRIDE_X, DILATION_X, pooled_size().z);
        let in_slice = window_y.exists & window_x.exists;
        let in_tensor = window_z.exists & in_slice;
        let covers = vec4<bool>(at.exists & in_tensor);
        if !any(covers) {
            continue;
        }
        let source = address(
            pooled_size(), at.outer, window_z.nearest, window_y.nearest, window_x.nearest, at.inner,
        );
        let tap = (tap_z * KERNEL_Y + tap_y) * KERNEL_X + tap_x;
        let hit = covers & (load_taps(source) == vec4<u32>(tap));
        if any(hit) {
            let elements = load(source);
            if SUMMED {
                sum = sum_with(sum, elements, hit);
            } else {
                last = select(last, elements, hit);
            }
        }
    }
    if SUMMED {
        return total(sum);
    }
    return last;
}
