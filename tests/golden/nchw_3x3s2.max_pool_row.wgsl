// The constants of this kernel.

const WORKGROUP_SIZE: u32 = 128u;
const BITS: u32 = 32u;
const KIND: u32 = 0u;
const TAP_BYTES: u32 = 1u;
const SPATIAL_AXES: u32 = 2u;
const KERNEL_Z: u32 = 1u;
const STRIDE_Z: u32 = 1u;
const DILATION_Z: u32 = 1u;
const STEP_Z: u32 = 1u;
const INVERSE_Z: u32 = 0u;
const TAPS_Z: u32 = 1u;
const KERNEL_Y: u32 = 3u;
const STRIDE_Y: u32 = 2u;
const DILATION_Y: u32 = 1u;
const STEP_Y: u32 = 2u;
const INVERSE_Y: u32 = 1u;
const TAPS_Y: u32 = 2u;
const KERNEL_X: u32 = 3u;
const STRIDE_X: u32 = 2u;
const DILATION_X: u32 = 1u;
const STEP_X: u32 = 2u;
const INVERSE_X: u32 = 1u;
const TAPS_X: u32 = 2u;
const PAD_BEFORE_X: u32 = 1u;
const REACH: u32 = 0u;
const ONE_ELEMENT_PER_PIXEL: bool = true;
const PADDED: bool = true;
const SUMMED: bool = false;
const OVERLAPPING: bool = false;
const BLOCKS_ARE_WINDOWS: bool = false;
const CHANNELS_LAST: bool = false;
const COLUMN_MAJOR: bool = false;

// An element in memory: 32, 16 or 8 bits of a 32-bit word. The constants that these shaders use without
// declaring them stand in front of each module, written for its window by src/gpu/kernel/constants.rs.

// KIND is one of these: how elements compare and add.
const BINARY32: u32 = 0u;
const BINARY16: u32 = 1u;
const BFLOAT16: u32 = 2u;
const SIGNED: u32 = 3u;
const UNSIGNED: u32 = 4u;

// The tap of no cell, the index of no cell, and the element number of no element.
const NONE: u32 = 0xffffffffu;

// The bits of element `number` of a tensor, from the word that contains the element.
fn element_of_word(word: u32, number: u32) -> u32 {
    var bits = word;
    if BITS < 32u {
        bits = (word >> (number % (32u / BITS) * BITS)) & ((1u << (BITS % 32u)) - 1u);
    }
    return bits;
}

// Word `word` of the words that contain four adjacent elements.
fn word_of_elements(elements: vec4<u32>, word: u32) -> u32 {
    let per_word = 32u / BITS;
    var bits = 0u;
    for (var i = 0u; i < per_word; i++) {
        bits |= elements[word * per_word + i] << (i * BITS % 32u);
    }
    return bits;
}

// The uniforms and bindings of every kernel that works on windows, and the coordinates of elements.
//
// A tensor of any rank and layout is [outer, z, y, x, inner]: `outer` counts images, or planes where
// channels come first; `inner` counts channels where they come last, and is 1 elsewhere. Spatial axes that
// the window does not have come first, and have extent 1. Elements are moved as the bits that they are
// stored in, four adjacent elements at a time: vec4.wgsl and flat.wgsl say how four elements lie, and
// define the types `Loaded`, `Stored`, `Coordinate`, `SignedCoordinate` and `Mask`.

// `Params` of src/gpu/kernel/uniforms.rs, field for field.
struct Params {
    // z, y, x of the tensor that is pooled.
    input: vec3<u32>,
    // Extent of `inner`, in vec4s where Coordinate is one number.
    inner: u32,
    // z, y, x of the pooled tensor.
    pooled: vec3<u32>,
    // Number of the first work item of this dispatch.
    first_item: u32,
    // Padding before, z, y, x.
    pad_before: vec3<u32>,
    // Work items of this dispatch.
    items: u32,
    // z, y, x of what the work items divide between them: pooled values, cells or stride blocks. In
    // max_pool_row.wgsl and max_unpool_row.wgsl x counts the vec4s of a row.
    extents: vec3<u32>,
    // Workgroups in a row of the grid.
    grid_width: u32,
    // The first stride block that contains a cell of the input; earlier blocks lie in the padding.
    first_block: vec3<u32>,
    // Elements of what the work items divide between them; used by flat.wgsl only.
    elements: u32,
    // Where the bindings start in their tensors: in elements of the bound array.
    input_base: u32,
    output_base: u32,
    taps_base: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
// The tensor that is read: as `Loaded`, or as words where a tap says which element.
@group(0) @binding(1) var<storage, read> tensor_in: array<Loaded>;
@group(0) @binding(1) var<storage, read> words_in: array<u32>;
// The tensor that is written.
@group(0) @binding(2) var<storage, read_write> tensor_out: array<Stored>;
// Taps that are read or written, as words.
@group(0) @binding(3) var<storage, read> taps_in: array<u32>;
@group(0) @binding(3) var<storage, read_write> taps_out: array<u32>;

// Extents that are constant on the axes that the window does not have.
fn with_constant_axes(extents: vec3<u32>) -> vec3<u32> {
    return vec3<u32>(
        select(1u, extents.x, SPATIAL_AXES > 2u),
        select(1u, extents.y, SPATIAL_AXES > 1u),
        extents.z,
    );
}

// z, y, x of the tensor that is pooled.
fn input_size() -> vec3<u32> {
    return with_constant_axes(params.input);
}

// z, y, x of the pooled tensor.
fn pooled_size() -> vec3<u32> {
    return with_constant_axes(params.pooled);
}

// The number of an invocation's work item; NONE past the last one. The grid folds past the limit of a
// dimension.
fn work_item(workgroup: vec3<u32>, local: u32) -> u32 {
    let number = (workgroup.y * params.grid_width + workgroup.x) * WORKGROUP_SIZE + local;
    return select(NONE, params.first_item + number, number < params.items);
}

// The coordinates of one element, or of a vec4 of channels, in what the work items divide between them.
struct Coordinates {
    outer: u32,
    z: u32,
    y: u32,
    x: u32,
    inner: u32,
}

fn coordinates(number: u32) -> Coordinates {
    if ONE_ELEMENT_PER_PIXEL {
        return pixel_coordinates(number, 0u);
    }
    let pixel = number / params.inner;
    return pixel_coordinates(pixel, number - pixel * params.inner);
}

fn pixel_coordinates(pixel: u32, inner: u32) -> Coordinates {
    let row = pixel / params.extents.z;
    let x = pixel - row * params.extents.z;
    if SPATIAL_AXES == 1u {
        return Coordinates(row, 0u, 0u, x, inner);
    }
    let slice = row / params.extents.y;
    let y = row - slice * params.extents.y;
    if SPATIAL_AXES == 2u {
        return Coordinates(slice, 0u, y, x, inner);
    }
    let outer = slice / params.extents.x;
    return Coordinates(outer, slice - outer * params.extents.x, y, x, inner);
}

// The coordinates of four adjacent elements, or of the windows or stride blocks that own them.
struct Position {
    outer: Coordinate,
    z: Coordinate,
    y: Coordinate,
    x: Coordinate,
    inner: Coordinate,
    // Whether there is such an element: four elements can reach past the end of a tensor.
    exists: Mask,
}

// The index, in `Stored` or in elements, of the element at some coordinates in a tensor of the given spatial
// extents.
fn address(
    extents: vec3<u32>,
    outer: Coordinate, z: Coordinate, y: Coordinate, x: Coordinate, inner: Coordinate,
) -> Coordinate {
    let pixel = ((outer * extents.x + z) * extents.y + y) * extents.z + x;
    return select(pixel * params.inner + inner, pixel, ONE_ELEMENT_PER_PIXEL);
}

// Whether a cell of the padded input lies in the input. A coordinate before the input wraps to a number
// larger than any extent.
//
// Masks are combined two at a time: GLSL has no `&` of vectors of bool, and naga's translation repeats both
// operands for each component, so that the text of nested operators multiplies.
fn in_input(z: SignedCoordinate, y: SignedCoordinate, x: SignedCoordinate) -> Mask {
    let in_z = Coordinate(z) < Coordinate(input_size().x);
    let in_y = Coordinate(y) < Coordinate(input_size().y);
    let in_x = Coordinate(x) < Coordinate(input_size().z);
    let in_slice = in_y & in_x;
    return in_z & in_slice;
}

// The nearest coordinate inside a tensor. Elements outside are masked after they are loaded from there: a
// load is cheaper than a branch.
fn nearest(coordinate: SignedCoordinate, extent: u32) -> Coordinate {
    return Coordinate(clamp(coordinate, SignedCoordinate(0), SignedCoordinate(i32(extent) - 1)));
}

// The cells of the input that four taps name, or the nearest cells.
struct Cells {
    z: vec4<u32>,
    y: vec4<u32>,
    x: vec4<u32>,
    // Whether the tap names a cell of the input.
    exists: vec4<bool>,
}

// One coordinate of the cell of a tap in window `window`.
struct CellCoordinate {
    nearest: vec4<u32>,
    exists: vec4<bool>,
}

fn cell_coordinate(
    window: vec4<u32>, tap: vec4<u32>,
    stride: u32, dilation: u32, pad_before: u32, extent: u32,
) -> CellCoordinate {
    let cell = vec4<i32>(window * stride + tap * dilation) - vec4<i32>(i32(pad_before));
    let inside = clamp(cell, vec4<i32>(0), vec4<i32>(i32(extent) - 1));
    return CellCoordinate(vec4<u32>(inside), cell == inside);
}

fn cells_of_taps(at: Position, taps: vec4<u32>) -> Cells {
    let tap_z = taps / (KERNEL_X * KERNEL_Y);
    let bounded = min(tap_z, vec4<u32>(KERNEL_Z - 1u));
    let tap_y = taps / KERNEL_X % KERNEL_Y;
    let tap_x = taps % KERNEL_X;
    let pads = params.pad_before;
    let size = input_size();
    let z = cell_coordinate(vec4<u32>(at.z), bounded, STRIDE_Z, DILATION_Z, pads.x, size.x);
    let y = cell_coordinate(vec4<u32>(at.y), tap_y, STRIDE_Y, DILATION_Y, pads.y, size.y);
    let x = cell_coordinate(vec4<u32>(at.x), tap_x, STRIDE_X, DILATION_X, pads.z, size.z);
    return Cells(
        z.nearest, y.nearest, x.nearest,
        (tap_z == bounded) & z.exists & y.exists & x.exists,
    );
}

// The taps of a work item's four windows, from whole words. The last word of a tensor may contain fewer
// taps; the rest of it is read all the same.
fn load_taps_of_item(item: u32) -> vec4<u32> {
    let first = item * TAP_BYTES - params.taps_base;
    if TAP_BYTES == 2u {
        let second = select(first, first + 1u, has_taps_word(item, 1u));
        let pair = vec2<u32>(taps_in[first], taps_in[second]);
        return vec4<u32>(pair.x & 0xffffu, pair.x >> 16u, pair.y & 0xffffu, pair.y >> 16u);
    }
    return (vec4<u32>(taps_in[first]) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(0xffu);
}

// Stores the taps of a work item's four windows in whole words.
fn store_taps_of_item(item: u32, taps: vec4<u32>) {
    let first = item * TAP_BYTES - params.taps_base;
    if TAP_BYTES == 2u {
        let pairs = (taps.xz & vec2<u32>(0xffffu)) | (taps.yw << vec2<u32>(16u));
        for (var word = 0u; word < 2u; word++) {
            if has_taps_word(item, word) {
                taps_out[first + word] = pairs[word];
            }
        }
    } else {
        let bytes = (taps & vec4<u32>(0xffu)) << vec4<u32>(0u, 8u, 16u, 24u);
        taps_out[first] = bytes.x | bytes.y | bytes.z | bytes.w;
    }
}

// Four adjacent elements of 32 bits, as one load or store moves them.

alias Packed = vec4<u32>;

fn unpack(packed: Packed) -> vec4<u32> {
    return packed;
}

fn pack(elements: vec4<u32>) -> Packed {
    return elements;
}

// Four adjacent elements as one vec4: four channels of a pixel, where channels come last and divide by four,
// or four elements of a row (max_pool_row.wgsl), where rows divide by four. A coordinate
// is one number for all four elements, which one instruction loads or stores.

alias Loaded = Packed;
alias Stored = Packed;
alias Coordinate = u32;
alias SignedCoordinate = i32;
alias Mask = bool;

// The position of a work item: four channels of a pixel, or a vec4 of a row.
fn position(item: u32) -> Position {
    let at = coordinates(item);
    return Position(at.outer, at.z, at.y, at.x, at.inner, true);
}

fn any_of(mask: Mask) -> bool {
    return mask;
}

fn load(address: Coordinate) -> vec4<u32> {
    return unpack(tensor_in[address - params.input_base]);
}

// The four elements whose number is the work item's.
fn load_item(item: u32) -> vec4<u32> {
    return load(item);
}

fn store(address: Coordinate, elements: vec4<u32>, inside: Mask) {
    if inside {
        tensor_out[address - params.output_base] = pack(elements);
    }
}

// Stores the four elements whose number is the work item's.
fn store_item(item: u32, elements: vec4<u32>) {
    store(item, elements, true);
}

fn load_taps(address: Coordinate) -> vec4<u32> {
    return load_taps_of_item(address);
}

// Whether the tensor has word `word` of a work item's taps: each work item has four windows.
fn has_taps_word(item: u32, word: u32) -> bool {
    return true;
}

// Elements of a pixel.
fn channels() -> u32 {
    return params.inner * 4u;
}

// The channel of each lane inside its pixel.
fn channel(inner: Coordinate) -> vec4<u32> {
    return vec4<u32>(inner * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
}

// The search for the maximum of a window, in four lanes. Elements are compared on their bits: a float
// comparison may flush subnormals, and may assume that there is no NaN.

// The bits of +∞, moved to the top of a word.
const INFINITY: u32 = select(0x7f800000u, 0x7c000000u, KIND == BINARY16);

// Whether elements are integers.
const IS_INTEGER: bool = KIND == SIGNED || KIND == UNSIGNED;

// Integers in the order of the elements, the least element 0. −0 and +0 are one number. The keys of floats run
// from −∞ to +∞; those of NaNs are above, because the negative ones wrap around.
fn ordered_key(elements: vec4<u32>) -> vec4<u32> {
    let top = elements << vec4<u32>(32u - BITS);
    if KIND == SIGNED {
        return top ^ vec4<u32>(0x80000000u);
    }
    if KIND == UNSIGNED {
        return top;
    }
    // All ones where the sign is set, and 0 elsewhere: negates the magnitude in two's complement.
    let sign = bitcast<vec4<u32>>(bitcast<vec4<i32>>(top) >> vec4<u32>(31u));
    return ((top & vec4<u32>(0x7fffffffu)) ^ sign) - sign + INFINITY;
}

// The maximum of the cells compared so far.
struct Maximum {
    elements: vec4<u32>,
    // The key that the next element must exceed: at most that of +∞, so that a NaN takes over from a NaN, as
    // in PyTorch.
    threshold: vec4<u32>,
    taps: vec4<u32>,
}

// The maximum before the first comparison: the least element, in the first cell that lies in the input. It
// stays where no cell has a greater element, and then it is right.
fn least(first_tap: vec4<u32>) -> Maximum {
    var element = select(0u, 1u << (BITS - 1u), KIND == SIGNED);
    if !IS_INTEGER {
        element = (INFINITY | 0x80000000u) >> (32u - BITS);
    }
    return Maximum(vec4<u32>(element), vec4<u32>(0u), first_tap);
}

// The keys of cells, and what the next element's must exceed if such a cell is the maximum. A cell of the padding
// has the least key, and so never takes over.
struct Keys {
    keys: vec4<u32>,
    thresholds: vec4<u32>,
}

fn keys_of(elements: vec4<u32>, inside: vec4<bool>) -> Keys {
    let keys = select(vec4<u32>(0u), ordered_key(elements), inside);
    if IS_INTEGER {
        return Keys(keys, keys);
    }
    return Keys(keys, min(keys, vec4<u32>(INFINITY * 2u)));
}

// The maximum of one cell more, which takes over when it is greater or NaN.
fn compare(maximum: Maximum, elements: vec4<u32>, keys: Keys, tap: u32) -> Maximum {
    let takes_over = keys.keys > maximum.threshold;
    return Maximum(
        select(maximum.elements, elements, takes_over),
        select(maximum.threshold, keys.thresholds, takes_over),
        select(maximum.taps, vec4<u32>(tap), takes_over),
    );
}

// The first tap of some windows that lies in the input, on one axis.
fn first_tap_inside(window: vec4<u32>, stride: u32, dilation: u32, pad_before: u32) -> vec4<u32> {
    let start = window * stride;
    return (max(start, vec4<u32>(pad_before)) - start + (dilation - 1u)) / dilation;
}

// The first tap of windows z, y, x that lies in the input.
fn first_tap(z: vec4<u32>, y: vec4<u32>, x: vec4<u32>) -> vec4<u32> {
    if !PADDED {
        return vec4<u32>(0u);
    }
    let tap_z = first_tap_inside(z, STRIDE_Z, DILATION_Z, params.pad_before.x);
    let tap_y = first_tap_inside(y, STRIDE_Y, DILATION_Y, params.pad_before.y);
    let tap_x = first_tap_inside(x, STRIDE_X, DILATION_X, params.pad_before.z);
    return (tap_z * KERNEL_Y + tap_y) * KERNEL_X + tap_x;
}

// Max pooling with argmax, as max_pool.wgsl, where a pixel is one element (channels first) and the rows of
// the input and of the pooled tensor divide by four. A work item makes four values that are adjacent in a
// row; the cells of their windows are loaded as vec4s of the row.
//
// `find_maximum` and `store_maximum` are written for the window by src/gpu/kernel/generated.rs.

// The maximum before the first comparison.
fn least_of(at: Position) -> Maximum {
    let x = vec4<u32>(at.x * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
    return least(first_tap(vec4<u32>(at.z), vec4<u32>(at.y), x));
}

// A row of cells under a row of windows.
struct Row {
    // Number of its first vec4 in the input.
    first: u32,
    inside: bool,
}

// The row of cells that is tap_z, tap_y taps into the windows.
fn input_row(at: Position, tap_z: u32, tap_y: u32) -> Row {
    let z = i32(at.z * STRIDE_Z + tap_z * DILATION_Z) - i32(params.pad_before.x);
    let y = i32(at.y * STRIDE_Y + tap_y * DILATION_Y) - i32(params.pad_before.y);
    let slice = at.outer * input_size().x + nearest(z, input_size().x);
    let row = slice * input_size().y + nearest(y, input_size().y);
    return Row(row * (input_size().z / 4u), !PADDED || in_input(z, y, 0));
}

// Four adjacent cells of a row, and their keys.
struct CellsOfRow {
    elements: vec4<u32>,
    keys: Keys,
}

// Vec4 `number` of those that the four windows span, counted from `before` vec4s in front of the windows' own.
fn load_of_row(at: Position, row: Row, number: u32, before: u32) -> CellsOfRow {
    let column = i32(at.x * STRIDE_X + number) - i32(before);
    if !PADDED {
        let elements = load(row.first + u32(column));
        return CellsOfRow(elements, keys_of(elements, vec4<bool>(true)));
    }
    // A row divides by four: a vec4 lies in it as a whole, or not at all.
    let width = input_size().z / 4u;
    let elements = load(row.first + u32(clamp(column, 0, i32(width) - 1)));
    return CellsOfRow(elements, keys_of(elements, vec4<bool>(row.inside && u32(column) < width)));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn max_pool_row(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = work_item(workgroup, local);
    if item == NONE {
        return;
    }
    store_maximum(item, find_maximum(position(item)));
}

fn find_maximum(at: Position) -> Maximum {
    var maximum = least_of(at);
    let row0 = input_row(at, 0u, 0u);
    let cells0_0 = load_of_row(at, row0, 0u, 1u);
    let cells0_1 = load_of_row(at, row0, 1u, 1u);
    let cells0_2 = load_of_row(at, row0, 2u, 1u);
    maximum = compare(maximum, vec4<u32>(cells0_0.elements.w, cells0_1.elements.y, cells0_1.elements.w, cells0_2.elements.y), Keys(vec4<u32>(cells0_0.keys.keys.w, cells0_1.keys.keys.y, cells0_1.keys.keys.w, cells0_2.keys.keys.y), vec4<u32>(cells0_0.keys.thresholds.w, cells0_1.keys.thresholds.y, cells0_1.keys.thresholds.w, cells0_2.keys.thresholds.y)), 0u);
    maximum = compare(maximum, vec4<u32>(cells0_1.elements.x, cells0_1.elements.z, cells0_2.elements.x, cells0_2.elements.z), Keys(vec4<u32>(cells0_1.keys.keys.x, cells0_1.keys.keys.z, cells0_2.keys.keys.x, cells0_2.keys.keys.z), vec4<u32>(cells0_1.keys.thresholds.x, cells0_1.keys.thresholds.z, cells0_2.keys.thresholds.x, cells0_2.keys.thresholds.z)), 1u);
    maximum = compare(maximum, vec4<u32>(cells0_1.elements.y, cells0_1.elements.w, cells0_2.elements.y, cells0_2.elements.w), Keys(vec4<u32>(cells0_1.keys.keys.y, cells0_1.keys.keys.w, cells0_2.keys.keys.y, cells0_2.keys.keys.w), vec4<u32>(cells0_1.keys.thresholds.y, cells0_1.keys.thresholds.w, cells0_2.keys.thresholds.y, cells0_2.keys.thresholds.w)), 2u);
    let row1 = input_row(at, 0u, 1u);
    let cells1_0 = load_of_row(at, row1, 0u, 1u);
    let cells1_1 = load_of_row(at, row1, 1u, 1u);
    let cells1_2 = load_of_row(at, row1, 2u, 1u);
    maximum = compare(maximum, vec4<u32>(cells1_0.elements.w, cells1_1.elements.y, cells1_1.elements.w, cells1_2.elements.y), Keys(vec4<u32>(cells1_0.keys.keys.w, cells1_1.keys.keys.y, cells1_1.keys.keys.w, cells1_2.keys.keys.y), vec4<u32>(cells1_0.keys.thresholds.w, cells1_1.keys.thresholds.y, cells1_1.keys.thresholds.w, cells1_2.keys.thresholds.y)), 3u);
    maximum = compare(maximum, vec4<u32>(cells1_1.elements.x, cells1_1.elements.z, cells1_2.elements.x, cells1_2.elements.z), Keys(vec4<u32>(cells1_1.keys.keys.x, cells1_1.keys.keys.z, cells1_2.keys.keys.x, cells1_2.keys.keys.z), vec4<u32>(cells1_1.keys.thresholds.x, cells1_1.keys.thresholds.z, cells1_2.keys.thresholds.x, cells1_2.keys.thresholds.z)), 4u);
    maximum = compare(maximum, vec4<u32>(cells1_1.elements.y, cells1_1.elements.w, cells1_2.elements.y, cells1_2.elements.w), Keys(vec4<u32>(cells1_1.keys.keys.y, cells1_1.keys.keys.w, cells1_2.keys.keys.y, cells1_2.keys.keys.w), vec4<u32>(cells1_1.keys.thresholds.y, cells1_1.keys.thresholds.w, cells1_2.keys.thresholds.y, cells1_2.keys.thresholds.w)), 5u);
    let row2 = input_row(at, 0u, 2u);
    let cells2_0 = load_of_row(at, row2, 0u, 1u);
    let cells2_1 = load_of_row(at, row2, 1u, 1u);
    let cells2_2 = load_of_row(at, row2, 2u, 1u);
    maximum = compare(maximum, vec4<u32>(cells2_0.elements.w, cells2_1.elements.y, cells2_1.elements.w, cells2_2.elements.y), Keys(vec4<u32>(cells2_0.keys.keys.w, cells2_1.keys.keys.y, cells2_1.keys.keys.w, cells2_2.keys.keys.y), vec4<u32>(cells2_0.keys.thresholds.w, cells2_1.keys.thresholds.y, cells2_1.keys.thresholds.w, cells2_2.keys.thresholds.y)), 6u);
    maximum = compare(maximum, vec4<u32>(cells2_1.elements.x, cells2_1.elements.z, cells2_2.elements.x, cells2_2.elements.z), Keys(vec4<u32>(cells2_1.keys.keys.x, cells2_1.keys.keys.z, cells2_2.keys.keys.x, cells2_2.keys.keys.z), vec4<u32>(cells2_1.keys.thresholds.x, cells2_1.keys.thresholds.z, cells2_2.keys.thresholds.x, cells2_2.keys.thresholds.z)), 7u);
    maximum = compare(maximum, vec4<u32>(cells2_1.elements.y, cells2_1.elements.w, cells2_2.elements.y, cells2_2.elements.w), Keys(vec4<u32>(cells2_1.keys.keys.y, cells2_1.keys.keys.w, cells2_2.keys.keys.y, cells2_2.keys.keys.w), vec4<u32>(cells2_1.keys.thresholds.y, cells2_1.keys.thresholds.w, cells2_2.keys.thresholds.y, cells2_2.keys.thresholds.w)), 8u);
    return maximum;
}

fn store_maximum(item: u32, maximum: Maximum) {
    store_item(item, maximum.elements);
    store_taps_of_item(item, maximum.taps);
}
