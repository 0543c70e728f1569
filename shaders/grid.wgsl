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
// Whether some window reaches outside the input.
override PADDED: bool = true;

// Bytes of a tap, 1 or 2.
override TAP_BYTES: u32 = 1u;

struct Params {
    // z, y, x of the tensor that is pooled.
    input: vec3<u32>,
    // Channels inside a pixel, in elements when apart and in fours when together.
    inner: u32,
    // z, y, x of the pooled tensor.
    pooled: vec3<u32>,
    // Number of the first unit of this dispatch: a thread makes one unit.
    first: u32,
    // Padding before, z, y, x.
    before: vec3<u32>,
    // Units of this dispatch.
    units: u32,
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

// The number of a thread in its dispatch. The grid folds past the limit of a dimension.
fn thread(workgroup: vec3<u32>, local: u32) -> u32 {
    return (workgroup.y * params.grid_width + workgroup.x) * WORKGROUP + local;
}

// Where four adjacent elements, or the windows or blocks that own them, are.
struct Place {
    outer: Coord,
    z: Coord,
    y: Coord,
    x: Coord,
    inner: Coord,
    // Whether there is such an element: four can reach past the end of a tensor.
    exists: Flag,
}

// The address, in units, of an element in a tensor of the given spatial extents.
fn address(extents: vec3<u32>, outer: Coord, z: Coord, y: Coord, x: Coord, inner: Coord) -> Coord {
    return (((outer * extents.x + z) * extents.y + y) * extents.z + x) * params.inner + inner;
}

// Whether a cell of the padded input lies in the input.
fn in_input(z: Signed, y: Signed, x: Signed) -> Flag {
    let extents = vec3<i32>(params.input);
    return (z >= Signed(0)) & (z < Signed(extents.x)) & (y >= Signed(0)) & (y < Signed(extents.y))
        & (x >= Signed(0)) & (x < Signed(extents.z));
}

// Where a tap lies on one axis of the input; outside it when the tap is in the padding.
fn along(q: Coord, tap: vec4<u32>, stride: u32, dilation: u32, before: u32) -> vec4<i32> {
    return vec4<i32>(Signed(q * stride)) + vec4<i32>(tap * dilation) - vec4<i32>(i32(before));
}

// The cells that taps name.
struct Cells {
    z: vec4<u32>,
    y: vec4<u32>,
    x: vec4<u32>,
    // Whether a tap names a cell of the input.
    found: vec4<bool>,
}

fn cells_of(at: Place, taps: vec4<u32>) -> Cells {
    let tz = taps / (KERNEL_X * KERNEL_Y);
    let z = along(at.z, tz, STRIDE_Z, DILATION_Z, params.before.x);
    let y = along(at.y, taps / KERNEL_X % KERNEL_Y, STRIDE_Y, DILATION_Y, params.before.y);
    let x = along(at.x, taps % KERNEL_X, STRIDE_X, DILATION_X, params.before.z);
    let found = vec4<bool>(at.exists) & (tz < vec4<u32>(KERNEL_Z)) & in_extent(z, params.input.x)
        & in_extent(y, params.input.y) & in_extent(x, params.input.z);
    return Cells(vec4<u32>(z), vec4<u32>(y), vec4<u32>(x), found);
}

fn in_extent(at: vec4<i32>, extent: u32) -> vec4<bool> {
    return (at >= vec4<i32>(0)) & (at < vec4<i32>(i32(extent)));
}

// Stores the taps of a unit in whole words.
fn store_taps(unit: u32, taps: vec4<u32>) {
    if TAP_BYTES == 2u {
        let pairs = (taps.xz & vec2<u32>(0xffffu)) | (taps.yw << vec2<u32>(16u));
        for (var word = 0u; word < 2u; word++) {
            if has_taps_word(unit, word) {
                taps_out[unit * 2u + word - params.taps_base] = pairs[word];
            }
        }
    } else {
        let bytes = (taps & vec4<u32>(0xffu)) << vec4<u32>(0u, 8u, 16u, 24u);
        taps_out[unit - params.taps_base] = bytes.x | bytes.y | bytes.z | bytes.w;
    }
}
