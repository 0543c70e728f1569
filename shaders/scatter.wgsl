// Unpooling by arbitrary indices: any pooled value may go to any cell. This file has the parts that
// scatter_last.wgsl, which keeps the last value of a cell, and scatter_sum.wgsl, which adds them, share. Each of
// those defines `clear_cell` and `put_element`, which write the scratch buffer.

// REACH is one of these: an index selects a cell of its element's plane, of its image, or of the tensor.
const PLANE: u32 = 0u;
const IMAGE: u32 = 1u;
const TENSOR: u32 = 2u;

// `ScatterParams` of src/gpu/kernel/uniforms.rs, field for field.
struct ScatterParams {
    // z, y, x of the shape in which indices are flattened.
    extents: vec3<u32>,
    channels: u32,
    // The strides of an index along z, y, x.
    strides: vec3<u32>,
    batch: u32,
    // z, y, x of the output.
    output: vec3<u32>,
    batch_stride: u32,
    channel_stride: u32,
    // Elements of an image of the pooled tensor; of a plane, where channels come first.
    pooled_stride: u32,
    // Channels inside a pixel, in both tensors: 1 where channels come first.
    inner: u32,
    // Planes of an image: the channels where they come first, else 1.
    planes: u32,
    // Elements of the pooled tensor and of the output.
    pooled: u32,
    cells: u32,
    // Workgroups in a row of the grid.
    grid_width: u32,
    // In a pass of the sort: the lowest bit of its digit.
    shift: u32,
    // In a pass that accumulates: the segment of each long run that it adds.
    segment: u32,
}

@group(0) @binding(0) var<uniform> params: ScatterParams;
// The pooled values, the output and the indices.
@group(0) @binding(1) var<storage, read> words_in: array<u32>;
@group(0) @binding(2) var<storage, read_write> words_out: array<u32>;
@group(0) @binding(3) var<storage, read> indices: array<u32>;

fn invocation(id: Invocation) -> u32 {
    return (id.workgroup.y * params.grid_width + id.workgroup.x) * WORKGROUP_SIZE + id.local;
}

// The element of the output that a pooled element goes to; NONE where its index names no cell.
fn destination(element: u32) -> u32 {
    var rest = indices[element];
    let outer = element / params.pooled_stride;
    var image = outer / params.planes;
    var channel = outer % params.planes + element % params.inner;
    if REACH == TENSOR {
        image = rest / params.batch_stride;
        rest = rest % params.batch_stride;
    }
    if CHANNELS_LAST {
        channel = rest % params.channels;
        rest -= channel;
    } else if REACH == TENSOR {
        channel = rest / params.channel_stride;
        rest = rest % params.channel_stride;
    }
    // From the largest stride to the smallest.
    let strides = select(params.strides, params.strides.zyx, COLUMN_MAJOR);
    var at = vec3<u32>(rest / strides.x, 0u, 0u);
    rest -= at.x * strides.x;
    at.y = rest / strides.y;
    at.z = (rest - at.y * strides.y) / strides.z;
    at = select(at, at.zyx, COLUMN_MAJOR);
    if image >= params.batch || any(at >= params.extents) {
        return NONE;
    }
    let is_plane = params.inner == 1u;
    let outer_of_cell = select(image, image * params.planes + channel, is_plane);
    let row = (outer_of_cell * params.output.x + at.x) * params.output.y + at.y;
    let pixel = row * params.output.z + at.z;
    return pixel * params.inner + select(channel, 0u, is_plane);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn scatter_clear(id: Invocation) {
    let cell = invocation(id);
    if cell == 0u {
        clear_report();
    }
    if cell < params.cells {
        clear_cell(cell);
    }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn scatter_locate(id: Invocation) {
    let element = invocation(id);
    if element >= params.pooled {
        return;
    }
    let cell = destination(element);
    if cell == NONE {
        report_refused(element);
    }
    put_element(element, cell);
}

// Completes the report.
@compute @workgroup_size(WORKGROUP_SIZE)
fn scatter_close_report(@builtin(local_invocation_index) local: u32) {
    let first = atomicLoad(&report.element);
    if local == 0u && first != NONE {
        report.index = indices[first];
    }
}

fn load_value(element: u32) -> u32 {
    return element_of_word(words_in[element / (32u / BITS)], element);
}

// Stores cells 4·item to 4·item + 3 of the output in whole words.
fn store_cells(item: u32, elements: vec4<u32>) {
    let per_word = 32u / BITS;
    for (var word = 0u; word < BITS / 8u; word++) {
        if item * 4u + word * per_word < params.cells {
            words_out[item * (BITS / 8u) + word] = word_of_elements(elements, word);
        }
    }
}
