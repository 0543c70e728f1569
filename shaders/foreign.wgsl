// Unpooling by indices that no window of ours made: any pooled value may go to any cell. What both
// ways of meeting in a cell share; foreign_last.wgsl keeps the last value, foreign_sum.wgsl adds.

// How far an index reaches: inside the plane of its element, its image, or the tensor.
override REACH: u32 = 0u;
const PLANE: u32 = 0u;
const IMAGE: u32 = 1u;
const TENSOR: u32 = 2u;
// Whether the channel is the fastest part of an index.
override CHANNELS_LAST: bool = false;
override COLUMN_MAJOR: bool = false;

struct Foreign {
    // z, y, x of the shape in which indices are flattened, and what a step along each adds.
    extents: vec3<u32>,
    channels: u32,
    strides: vec3<u32>,
    batch: u32,
    // z, y, x of the output.
    output: vec3<u32>,
    batch_stride: u32,
    channel_stride: u32,
    // Elements of a pooled image or plane: those with one `outer`.
    pooled_around: u32,
    // Channels inside a pixel, in both tensors: 1 when channels come first.
    inner: u32,
    // Planes of an image that `outer` counts.
    planes: u32,
    // Elements of the pooled tensor and of the output.
    pooled: u32,
    cells: u32,
    grid_width: u32,
    // Of a pass of the sort: the lowest bit of its digit.
    shift: u32,
    // Of a pass that accumulates: the segment that it adds of each long run.
    segment: u32,
}

@group(0) @binding(0) var<uniform> foreign: Foreign;
@group(0) @binding(1) var<storage, read> words_in: array<u32>;
@group(0) @binding(2) var<storage, read_write> words_out: array<u32>;
@group(0) @binding(3) var<storage, read> indices: array<u32>;

fn thread(workgroup: vec3<u32>, local: u32) -> u32 {
    return (workgroup.y * foreign.grid_width + workgroup.x) * WORKGROUP + local;
}

// The element of the output that pooled element `element` goes to, NO_CELL if its index is wrong.
fn destination(element: u32) -> u32 {
    var rest = indices[element];
    let outer = element / foreign.pooled_around;
    var image = outer / foreign.planes;
    var channel = outer % foreign.planes + element % foreign.inner;
    if REACH == TENSOR {
        image = rest / foreign.batch_stride;
        rest = rest % foreign.batch_stride;
    }
    if CHANNELS_LAST {
        channel = rest % foreign.channels;
        rest -= channel;
    } else if REACH == TENSOR {
        channel = rest / foreign.channel_stride;
        rest = rest % foreign.channel_stride;
    }
    var at: vec3<u32>;
    if COLUMN_MAJOR {
        at.z = rest / foreign.strides.z;
        rest -= at.z * foreign.strides.z;
        at.y = rest / foreign.strides.y;
        at.x = rest - at.y * foreign.strides.y;
    } else {
        at.x = rest / foreign.strides.x;
        rest -= at.x * foreign.strides.x;
        at.y = rest / foreign.strides.y;
        at.z = (rest - at.y * foreign.strides.y) / foreign.strides.z;
    }
    if image >= foreign.batch || any(at >= foreign.extents) {
        return NO_CELL;
    }
    // Of channels last, `outer` is the image and `inner` the channel; of channels first, the plane.
    let plane = select(image, image * foreign.planes + channel, foreign.inner == 1u);
    let pixel = ((plane * foreign.output.x + at.x) * foreign.output.y + at.y) * foreign.output.z + at.z;
    return pixel * foreign.inner + select(channel, 0u, foreign.inner == 1u);
}

// Completes the report.
@compute @workgroup_size(WORKGROUP)
fn foreign_close(@builtin(local_invocation_index) local: u32) {
    let first = atomicLoad(&report.element);
    if local == 0u && first != NO_CELL {
        report.index = indices[first];
    }
}

fn value(element: u32) -> u32 {
    return lane_bits(words_in[element / (32u / BITS)], element);
}

// Stores cells 4·unit to 4·unit + 3 of the output in whole words.
fn store_four(unit: u32, cells: vec4<u32>) {
    let per_word = 32u / BITS;
    for (var word = 0u; word < BITS / 8u; word++) {
        if unit * 4u + word * per_word < foreign.cells {
            words_out[unit * (BITS / 8u) + word] = word_of(cells, word);
        }
    }
}
