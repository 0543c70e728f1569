// Taps to the indices of other frameworks, and back with checking. A thread converts four adjacent
// ones. Every framework's index is a sum of coordinates times strides; those are data.

// Whether the spatial part is column-major: x then varies slowest.
override COLUMN_MAJOR: bool = false;

struct Frame {
    // What one step along z, y, x adds to an index.
    strides: vec3<u32>,
    // What one image adds, and one channel.
    batch_stride: u32,
    channel_stride: u32,
    // Planes of an image that `outer` counts: the channels, when they come first.
    planes: u32,
}

@group(0) @binding(4) var<uniform> frame: Frame;

// What image and channel add to an index.
fn offset(at: Place) -> vec4<u32> {
    let outer = vec4<u32>(at.outer);
    let channel_number = outer % frame.planes + channel(at.inner);
    return outer / frame.planes * frame.batch_stride + channel_number * frame.channel_stride;
}

// taps_in: taps; tensor_out: for each the index, or NO_CELL where a tap names no cell.
@compute @workgroup_size(WORKGROUP)
fn taps_to_indices(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let turn = turn(workgroup, local);
    let at = place(turn);
    let cells = cells_of(at, load_unit_taps(turn));
    let indices = offset(at) + cells.z * frame.strides.x + cells.y * frame.strides.y
        + cells.x * frame.strides.z;
    store_unit(turn, select(vec4<u32>(NO_CELL), indices, cells.found));
}

// One axis of an index: the coordinate, what is left, and whether it lies in the tensor.
struct Digit {
    at: vec4<u32>,
    rest: vec4<u32>,
    inside: vec4<bool>,
}

fn digit(rest: vec4<u32>, stride: u32, extent: u32) -> Digit {
    let at = rest / stride;
    return Digit(at, rest - at * stride, at < vec4<u32>(extent));
}

// The number of a cell in its window on one axis, NO_CELL where the window does not have it.
fn tap_of(cell: vec4<u32>, q: Coord, stride: u32, before: u32, kernel: u32, dilation: u32) -> vec4<u32> {
    // A cell before the window wraps to a huge step.
    let step = cell + before - vec4<u32>(q * stride);
    let inside = (step % dilation == vec4<u32>(0u)) & (step / dilation < vec4<u32>(kernel));
    return select(vec4<u32>(NO_CELL), step / dilation, inside);
}

// words_in: indices; taps_out: for each its tap, or no cell where it is not in its window. What is
// wrong goes to the report.
@compute @workgroup_size(WORKGROUP)
fn indices_to_taps(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let turn = turn(workgroup, local);
    let at = place(turn);
    let exists = vec4<bool>(at.exists);
    var indices = vec4<u32>(NO_CELL);
    for (var lane = 0u; lane < 4u; lane++) {
        if exists[lane] {
            indices[lane] = words_in[turn.unit * 4u + lane - params.in_base];
        }
    }

    let base = offset(at);
    var first: Digit;
    var last: Digit;
    var middle: Digit;
    if COLUMN_MAJOR {
        first = digit(indices - base, frame.strides.z, input_size().z);
        middle = digit(first.rest, frame.strides.y, input_size().y);
        last = digit(middle.rest, frame.strides.x, input_size().x);
    } else {
        first = digit(indices - base, frame.strides.x, input_size().x);
        middle = digit(first.rest, frame.strides.y, input_size().y);
        last = digit(middle.rest, frame.strides.z, input_size().z);
    }
    let z = select(first.at, last.at, vec4<bool>(COLUMN_MAJOR));
    let x = select(last.at, first.at, vec4<bool>(COLUMN_MAJOR));
    let tz = tap_of(z, at.z, STRIDE_Z, params.before.x, KERNEL_Z, DILATION_Z);
    let ty = tap_of(middle.at, at.y, STRIDE_Y, params.before.y, KERNEL_Y, DILATION_Y);
    let tx = tap_of(x, at.x, STRIDE_X, params.before.z, KERNEL_X, DILATION_X);
    let in_tensor = (indices >= base) & first.inside & middle.inside & last.inside
        & (last.rest == vec4<u32>(0u));
    let in_window = (tz != vec4<u32>(NO_CELL)) & (ty != vec4<u32>(NO_CELL)) & (tx != vec4<u32>(NO_CELL));
    let right = exists & in_tensor & in_window;
    store_taps(turn, select(vec4<u32>(NO_CELL), (tz * KERNEL_Y + ty) * KERNEL_X + tx, right));

    for (var lane = 0u; lane < 4u; lane++) {
        if exists[lane] && !right[lane] {
            report_wrong(turn.unit * 4u + lane);
        }
    }
}

// Before the first dispatch.
@compute @workgroup_size(1)
fn open_report() {
    start_report();
}

// After each dispatch: the index behind the first wrong element, if that lies in its part.
@compute @workgroup_size(1)
fn close_report() {
    let first = atomicLoad(&report.element);
    let unit = first / 4u;
    // A thread makes one unit here.
    if first != NO_CELL && unit >= params.first && unit - params.first < params.threads {
        report.index = words_in[first - params.in_base];
    }
}
