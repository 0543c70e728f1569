// Conversion of taps to the indices of other frameworks, and of indices, which are checked, to taps. A work item
// converts four adjacent taps or indices.
// The index of every framework is a sum of coordinates times strides; the strides are data.

// `IndexStrides` of src/gpu/kernel/uniforms.rs, field for field.
struct IndexStrides {
    // The strides of an index along z, y, x.
    spatial: vec3<u32>,
    // Its strides from image to image, and from channel to channel.
    batch: u32,
    channel: u32,
    // Planes of an image that `outer` counts: the channels where they come first, else 1.
    planes: u32,
}

@group(0) @binding(4) var<uniform> index_strides: IndexStrides;

// The part of an index that depends on image and channel.
fn index_offset(at: Position) -> vec4<u32> {
    let image = at.outer / index_strides.planes;
    let channel_number = at.outer % index_strides.planes + channel(at.inner);
    return image * index_strides.batch + channel_number * index_strides.channel;
}

// taps_in: taps. tensor_out: the index of each; NONE for a tap that names no cell of the input.
@compute @workgroup_size(WORKGROUP_SIZE)
fn taps_to_indices(id: Invocation) {
    let item = work_item(id);
    if item == NONE {
        return;
    }
    let at = position(item);
    let cells = cells_of_taps(at, at.x, load_taps_of_item(item, true));
    let strides = index_strides.spatial;
    let indices =
        index_offset(at) + cells.z * strides.x + cells.y * strides.y + cells.x * strides.z;
    store_item(item, select(vec4<u32>(NONE), indices, cells.exists));
}

// One coordinate of an index: the coordinate, the rest of the index, and whether the coordinate lies in the
// tensor.
struct IndexCoordinate {
    coordinate: vec4<u32>,
    rest: vec4<u32>,
    inside: vec4<bool>,
}

fn index_coordinate(rest: vec4<u32>, stride: u32, extent: u32) -> IndexCoordinate {
    let coordinate = rest / stride;
    return IndexCoordinate(coordinate, rest - coordinate * stride, coordinate < vec4<u32>(extent));
}

// The tap of a cell in its window on one axis; NONE where the window does not contain the cell.
fn tap_of_cell(
    cell: vec4<u32>, window: vec4<u32>, stride: u32, pad_before: u32, kernel: u32, dilation: u32,
) -> vec4<u32> {
    // The offset of a cell before the window wraps to a large number.
    let offset = cell + pad_before - window * stride;
    let is_tap = (offset % dilation == vec4<u32>(0u)) & (offset / dilation < vec4<u32>(kernel));
    return select(vec4<u32>(NONE), offset / dilation, is_tap);
}

// words_in: indices. taps_out: the tap of each; a tap of no cell for an index outside its window, which is
// added to the report.
@compute @workgroup_size(WORKGROUP_SIZE)
fn indices_to_taps(id: Invocation) {
    let item = work_item(id);
    if item == NONE {
        return;
    }
    let at = position(item);
    var indices = vec4<u32>(NONE);
    for (var lane = 0u; lane < 4u; lane++) {
        if at.exists[lane] {
            indices[lane] = words_in[item * 4u + lane - params.input_base];
        }
    }

    let offset = index_offset(at);
    // From the largest stride to the smallest.
    let strides = select(index_strides.spatial, index_strides.spatial.zyx, COLUMN_MAJOR);
    let size = select(input_size(), input_size().zyx, COLUMN_MAJOR);
    let first = index_coordinate(indices - offset, strides.x, size.x);
    let middle = index_coordinate(first.rest, strides.y, size.y);
    let last = index_coordinate(middle.rest, strides.z, size.z);
    let z = select(first.coordinate, last.coordinate, vec4<bool>(COLUMN_MAJOR));
    let x = select(last.coordinate, first.coordinate, vec4<bool>(COLUMN_MAJOR));
    let pads = params.pad_before;
    let tap_z = tap_of_cell(z, at.z, STRIDE_Z, pads.x, KERNEL_Z, DILATION_Z);
    let tap_y = tap_of_cell(middle.coordinate, at.y, STRIDE_Y, pads.y, KERNEL_Y, DILATION_Y);
    let tap_x = tap_of_cell(x, at.x, STRIDE_X, pads.z, KERNEL_X, DILATION_X);
    let in_tensor = (indices >= offset) & first.inside & middle.inside & last.inside
        & (last.rest == vec4<u32>(0u));
    let in_window =
        (tap_z != vec4<u32>(NONE)) & (tap_y != vec4<u32>(NONE)) & (tap_x != vec4<u32>(NONE));
    let accepted = at.exists & in_tensor & in_window;
    let taps = (tap_z * KERNEL_Y + tap_y) * KERNEL_X + tap_x;
    store_taps_of_item(item, select(vec4<u32>(NONE), taps, accepted));

    for (var lane = 0u; lane < 4u; lane++) {
        if at.exists[lane] && !accepted[lane] {
            report_refused(item * 4u + lane);
        }
    }
}

// Runs before the first dispatch of `indices_to_taps`.
@compute @workgroup_size(1)
fn open_report() {
    clear_report();
}

// Runs after each dispatch of `indices_to_taps`: completes the report if the first refused element is one of
// that dispatch.
@compute @workgroup_size(1)
fn close_report() {
    let first = atomicLoad(&report.element);
    let item = first / 4u;
    if first != NONE && item >= params.first_item && item - params.first_item < params.items {
        report.index = words_in[first - params.input_base];
    }
}
