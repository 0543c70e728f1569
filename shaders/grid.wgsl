// What every kernel shares: the window, the extents, the bindings, and which thread does what.
//
// A tensor of any rank and layout is [outer, z, y, x, inner]: `outer` counts images, or planes when
// channels come first; `inner` counts channels when they come last, else it is 1. Cells are moved
// as the bits they are stored in, four at a time ("lanes"). Two preludes say how four lie:
// together.wgsl, when they share a pixel, and apart.wgsl, when each has a place of its own.

// Fixed by the window.
override KERNEL_Z: u32 = 1u;
override KERNEL_Y: u32 = 1u;
override KERNEL_X: u32 = 1u;
override STRIDE_Z: u32 = 1u;
override STRIDE_Y: u32 = 1u;
override STRIDE_X: u32 = 1u;
override DILATION_Z: u32 = 1u;
override DILATION_Y: u32 = 1u;
override DILATION_X: u32 = 1u;
// Spatial axes of the window: those in front of them have extent 1.
override AXES: u32 = 3u;
// Whether a pixel has one element only, as channels that come first make it.
override SOLE: bool = false;
// Whether the four elements of a unit are adjacent in a row, and x counts fours.
override IN_ROWS: bool = false;
// Whether some window, or some stride block, reaches outside the input.
override PADDED: bool = true;

// Whether a thread makes two units, one beside the other in a pixel or in a row.
override PAIRED: bool = false;

// Bytes of a tap, 1 or 2.
override TAP_BYTES: u32 = 1u;

// A number to divide by, prepared: division by what is not a constant is the dearest thing that
// these kernels would do. See `Divisor` in src/gpu/uniforms.rs.
struct Divisor {
    by: u32,
    magic: u32,
    shift: u32,
    then: u32,
}

struct Params {
    // `inner`, and the extents z, y, x of what the units divide.
    by_inner: Divisor,
    by_z: Divisor,
    by_y: Divisor,
    by_x: Divisor,
    // z, y, x of the tensor that is pooled.
    input: vec3<u32>,
    // Channels inside a pixel, in elements when apart and in fours when together.
    inner: u32,
    // z, y, x of the pooled tensor.
    pooled: vec3<u32>,
    // Number of the first unit of this dispatch.
    first: u32,
    // Padding before, z, y, x.
    before: vec3<u32>,
    // Threads of this dispatch that make units.
    threads: u32,
    // z, y, x of the stride blocks that hold a cell of the input.
    blocks: vec3<u32>,
    // Workgroups in a row of the grid.
    grid_width: u32,
    // The first of these blocks: blocks before it lie in the padding.
    first_block: vec3<u32>,
    // Elements of the tensor that the units divide; apart only.
    elements: u32,
    // Where the bindings start in their tensors: the tensors in words when apart, in fours when
    // together; taps in words.
    in_base: u32,
    out_base: u32,
    taps_base: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
// The tensor that is read: by units, or by words where a tap says which cell.
@group(0) @binding(1) var<storage, read> tensor_in: array<Unit>;
@group(0) @binding(1) var<storage, read> words_in: array<u32>;
// The tensor that is written.
@group(0) @binding(2) var<storage, read_write> tensor_out: array<Unit>;
// Taps, read or written, as words.
@group(0) @binding(3) var<storage, read> taps_in: array<u32>;
@group(0) @binding(3) var<storage, read_write> taps_out: array<u32>;

// z, y, x of the tensor that is pooled.
fn input_size() -> vec3<u32> {
    return with_axes(params.input);
}

// z, y, x of the pooled tensor.
fn pooled_size() -> vec3<u32> {
    return with_axes(params.pooled);
}

// Extents, constant on the axes that are not there: what is done for these falls away.
fn with_axes(extents: vec3<u32>) -> vec3<u32> {
    return vec3<u32>(select(1u, extents.x, AXES > 2u), select(1u, extents.y, AXES > 1u), extents.z);
}

// What a thread does: the unit it makes, the first of two if paired, and whether there is one for it.
struct Turn {
    unit: u32,
    exists: bool,
}

// The turn of a thread. The grid folds past the limit of a dimension. A thread past the last goes along
// with that one and stores nothing: were it to return, all else would stand behind a branch, where Mesa's
// llvmpipe reads each uniform for every thread on its own.
fn turn(workgroup: vec3<u32>, local: u32) -> Turn {
    let number = (workgroup.y * params.grid_width + workgroup.x) * WORKGROUP + local;
    let thread = min(number, params.threads - 1u);
    return Turn(params.first + thread * select(1u, 2u, PAIRED), number < params.threads);
}

// The second unit of a thread.
fn second(turn: Turn) -> Turn {
    return Turn(turn.unit + 1u, turn.exists);
}

// n / d.by, by a multiplication (Granlund and Montgomery 1994, figure 4.1).
fn quotient(n: u32, d: Divisor) -> u32 {
    // The upper half of n · magic.
    let low = (n & 0xffffu) * (d.magic & 0xffffu);
    let a = (n >> 16u) * (d.magic & 0xffffu) + (low >> 16u);
    let b = (n & 0xffffu) * (d.magic >> 16u) + (a & 0xffffu);
    let high = (n >> 16u) * (d.magic >> 16u) + (a >> 16u) + (b >> 16u);
    return (high + ((n - high) >> d.shift)) >> d.then;
}

// The first element of a unit, as numbers.
struct Spot {
    outer: u32,
    z: u32,
    y: u32,
    x: u32,
    inner: u32,
}

// Element `element` of what the units divide.
fn spot(element: u32) -> Spot {
    var pixel = element;
    if !SOLE {
        pixel = quotient(element, params.by_inner);
    }
    let inner = element - pixel * params.by_inner.by;
    let row = quotient(pixel, params.by_x);
    let x = pixel - row * params.by_x.by;
    if AXES == 1u {
        return Spot(row, 0u, 0u, x, inner);
    }
    let slice = quotient(row, params.by_y);
    let y = row - slice * params.by_y.by;
    if AXES == 2u {
        return Spot(slice, 0u, y, x, inner);
    }
    let outer = quotient(slice, params.by_z);
    return Spot(outer, slice - outer * params.by_z.by, y, x, inner);
}

// Where four adjacent elements, or the windows or blocks that own them, are.
struct Place {
    outer: Coord,
    z: Coord,
    y: Coord,
    x: Coord,
    inner: Coord,
    // Whether there is such an element: four can reach past the end of a tensor, and threads past the
    // last unit.
    exists: Flag,
}

// The address, in units, of an element in a tensor of the given spatial extents.
fn address(extents: vec3<u32>, outer: Coord, z: Coord, y: Coord, x: Coord, inner: Coord) -> Coord {
    let pixel = ((outer * extents.x + z) * extents.y + y) * extents.z + x;
    return select(pixel * params.inner + inner, pixel, SOLE);
}

// Whether a cell of the padded input lies in the input.
fn in_input(z: Signed, y: Signed, x: Signed) -> Flag {
    // What lies before the input wraps to a huge number. Step by step: GLSL has no `&` of vectors of
    // bool, and naga writes what stands on its sides four times.
    let in_z = Coord(z) < Coord(input_size().x);
    let in_y = Coord(y) < Coord(input_size().y);
    let in_x = Coord(x) < Coord(input_size().z);
    let in_slice = in_y & in_x;
    return in_z & in_slice;
}

// The nearest coordinate that there is. What is read there for one that does not exist is masked by
// what is known of it: a load is cheaper than a branch.
fn nearest(at: Signed, extent: u32) -> Coord {
    return Coord(clamp(at, Signed(0), Signed(i32(extent) - 1)));
}

// The cells that taps name, or near ones.
struct Cells {
    z: vec4<u32>,
    y: vec4<u32>,
    x: vec4<u32>,
    // Whether a tap names a cell of the input.
    found: vec4<bool>,
}

// One axis of a cell, inside the input, and whether that is where the tap points.
struct Along {
    at: vec4<u32>,
    found: vec4<bool>,
}

fn along(
    q: vec4<u32>, tap: vec4<u32>,
    stride: u32, dilation: u32, before: u32, extent: u32,
) -> Along {
    let at = vec4<i32>(q * stride + tap * dilation) - vec4<i32>(i32(before));
    let within = clamp(at, vec4<i32>(0), vec4<i32>(i32(extent) - 1));
    return Along(vec4<u32>(within), at == within);
}

fn cells_of(at: Place, taps: vec4<u32>) -> Cells {
    let tz = taps / (KERNEL_X * KERNEL_Y);
    let bounded = min(tz, vec4<u32>(KERNEL_Z - 1u));
    let ty = taps / KERNEL_X % KERNEL_Y;
    let tx = taps % KERNEL_X;
    let qx = select(vec4<u32>(at.x), vec4<u32>(at.x * 4u) + vec4<u32>(0u, 1u, 2u, 3u), IN_ROWS);
    let z = along(vec4<u32>(at.z), bounded, STRIDE_Z, DILATION_Z, params.before.x, input_size().x);
    let y = along(vec4<u32>(at.y), ty, STRIDE_Y, DILATION_Y, params.before.y, input_size().y);
    let x = along(qx, tx, STRIDE_X, DILATION_X, params.before.z, input_size().z);
    return Cells(z.at, y.at, x.at, (tz == bounded) & z.found & y.found & x.found);
}

// The taps of a unit, from whole words. Behind the last tap of a tensor is what its last word holds.
fn load_unit_taps(turn: Turn) -> vec4<u32> {
    let from_word = turn.unit * TAP_BYTES - params.taps_base;
    if TAP_BYTES == 2u {
        let second = select(from_word, from_word + 1u, has_taps_word(turn.unit, 1u));
        let pair = vec2<u32>(taps_in[from_word], taps_in[second]);
        return vec4<u32>(pair.x & 0xffffu, pair.x >> 16u, pair.y & 0xffffu, pair.y >> 16u);
    }
    return (vec4<u32>(taps_in[from_word]) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(0xffu);
}

// Stores the taps of a unit in whole words.
fn store_taps(turn: Turn, taps: vec4<u32>) {
    let to = turn.unit * TAP_BYTES - params.taps_base;
    if TAP_BYTES == 2u {
        let pairs = (taps.xz & vec2<u32>(0xffffu)) | (taps.yw << vec2<u32>(16u));
        for (var word = 0u; word < 2u; word++) {
            if turn.exists && has_taps_word(turn.unit, word) {
                taps_out[to + word] = pairs[word];
            }
        }
    } else {
        let bytes = (taps & vec4<u32>(0xffu)) << vec4<u32>(0u, 8u, 16u, 24u);
        if turn.exists {
            taps_out[to] = bytes.x | bytes.y | bytes.z | bytes.w;
        }
    }
}
