// Max pooling, with argmax or without. A work item makes four adjacent pooled values, or, where elements of 16 or 8
// bits are compared in words (tagged_words.wgsl), 8 or 16 of them; with argmax it also makes their taps.
//
// tensor_in: the input. tensor_out: the values. taps_out, with argmax: for each value, the tap of its cell.
//
// `find_maximum` and `store_maximum` are written for the window by src/gpu/kernel/generated: a call of `load_cell`
// for each cell of the window, or `find_maximum_in_loop` for a window of many cells.

// The cells that are tap_z, tap_y, tap_x taps into the windows.
fn load_cell(at: Position, tap: u32, tap_z: u32, tap_y: u32, tap_x: u32) -> Maximum {
    let pads = vec3<i32>(params.pad_before);
    let z = SignedCoordinate(at.z * STRIDE_Z + Coordinate(tap_z * DILATION_Z)) - SignedCoordinate(pads.x);
    let y = SignedCoordinate(at.y * STRIDE_Y + Coordinate(tap_y * DILATION_Y)) - SignedCoordinate(pads.y);
    let x = SignedCoordinate(at.x * STRIDE_X + Coordinate(tap_x * DILATION_X)) - SignedCoordinate(pads.z);
    let size = input_size();
    var source = address(size, at.outer, Coordinate(z), Coordinate(y), Coordinate(x), at.inner);
    var inside = vec4<bool>(true);
    if PADDED {
        source = address(size, at.outer, nearest(z, size.x), nearest(y, size.y), nearest(x, size.z), at.inner);
        inside = vec4<bool>(in_input(z, y, x));
    }
    return maximum_of_cells(load(source), inside, tap);
}

// One loop instead of three: Mesa's llvmpipe ends the loops of an invocation after 65,535 iterations in all,
// and a window has at most 65,535 cells.
fn find_maximum_in_loop(at: Position) -> Maximum {
    var maximum = load_cell(at, 0u, 0u, 0u, 0u);
    for (var tap = 1u; tap < KERNEL_Z * KERNEL_Y * KERNEL_X; tap++) {
        let row = tap / KERNEL_X;
        maximum = later(maximum, load_cell(at, tap, row / KERNEL_Y, row % KERNEL_Y, tap % KERNEL_X));
    }
    return maximum;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn max_pool(id: Invocation) {
    let item = work_item(id);
    if item == NONE {
        return;
    }
    let at = position(item);
    let first = first_tap(vec4<u32>(at.z), vec4<u32>(at.y), window_x(at));
    store_maximum(item, settled(find_maximum(at), first));
}
