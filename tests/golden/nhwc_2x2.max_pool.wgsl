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
const KERNEL_Y: u32 = 2u;
const STRIDE_Y: u32 = 2u;
const DILATION_Y: u32 = 1u;
const STEP_Y: u32 = 2u;
const INVERSE_Y: u32 = 1u;
const TAPS_Y: u32 = 1u;
const KERNEL_X: u32 = 2u;
const STRIDE_X: u32 = 2u;
const DILATION_X: u32 = 1u;
const STEP_X: u32 = 2u;
const INVERSE_X: u32 = 1u;
const TAPS_X: u32 = 1u;
const PIXEL: u32 = 1u;
const STRIP: u32 = 1u;
const REACH: u32 = 0u;
const ONE_ELEMENT_PER_PIXEL: bool = false;
const FEW_ROWS: bool = false;
const PADDED: bool = false;
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
const IS_FLOAT: bool = KIND != SIGNED && KIND != UNSIGNED;

// The bits of a float's +∞, moved to the top of a word.
const INFINITY: u32 = select(0x7f800000u, 0x7c000000u, KIND == BINARY16);

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

// The workgroup of an invocation, and the invocation's number in it.
struct Invocation {
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
}

// The uniforms and bindings of every kernel that works on windows, and the coordinates of elements.
//
// A tensor of any rank and layout is [outer, z, y, x, inner]: `outer` counts images, or planes where
// channels come first; `inner` counts channels where they come last, and is 1 elsewhere. Spatial axes that
// the window does not have come first, and have extent 1. Elements are moved as the bits that they are
// stored in, several adjacent elements at a time: vec4.wgsl, flat.wgsl and row_words.wgsl say how these lie, and
// define the types `Coordinate`, `SignedCoordinate` and `Mask`. The first and the last also define `Loaded`; beside
// flat.wgsl, load_words.wgsl or load_vec4.wgsl does. store_vec4.wgsl or flat_words.wgsl defines `Stored`.

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
    // z, y, x of the iteration space, which the work items divide between them: pooled values, cells or stride
    // blocks. In max_pool_row.wgsl and max_unpool_row.wgsl x counts the vec4s of a row; where a work item owns
    // a strip, y counts strips.
    extents: vec3<u32>,
    // Workgroups in a row of the grid.
    grid_width: u32,
    // The first stride block that contains a cell of the input; earlier blocks lie in the padding.
    first_block: vec3<u32>,
    // Elements of the iteration space; used by flat.wgsl and flat_words.wgsl only.
    elements: u32,
    // Where the bindings start in their tensors: in elements of the bound array, and where flat.wgsl loads from
    // the input, in elements of the tensor.
    input_base: u32,
    output_base: u32,
    taps_base: u32,
    // Elements of a row of the iteration space.
    row_elements: u32,
    // Inverses of z, y, the elements of a row and the elements of a pixel, to multiply by instead of dividing;
    // used by max_unpool_flat.wgsl only.
    inverses: vec4<f32>,
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
fn work_item(id: Invocation) -> u32 {
    let number = (id.workgroup.y * params.grid_width + id.workgroup.x) * WORKGROUP_SIZE + id.local;
    return select(NONE, params.first_item + number, number < params.items);
}

// The coordinates of one element, or of a vec4 of channels, in the iteration space.
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

// One coordinate of the cell that a tap of a window names: the nearest coordinate inside the input, and whether the
// coordinate itself lies inside.
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

fn cells_of_taps(at: Position, window_x: vec4<u32>, taps: vec4<u32>) -> Cells {
    let tap_y = taps / KERNEL_X % KERNEL_Y;
    let tap_x = taps % KERNEL_X;
    let pads = params.pad_before;
    let size = input_size();
    let is_tap = taps < vec4<u32>(KERNEL_Z * KERNEL_Y * KERNEL_X);
    let x = cell_coordinate(window_x, tap_x, STRIDE_X, DILATION_X, pads.z, size.z);
    var cells = Cells(vec4<u32>(0u), vec4<u32>(0u), x.nearest, is_tap & x.exists);
    if SPATIAL_AXES > 1u {
        let y = cell_coordinate(vec4<u32>(at.y), tap_y, STRIDE_Y, DILATION_Y, pads.y, size.y);
        cells.y = y.nearest;
        cells.exists = cells.exists & y.exists;
    }
    if SPATIAL_AXES > 2u {
        let tap_z = min(taps / (KERNEL_X * KERNEL_Y), vec4<u32>(KERNEL_Z - 1u));
        let z = cell_coordinate(vec4<u32>(at.z), tap_z, STRIDE_Z, DILATION_Z, pads.x, size.x);
        cells.z = z.nearest;
        cells.exists = cells.exists & z.exists;
    }
    return cells;
}

// The taps of a work item's four windows, from whole words. The last word of a tensor may contain the taps of fewer
// windows; it is loaded whole nevertheless. Where `exists` is false all bits of each tap are set, which is no tap: a
// window whose taps are bytes has at most 255 cells, and any other at most 65,535.
fn load_taps_of_item(item: u32, exists: bool) -> vec4<u32> {
    let first = item * TAP_BYTES - params.taps_base;
    if TAP_BYTES == 2u {
        let second = select(first, first + 1u, has_taps_word(item, 1u));
        let words = vec2<u32>(taps_in[first], taps_in[second]);
        let pair = select(vec2<u32>(NONE), words, vec2<bool>(exists));
        return vec4<u32>(pair.x & 0xffffu, pair.x >> 16u, pair.y & 0xffffu, pair.y >> 16u);
    }
    let word = select(NONE, taps_in[first], exists);
    return (vec4<u32>(word) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(0xffu);
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

// Adjacent elements as one vec4: four channels of a pixel, where channels come last and their number is a multiple of
// four, or four elements of a row (max_pool_row.wgsl, max_unpool_backward.wgsl), where rows have a multiple of four
// elements. In a module with tap_words.wgsl, elements have 16 or 8 bits and stay in words: the vec4 is four words,
// which are 8 or 16 channels of a pixel. A coordinate is one number for the whole vec4, which one instruction loads or
// stores.

alias Loaded = Packed;
alias Coordinate = u32;
alias SignedCoordinate = i32;
alias Mask = bool;

// The position of a work item: four channels of a pixel, or a vec4 of a row.
fn position(item: u32) -> Position {
    let at = coordinates(item);
    return Position(at.outer, at.z, at.y, at.x, at.inner, true);
}

fn load(address: Coordinate) -> vec4<u32> {
    return unpack(tensor_in[address - params.input_base]);
}

fn load_taps(address: Coordinate) -> vec4<u32> {
    return load_taps_of_item(address, true);
}

// The coordinates on x of four windows: of channels of one window, or adjacent in a row.
fn window_x(at: Position) -> vec4<u32> {
    return select(vec4<u32>(at.x), vec4<u32>(at.x * 4u) + vec4<u32>(0u, 1u, 2u, 3u), ONE_ELEMENT_PER_PIXEL);
}

// Elements of a pixel.
fn channels() -> u32 {
    return params.inner * 4u;
}

// The channel of each lane inside its pixel.
fn channel(inner: Coordinate) -> vec4<u32> {
    return vec4<u32>(inner * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
}

// Stores of four elements at once: of vec4.wgsl, of row_words.wgsl, and of flat.wgsl where the numbers of elements are
// multiples of four.

alias Stored = Packed;

// Stores the four elements of a number.
fn store_item(item: u32, elements: vec4<u32>) {
    tensor_out[item - params.output_base] = pack(elements);
}

// Whether the tensor has word `word` of a work item's taps: each work item has four windows.
fn has_taps_word(item: u32, word: u32) -> bool {
    return true;
}

// The order of elements, in four lanes. Elements are compared on their bits: a float
// comparison may flush subnormals, and may assume that there is no NaN.

// The sign bit of a signed integer, which its key inverts.
const SIGN: u32 = select(0u, 0x80000000u, KIND == SIGNED);

// Integers in the order of the elements, the least element 0. −0 and +0 are one number. The keys of floats run
// from −∞ to +∞; those of NaNs are above, because the negative ones wrap around.
fn ordered_key(elements: vec4<u32>) -> vec4<u32> {
    let top = elements << vec4<u32>(32u - BITS);
    if !IS_FLOAT {
        return top ^ vec4<u32>(SIGN);
    }
    // All ones where the sign is set, and 0 elsewhere: negates the magnitude in two's complement.
    let sign = bitcast<vec4<u32>>(bitcast<vec4<i32>>(top) >> vec4<u32>(31u));
    return ((top & vec4<u32>(0x7fffffffu)) ^ sign) - sign + INFINITY;
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

// The search for the maximum of four windows: elements, keys and taps side by side.

// The maximum of some cells of four windows.
struct Maximum {
    elements: vec4<u32>,
    keys: vec4<u32>,
    taps: vec4<u32>,
}

// The maximum of one cell each. A cell of the padding has the least key, and so never takes over.
fn maximum_of_cells(elements: vec4<u32>, inside: vec4<bool>, tap: u32) -> Maximum {
    return Maximum(elements, select(vec4<u32>(0u), ordered_key(elements), inside), vec4<u32>(tap));
}

// The maximum of some cells and of cells after them in raster order: the first of equal elements, and the last
// NaN, as in PyTorch. A key that follows must exceed that of the maximum, or that of +∞ if the maximum is NaN.
fn later(maximum: Maximum, next: Maximum) -> Maximum {
    var threshold = maximum.keys;
    if IS_FLOAT {
        threshold = min(threshold, vec4<u32>(INFINITY * 2u));
    }
    let takes_over = next.keys > threshold;
    return Maximum(
        select(maximum.elements, next.elements, takes_over),
        select(maximum.keys, next.keys, takes_over),
        select(maximum.taps, next.taps, takes_over),
    );
}

// The maximum of windows whose cells have all been compared, given their first taps that lie in the input. Where
// no cell is above the least element, a cell of the padding may have been taken: the maximum is the least element, in
// the first cell that lies in the input.
fn settled(maximum: Maximum, first_tap: vec4<u32>) -> Maximum {
    let is_least = maximum.keys == vec4<u32>(0u);
    if !PADDED || !any(is_least) {
        return maximum;
    }
    let least = select(SIGN, INFINITY | 0x80000000u, IS_FLOAT) >> (32u - BITS);
    return Maximum(
        select(maximum.elements, vec4<u32>(least), is_least),
        maximum.keys,
        select(maximum.taps, first_tap, is_least),
    );
}

// The maximum of a row with the taps that its cells have in a window, where the first has `first_tap`.
fn in_window(row: Maximum, first_tap: u32) -> Maximum {
    return Maximum(row.elements, row.keys, row.taps + first_tap);
}

fn elements_of(maximum: Maximum) -> vec4<u32> {
    return maximum.elements;
}

fn taps_of(maximum: Maximum) -> vec4<u32> {
    return maximum.taps;
}

// Max pooling, with argmax or without. A work item makes four adjacent pooled values, or, where elements of 16 or 8
// bits are compared in words (tagged_words.wgsl), 8 or 16 of them; with argmax it also makes their taps.
//
// tensor_in: the input. tensor_out: the values. taps_out, with argmax: for each value, the tap of its cell.
//
// `find_maximum` and `store_maximum` are written for the window by src/gpu/kernel/generated: a call of `load_cell`
// for each cell of the window, or `find_maximum_in_loop` for a window of many cells.

// The cells that are tap_z, tap_y, tap_x taps into the windows.
fn load_cell(at: Position, tap: u32, tap_z: u32, tap_y: u32, tap_x: u32) -> Maximum {
    let pads = vec3<i32>(params.pad_before);
    let z = SignedCoordinate(at.z * STRIDE_Z + Coordinate(tap_z * DILATION_Z)) - SignedCoordinate(pads.x);
    let y = SignedCoordinate(at.y * STRIDE_Y + Coordinate(tap_y * DILATION_Y)) - SignedCoordinate(pads.y);
    let x = SignedCoordinate(at.x * STRIDE_X + Coordinate(tap_x * DILATION_X)) - SignedCoordinate(pads.z);
    let size = input_size();
    var source = address(size, at.outer, Coordinate(z), Coordinate(y), Coordinate(x), at.inner);
    var inside = vec4<bool>(true);
    if PADDED {
        source = address(size, at.outer, nearest(z, size.x), nearest(y, size.y), nearest(x, size.z), at.inner);
        inside = vec4<bool>(in_input(z, y, x));
    }
    return maximum_of_cells(load(source), inside, tap);
}

// One loop instead of three: Mesa's llvmpipe ends the loops of an invocation after 65,535 iterations in all,
// and a window has at most 65,535 cells.
fn find_maximum_in_loop(at: Position) -> Maximum {
    var maximum = load_cell(at, 0u, 0u, 0u, 0u);
    for (var tap = 1u; tap < KERNEL_Z * KERNEL_Y * KERNEL_X; tap++) {
        let row = tap / KERNEL_X;
        maximum = later(maximum, load_cell(at, tap, row / KERNEL_Y, row % KERNEL_Y, tap % KERNEL_X));
    }
    return maximum;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn max_pool(id: Invocation) {
    let item = work_item(id);
    if item == NONE {
        return;
    }
    let at = position(item);
    let first = first_tap(vec4<u32>(at.z), vec4<u32>(at.y), window_x(at));
    store_maximum(item, settled(find_maximum(at), first));
}

fn find_maximum(at: Position) -> Maximum {
    var maximum = load_cell(at, 0u, 0u, 0u, 0u);
    maximum = later(maximum, load_cell(at, 1u, 0u, 0u, 1u));
    maximum = later(maximum, load_cell(at, 2u, 0u, 1u, 0u));
    maximum = later(maximum, load_cell(at, 3u, 0u, 1u, 1u));
    return maximum;
}

fn store_maximum(item: u32, maximum: Maximum) {
    store_item(item, elements_of(maximum));
    store_taps_of_item(item, taps_of(maximum));
}
