// The constants of this kernel.

const WORKGROUP_SIZE: u32 = 128u;
const BITS: u32 = 16u;
const KIND: u32 = 1u;
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

// Loads of flat.wgsl, of single words.

alias Loaded = u32;

// The element by its number, counted from the first that is bound.
fn load_element(number: u32) -> u32 {
    return element_of_word(tensor_in[number / (32u / BITS)], number);
}

// Four elements that are adjacent in memory and may belong to different pixels, rows or images: any geometry
// and any element. A coordinate is four numbers, and each element is loaded by itself. load_words.wgsl,
// load_vec4.wgsl, store_vec4.wgsl and flat_words.wgsl have the loads and stores.

alias Coordinate = vec4<u32>;
alias SignedCoordinate = vec4<i32>;
alias Mask = vec4<bool>;

// The positions of elements 4·item to 4·item + 3. That of the first is found by divisions, the others by counting on.
// Lanes past the last element repeat it, so that they can be read.
fn position(item: u32) -> Position {
    let element = item * 4u;
    let first = coordinates(element);
    var outer = first.outer;
    var z = first.z;
    var y = first.y;
    var x = first.x;
    var inner = first.inner;
    var at: Position;
    for (var lane = 0u; lane < 4u; lane++) {
        at.outer[lane] = outer;
        at.z[lane] = z;
        at.y[lane] = y;
        at.x[lane] = x;
        at.inner[lane] = inner;
        at.exists[lane] = element + lane < params.elements;
        if element + lane + 1u >= params.elements {
            continue;
        }
        // The next element, with a carry into each further coordinate.
        inner++;
        if inner == params.inner {
            inner = 0u;
            x++;
        }
        if x == params.extents.z {
            x = 0u;
            y++;
        }
        if y == params.extents.y {
            y = 0u;
            z++;
        }
        if z == params.extents.x {
            z = 0u;
            outer++;
        }
    }
    return at;
}

fn load(address: Coordinate) -> vec4<u32> {
    return load_bound(address - params.input_base);
}

fn load_taps(address: Coordinate) -> vec4<u32> {
    return load_bound_taps(address - params.taps_base * (4u / TAP_BYTES));
}

// Elements by their numbers, counted from the first that is bound.
fn load_bound(number: vec4<u32>) -> vec4<u32> {
    return vec4<u32>(
        load_element(number.x),
        load_element(number.y),
        load_element(number.z),
        load_element(number.w),
    );
}

// Taps by their numbers, counted from the first that is bound.
fn load_bound_taps(number: vec4<u32>) -> vec4<u32> {
    let tap = vec4<u32>(
        load_tap(number.x),
        load_tap(number.y),
        load_tap(number.z),
        load_tap(number.w),
    );
    return tap & vec4<u32>((1u << (TAP_BYTES * 8u)) - 1u);
}

// A tap in the low bits.
fn load_tap(number: u32) -> u32 {
    return taps_in[number / (4u / TAP_BYTES)] >> (number * TAP_BYTES * 8u % 32u);
}

// The coordinates on x of four windows.
fn window_x(at: Position) -> vec4<u32> {
    return at.x;
}

// Elements of a pixel.
fn channels() -> u32 {
    return params.inner;
}

// The channel of each lane inside its pixel.
fn channel(inner: Coordinate) -> vec4<u32> {
    return inner;
}

// Stores of flat.wgsl word by word, where the number of elements does not divide by four. A work item stores
// whole words, so that no two work items share one.

alias Stored = u32;

// Stores elements 4·item to 4·item + 3 in as many words as they take. The rest of the last word of a tensor
// becomes 0.
fn store_item(item: u32, elements: vec4<u32>) {
    let numbers = vec4<u32>(item * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
    let exists = numbers < vec4<u32>(params.elements);
    let masked = select(vec4<u32>(0u), elements, exists);
    let per_word = 32u / BITS;
    let first = item * (BITS / 8u) - params.output_base;
    for (var word = 0u; word < BITS / 8u; word++) {
        if exists[word * per_word] {
            tensor_out[first + word] = word_of_elements(masked, word);
        }
    }
}

// Whether the tensor has word `word` of a work item's taps.
fn has_taps_word(item: u32, word: u32) -> bool {
    return item * 4u + word * (4u / TAP_BYTES) < params.elements;
}

// The gradient of unpooling. A work item makes four adjacent values of the pooled gradient: each is the cell
// that its tap names, loaded by itself, or zero where the tap names no cell of the input.
//
// Windows that are adjacent in a row share all coordinates but x.
//
// words_in: the unpooled gradient. taps_in: the tap of each pooled value. tensor_out: the pooled gradient.

fn load_cell(number: u32) -> u32 {
    return element_of_word(words_in[number / (32u / BITS) - params.input_base], number);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn max_unpool_backward(id: Invocation) {
    let item = work_item(id);
    if item == NONE {
        return;
    }
    let at = position(item);
    let cells = cells_of_taps(at, window_x(at), load_taps_of_item(item, true));
    let slice = vec4<u32>(at.outer) * input_size().x + cells.z;
    let pixel = (slice * input_size().y + cells.y) * input_size().z + cells.x;
    let element =
        select(pixel * channels() + channel(at.inner), pixel, vec4<bool>(ONE_ELEMENT_PER_PIXEL));
    let gathered = vec4<u32>(
        load_cell(element.x),
        load_cell(element.y),
        load_cell(element.z),
        load_cell(element.w),
    );
    store_item(item, select(vec4<u32>(0u), gathered, cells.exists));
}
