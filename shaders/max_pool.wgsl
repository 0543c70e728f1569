// Max pooling with argmax: tensor_in is the input, tensor_out the pooled values, taps_out where
// each was. A unit is four adjacent pooled values and their taps.
//
// `search` looks through the windows. It is written for the window, cell by cell, by
// src/gpu/unrolled.rs; or it is `search_in_turn`, where that would be long.

// Looks at the cells that are tz, ty, tx taps into the windows.
fn visit(best: Best, at: Place, tap: u32, tz: u32, ty: u32, tx: u32) -> Best {
    let z = Signed(at.z * STRIDE_Z + Coord(tz * DILATION_Z)) - Signed(i32(params.before.x));
    let y = Signed(at.y * STRIDE_Y + Coord(ty * DILATION_Y)) - Signed(i32(params.before.y));
    let x = Signed(at.x * STRIDE_X + Coord(tx * DILATION_X)) - Signed(i32(params.before.z));
    var source: Coord;
    var inside = vec4<bool>(true);
    if PADDED {
        source = address(
            input_size(),
            at.outer,
            nearest(z, input_size().x),
            nearest(y, input_size().y),
            nearest(x, input_size().z),
            at.inner,
        );
        inside = vec4<bool>(in_input(z, y, x));
    } else {
        source = address(input_size(), at.outer, Coord(z), Coord(y), Coord(x), at.inner);
    }
    return take(best, load(source), inside, tap);
}

// One loop, not three: Mesa's llvmpipe ends the loops of a thread after 65,535 turns in all, which
// is more than a window has cells.
fn search_in_turn(at: Place) -> Best {
    var best = nothing();
    for (var tap = 0u; tap < KERNEL_Z * KERNEL_Y * KERNEL_X; tap++) {
        let row = tap / KERNEL_X;
        best = visit(best, at, tap, row / KERNEL_Y, row % KERNEL_Y, tap % KERNEL_X);
    }
    return best;
}

@compute @workgroup_size(WORKGROUP)
fn max_pool(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    pool(turn(workgroup, local));
}
