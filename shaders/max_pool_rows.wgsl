// Max pooling with argmax, channels first: as max_pool.wgsl, but a thread makes four pooled values
// that are adjacent in a row, from cells that are adjacent too and are loaded four at a time. For
// rows that divide by four, of the input and of the pooled tensor.

// Padding before a row; here it decides which cells lie in one load.
override BEFORE_X: u32 = 0u;

// Fours of a row that four windows span.
const SEGMENT: u32 = 8u;
var<private> segment: array<vec4<u32>, SEGMENT>;

fn cell_of_segment(number: u32) -> u32 {
    return segment[number / 4u][number % 4u];
}

@compute @workgroup_size(WORKGROUP)
fn max_pool_rows(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let number = thread(workgroup, local);
    if number >= params.units {
        return;
    }
    let unit = params.first + number;
    // x counts fours.
    let at = place(unit);
    let z0 = i32(at.z * STRIDE_Z) - i32(params.before.x);
    let y0 = i32(at.y * STRIDE_Y) - i32(params.before.y);
    let x0 = i32(at.x * 4u * STRIDE_X) - i32(BEFORE_X);

    // The segment starts at the four that holds the first cell, `shift` cells before it.
    let before = (BEFORE_X + 3u) / 4u;
    let shift = before * 4u - BEFORE_X;
    let fours = (shift + 3u * STRIDE_X + (KERNEL_X - 1u) * DILATION_X + 4u) / 4u;
    let row_fours = params.input.z / 4u;

    var best = vec4<u32>(0u);
    var limit = vec4<i32>(0);
    var taps = vec4<u32>(0u);
    var found = vec4<bool>(false);
    for (var row = 0u; row < KERNEL_Z * KERNEL_Y; row++) {
        let z = z0 + i32(row / KERNEL_Y * DILATION_Z);
        let y = y0 + i32(row % KERNEL_Y * DILATION_Y);
        let slice = at.outer * params.input.x + nearest(z, params.input.x);
        let line = (slice * params.input.y + nearest(y, params.input.y)) * row_fours;
        for (var i = 0u; i < fours; i++) {
            let four = i32(at.x * STRIDE_X + i) - i32(before);
            segment[i] = load(line + nearest(four, row_fours));
        }
        let row_inside = !PADDED
            || (z >= 0 && z < i32(params.input.x) && y >= 0 && y < i32(params.input.y));
        for (var tx = 0u; tx < KERNEL_X; tx++) {
            let first = shift + tx * DILATION_X;
            let cells = vec4<u32>(
                cell_of_segment(first),
                cell_of_segment(first + STRIDE_X),
                cell_of_segment(first + 2u * STRIDE_X),
                cell_of_segment(first + 3u * STRIDE_X),
            );
            var inside = vec4<bool>(row_inside);
            if PADDED {
                let x = vec4<i32>(x0 + i32(tx * DILATION_X)) + vec4<i32>(0, 1, 2, 3) * i32(STRIDE_X);
                inside = inside & (x >= vec4<i32>(0)) & (x < vec4<i32>(i32(params.input.z)));
            }
            let keys = key(cells);
            let takes = inside & ((keys > limit) | !found);
            best = select(best, cells, takes);
            limit = select(limit, to_beat(keys), takes);
            taps = select(taps, vec4<u32>(row * KERNEL_X + tx), takes);
            found = found | inside;
        }
    }

    store_unit(unit, best);
    store_taps(unit, taps);
}
