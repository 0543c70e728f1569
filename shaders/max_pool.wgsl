// Max pooling with argmax: tensor_in is the input, tensor_out the pooled values, taps_out where
// each was. A thread makes four adjacent pooled values and their taps.
//
// A cell takes over when it is greater, or NaN; the first cell of a window that exists starts the
// search, so there is no sentinel. Padded cells are skipped.

@compute @workgroup_size(WORKGROUP)
fn max_pool(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let number = thread(workgroup, local);
    if number >= params.units {
        return;
    }
    let unit = params.first + number;
    let at = place(unit);
    let z0 = Signed(at.z * STRIDE_Z) - Signed(i32(params.before.x));
    let y0 = Signed(at.y * STRIDE_Y) - Signed(i32(params.before.y));
    let x0 = Signed(at.x * STRIDE_X) - Signed(i32(params.before.z));

    var best = vec4<u32>(0u);
    var limit = vec4<i32>(0);
    var taps = vec4<u32>(0u);
    var found = vec4<bool>(false);
    // Two loops, not three: drivers unroll them sooner, and some count turns.
    for (var row = 0u; row < KERNEL_Z * KERNEL_Y; row++) {
        for (var tx = 0u; tx < KERNEL_X; tx++) {
            let tap = row * KERNEL_X + tx;
            let tz = row / KERNEL_Y;
            let ty = row % KERNEL_Y;
            let z = z0 + Signed(i32(tz * DILATION_Z));
            let y = y0 + Signed(i32(ty * DILATION_Y));
            let x = x0 + Signed(i32(tx * DILATION_X));
            var source: Coord;
            var inside = vec4<bool>(true);
            if PADDED {
                source = address(
                    params.input,
                    at.outer,
                    nearest(z, params.input.x),
                    nearest(y, params.input.y),
                    nearest(x, params.input.z),
                    at.inner,
                );
                inside = vec4<bool>(in_input(z, y, x));
            } else {
                source = address(params.input, at.outer, Coord(z), Coord(y), Coord(x), at.inner);
            }
            let cells = load(source);
            let keys = key(cells);
            let takes = inside & ((keys > limit) | !found);
            best = select(best, cells, takes);
            limit = select(limit, to_beat(keys), takes);
            taps = select(taps, vec4<u32>(tap), takes);
            found = found | inside;
        }
    }

    store_unit(unit, best);
    store_taps(unit, taps);
}
