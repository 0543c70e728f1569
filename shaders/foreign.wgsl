// Unpooling by indices that no window of ours made: any pooled value may go to any cell.
//
// Values are first put into buckets, one for each cell, and then each cell takes what is in its
// own: the last in raster order, or the sum in raster order. Which thread fills a bucket first
// decides in what order its elements lie there, so they are sorted before they are used: the
// result does not depend on it. Five passes: clear, count, start, fill, gather.

// How far an index reaches: inside the plane of its element, its image, or the tensor.
override REACH: u32 = 0u;
const PLANE: u32 = 0u;
const IMAGE: u32 = 1u;
const TENSOR: u32 = 2u;
// Whether the channel is the fastest part of an index.
override CHANNELS_LAST: bool = false;
override COLUMN_MAJOR: bool = false;
override SUMMED: bool = false;

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
}

struct Report {
    wrong: atomic<u32>,
    first: atomic<u32>,
    index: u32,
}

@group(0) @binding(0) var<uniform> foreign: Foreign;
@group(0) @binding(1) var<storage, read> words_in: array<u32>;
@group(0) @binding(2) var<storage, read_write> words_out: array<u32>;
@group(0) @binding(3) var<storage, read> indices: array<u32>;
@group(0) @binding(5) var<storage, read_write> report: Report;
// One word: elements in buckets so far. Then for each cell the elements in its bucket, and for each
// cell where its bucket starts (after filling, where it ends). Then the buckets: element numbers.
@group(0) @binding(6) var<storage, read_write> scratch: array<atomic<u32>>;

fn count_of(cell: u32) -> u32 {
    return 1u + cell;
}

fn end_of(cell: u32) -> u32 {
    return 1u + foreign.cells + cell;
}

fn item(number: u32) -> u32 {
    return 1u + 2u * foreign.cells + number;
}

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

// A thread empties the bucket of a cell.
@compute @workgroup_size(WORKGROUP)
fn foreign_clear(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let cell = thread(workgroup, local);
    if cell == 0u {
        atomicStore(&scratch[0], 0u);
        atomicStore(&report.wrong, 0u);
        atomicStore(&report.first, NO_CELL);
        report.index = NO_CELL;
    }
    if cell < foreign.cells {
        atomicStore(&scratch[count_of(cell)], 0u);
    }
}

// A thread counts a pooled element in the bucket of its cell, or reports its index.
@compute @workgroup_size(WORKGROUP)
fn foreign_count(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let element = thread(workgroup, local);
    if element >= foreign.pooled {
        return;
    }
    let cell = destination(element);
    if cell == NO_CELL {
        atomicAdd(&report.wrong, 1u);
        atomicMin(&report.first, element);
    } else {
        atomicAdd(&scratch[count_of(cell)], 1u);
    }
}

// A thread makes room for the bucket of a cell. The first also completes the report.
@compute @workgroup_size(WORKGROUP)
fn foreign_start(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let cell = thread(workgroup, local);
    if cell == 0u {
        let first = atomicLoad(&report.first);
        if first != NO_CELL {
            report.index = indices[first];
        }
    }
    if cell < foreign.cells {
        let count = atomicLoad(&scratch[count_of(cell)]);
        if count > 0u {
            atomicStore(&scratch[end_of(cell)], atomicAdd(&scratch[0], count));
        }
    }
}

// A thread puts a pooled element into the bucket of its cell.
@compute @workgroup_size(WORKGROUP)
fn foreign_fill(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let element = thread(workgroup, local);
    if element >= foreign.pooled {
        return;
    }
    let cell = destination(element);
    if cell != NO_CELL {
        atomicStore(&scratch[item(atomicAdd(&scratch[end_of(cell)], 1u))], element);
    }
}

fn value(element: u32) -> u32 {
    return lane_bits(words_in[element / (32u / BITS)], element);
}

fn held(number: u32) -> u32 {
    return atomicLoad(&scratch[item(number)]);
}

fn put(number: u32, element: u32) {
    atomicStore(&scratch[item(number)], element);
}

// Moves the item at `root` of a heap down to its place; the largest is on top.
fn sift(first: u32, start: u32, count: u32) {
    let element = held(first + start);
    var root = start;
    loop {
        var child = 2u * root + 1u;
        if child >= count {
            break;
        }
        if child + 1u < count && held(first + child + 1u) > held(first + child) {
            child++;
        }
        if held(first + child) <= element {
            break;
        }
        put(first + root, held(first + child));
        root = child;
    }
    put(first + root, element);
}

// Sorts a bucket by element number.
fn sort(first: u32, count: u32) {
    for (var start = count / 2u; start > 0u; start--) {
        sift(first, start - 1u, count);
    }
    for (var end = count - 1u; end > 0u; end--) {
        let largest = held(first);
        put(first, held(first + end));
        put(first + end, largest);
        sift(first, 0u, end);
    }
}

// A thread takes four adjacent cells of the output from their buckets: whole words.
@compute @workgroup_size(WORKGROUP)
fn foreign_gather(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let unit = thread(workgroup, local);
    if unit >= (foreign.cells + 3u) / 4u {
        return;
    }
    var cells = vec4<u32>(0u);
    for (var lane = 0u; lane < 4u; lane++) {
        let cell = unit * 4u + lane;
        if cell >= foreign.cells {
            break;
        }
        let count = atomicLoad(&scratch[count_of(cell)]);
        if count == 0u {
            continue;
        }
        let first = atomicLoad(&scratch[end_of(cell)]) - count;
        if SUMMED {
            sort(first, count);
            var sum = Sum(vec4<u32>(0u), vec4<u32>(0u));
            for (var i = 0u; i < count; i++) {
                sum = sum_with(sum, vec4<u32>(value(held(first + i))), vec4<bool>(true));
            }
            cells[lane] = total(sum).x;
        } else {
            var last = 0u;
            for (var i = 0u; i < count; i++) {
                last = max(last, held(first + i));
            }
            cells[lane] = value(last);
        }
    }
    let per_word = 32u / BITS;
    for (var word = 0u; word < BITS / 8u; word++) {
        if unit * 4u + word * per_word < foreign.cells {
            var bits = 0u;
            for (var i = 0u; i < per_word; i++) {
                bits |= cells[word * per_word + i] << (i * BITS % 32u);
            }
            words_out[unit * (BITS / 8u) + word] = bits;
        }
    }
}
