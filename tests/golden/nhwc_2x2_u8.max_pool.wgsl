// The constants of this kernel.

const WORKGROUP_SIZE: u32 = 128u;
const BITS: u32 = 8u;
const KIND: u32 = 4u;
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

// The vector of words that words.wgsl works on: four.

alias Words = vec4<u32>;

// A vec4 that starts with some words, and the words that a vec4 starts with.
fn lanes_of(words: Words) -> vec4<u32> {
    return words;
}

fn words_of(lanes: vec4<u32>) -> Words {
    return lanes;
}

// The taps of `Words` of elements of 8 bits, which lie as the elements do.

alias TapWords = Words;

fn words_of_taps(taps: TapWords) -> Words {
    // Bit 6 instead of bit 7: no tap has either.
    return (taps & Words(0x7f7f7f7fu)) | ((taps >> Words(1u)) & Words(0x40404040u));
}

// The taps of windows as they lie in memory. Each word of `bytes` has the taps of its windows, as bytes from bit 0.
fn taps_of_words(bytes: Words) -> TapWords {
    return bytes;
}

// The taps of as many windows as a `Words` has elements, of 16 or 8 bits. Windows have at most 64 cells.

// 1 in each element of a word.
const ONES: u32 = select(0x00010001u, 0x01010101u, BITS == 8u);

@group(0) @binding(3) var<storage, read> tap_words_in: array<TapWords>;
@group(0) @binding(3) var<storage, read_write> tap_words_out: array<TapWords>;

// The taps of the windows of item `item`: for each element of a `Words` one tap, in as many bits as an element has, of
// which the top one is 0. Where `exists` is false each is 0x7f, which is no tap of a window of at most 64 cells.
fn load_taps_of_item(item: u32, exists: bool) -> Words {
    let taps = words_of_taps(tap_words_in[item - params.taps_base]);
    return select(Words(ONES * 0x7fu), taps, exists);
}

fn store_taps_of_item(item: u32, taps: TapWords) {
    tap_words_out[item - params.taps_base] = taps;
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

// Keys of elements of 16 or 8 bits that contain the tap, for windows of at most 64 cells: the maximum of a window is
// one number, from which element and tap are read at the end.
//
// From the top: the key of order.wgsl, in 16 bits; then, from bit 1, the tap counted down, so that the first of equal
// elements is the largest; and bit 0, which is 0 for a negative float and tells −0 from +0.

// The lower half of the key of tap 0, and the difference from each tap to the next.
const FIRST_TAG: u32 = 0xffffu;
const TAG: u32 = 2u;

// The lower half of the key of a cell of the padding, whose upper half is that of the least element.
const PADDING: u32 = 0x8000u;

// The least element, which cells of the padding have, in each element of a word.
const LEAST: u32 = select(
    select(0u, 0x80808080u, KIND == SIGNED), ((INFINITY >> 16u) | 0x8000u) * 0x10001u, IS_FLOAT,
);

// The largest key that is no NaN.
const LARGEST: u32 = (INFINITY * 2u) | 0xffffu;

// The lower half of the keys of cells.
fn tag_of_cells(inside: bool, tap: u32) -> u32 {
    return select(PADDING, FIRST_TAG - tap * TAG, inside);
}

// Keys of elements that lie in the top bits.
fn tagged_key(top: vec4<u32>, tag: u32) -> vec4<u32> {
    if !IS_FLOAT {
        return (top ^ vec4<u32>(SIGN)) | vec4<u32>(tag);
    }
    // As in `ordered_key`: the tag carries 1 into the magnitude that was negated, and becomes even.
    let sign = bitcast<vec4<u32>>(bitcast<vec4<i32>>(top) >> vec4<u32>(31u));
    return ((top & vec4<u32>(0x7fffffffu)) ^ sign) + (INFINITY + tag);
}

// The key of cells that follow in raster order, where it takes over.
fn later_key(keys: vec4<u32>, next: vec4<u32>) -> vec4<u32> {
    if !IS_FLOAT {
        return max(keys, next);
    }
    return select(keys, next, next > min(keys, vec4<u32>(LARGEST)));
}

// The elements in the top bits, with other bits below them.
fn top_of_key(keys: vec4<u32>) -> vec4<u32> {
    if !IS_FLOAT {
        return keys ^ vec4<u32>(SIGN);
    }
    let sign = (keys & vec4<u32>(1u)) - 1u;
    let magnitude = (((keys - INFINITY) & vec4<u32>(0xffff0000u)) ^ sign) - sign;
    return magnitude | (sign & vec4<u32>(0x80000000u));
}

// The taps in the low byte, each bit inverted, with other bits above them.
fn inverse_tap_of_key(keys: vec4<u32>) -> vec4<u32> {
    return keys >> vec4<u32>(1u);
}

// A cell of the padding is below every other.
fn settled(maximum: Maximum, first_tap: vec4<u32>) -> Maximum {
    return maximum;
}

// The maximum of the windows of four words of elements by the keys of tagged.wgsl.

// The keys of the first elements of the four words, of the second, and of the third and fourth where there are.
struct Maximum {
    first: vec4<u32>,
    second: vec4<u32>,
    third: vec4<u32>,
    fourth: vec4<u32>,
}

// The maximum of one cell each. All cells of the four words lie in the input, or none of them does.
fn maximum_of_cells(elements: vec4<u32>, inside: vec4<bool>, tap: u32) -> Maximum {
    let words = select(vec4<u32>(LEAST), elements, inside.x);
    let tag = tag_of_cells(inside.x, tap);
    if BITS == 16u {
        let first = tagged_key(words << vec4<u32>(16u), tag);
        let second = tagged_key(words & vec4<u32>(0xffff0000u), tag);
        return Maximum(first, second, vec4<u32>(0u), vec4<u32>(0u));
    }
    return Maximum(
        tagged_key(words << vec4<u32>(24u), tag),
        tagged_key((words << vec4<u32>(16u)) & vec4<u32>(0xff000000u), tag),
        tagged_key((words << vec4<u32>(8u)) & vec4<u32>(0xff000000u), tag),
        tagged_key(words & vec4<u32>(0xff000000u), tag),
    );
}

fn later(maximum: Maximum, next: Maximum) -> Maximum {
    return Maximum(
        later_key(maximum.first, next.first),
        later_key(maximum.second, next.second),
        later_key(maximum.third, next.third),
        later_key(maximum.fourth, next.fourth),
    );
}

fn in_window(row: Maximum, first_tap: u32) -> Maximum {
    let tag = first_tap * TAG;
    return Maximum(row.first - tag, row.second - tag, row.third - tag, row.fourth - tag);
}

fn elements_of(maximum: Maximum) -> vec4<u32> {
    let first = top_of_key(maximum.first);
    let second = top_of_key(maximum.second);
    if BITS == 16u {
        return (first >> vec4<u32>(16u)) | (second & vec4<u32>(0xffff0000u));
    }
    let third = (top_of_key(maximum.third) >> vec4<u32>(8u)) & vec4<u32>(0xff0000u);
    let fourth = top_of_key(maximum.fourth) & vec4<u32>(0xff000000u);
    let lower = (first >> vec4<u32>(24u)) | ((second >> vec4<u32>(16u)) & vec4<u32>(0xff00u));
    let upper = third | fourth;
    return lower | upper;
}

fn taps_of(maximum: Maximum) -> TapWords {
    let first = inverse_tap_of_key(maximum.first) & vec4<u32>(0xffu);
    let second = (inverse_tap_of_key(maximum.second) & vec4<u32>(0xffu)) << vec4<u32>(8u);
    let lower = first | second;
    if BITS == 16u {
        return taps_of_words(lower ^ vec4<u32>(0xffffu));
    }
    let third = (inverse_tap_of_key(maximum.third) & vec4<u32>(0xffu)) << vec4<u32>(16u);
    let fourth = inverse_tap_of_key(maximum.fourth) << vec4<u32>(24u);
    let upper = third | fourth;
    return taps_of_words(~(lower | upper));
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
