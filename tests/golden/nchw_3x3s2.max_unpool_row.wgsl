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
const PIXEL: u32 = 1u;
const STRIP: u32 = 1u;
const REACH: u32 = 0u;
const ONE_ELEMENT_PER_PIXEL: bool = true;
const FEW_ROWS: bool = false;
const PADDED: bool = false;
const SUMMED: bool = true;
const OVERLAPPING: bool = true;
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

// Sums of elements, the same to the bit on every device: floats are added in binary32 and rounded once to
// the element (to nearest even), with a NaN in its canonical form; integers are added in 64 bits and
// saturate.

// Four sums, or terms of sums. An integer is 64 bits in two's complement. A float is a binary32 in `low`,
// which may be 0 for a subnormal, since a device may flush subnormals; a float below 2^-100 is also in
// `high`, multiplied by 2^64, which is exact.
struct Sum {
    low: vec4<u32>,
    high: vec4<u32>,
}

// 2^-100. Sums of floats below it are read from `high`.
const LEAST_LOW: u32 = 27u << 23u;

// Elements as terms. A sum starts from +0 and so is never −0. The sign of a zero is cleared on its bits,
// because compilers drop the addition of 0.
fn term(elements: vec4<u32>) -> Sum {
    if IS_FLOAT {
        let wide = widen(elements);
        let magnitude = wide & vec4<u32>(0x7fffffffu);
        let low = select(wide, vec4<u32>(0u), magnitude == vec4<u32>(0u));
        return Sum(low, scale_up(low));
    }
    if KIND == SIGNED {
        let shift = vec4<u32>(32u - BITS);
        let wide = bitcast<vec4<i32>>(elements << shift) >> shift;
        return Sum(bitcast<vec4<u32>>(wide), bitcast<vec4<u32>>(wide >> vec4<u32>(31u)));
    }
    return Sum(elements, vec4<u32>(0u));
}

// a + b. Floats are added in binary32, rounded to nearest even, with subnormals.
//
// Where both terms are below 2^-100, their multiples in `high` are added: those are normal numbers, and so is
// their sum, so that the scaling is exact. Where one term is not below 2^-100, a subnormal other term is less
// than half of that term's last place, so that flushing it changes nothing; and a sum that is not 0 is at
// least 2^-124. Sums of binary16 are multiples of 2^-24 and are never subnormal.
fn add(a: Sum, b: Sum) -> Sum {
    if !IS_FLOAT {
        let low = a.low + b.low;
        let carry = select(vec4<u32>(0u), vec4<u32>(1u), low < b.low);
        return Sum(low, a.high + b.high + carry);
    }
    let plain = bitcast<vec4<f32>>(a.low) + bitcast<vec4<f32>>(b.low);
    if KIND == BINARY16 {
        return Sum(bitcast<vec4<u32>>(plain), vec4<u32>(0u));
    }
    let scaled = bitcast<vec4<f32>>(a.high) + bitcast<vec4<f32>>(b.high);
    let larger = max(a.low & vec4<u32>(0x7fffffffu), b.low & vec4<u32>(0x7fffffffu));
    let is_small = larger < vec4<u32>(LEAST_LOW);
    return Sum(
        bitcast<vec4<u32>>(select(plain, scaled * 0x1p-64f, is_small)),
        bitcast<vec4<u32>>(select(plain * 0x1p64f, scaled, is_small)),
    );
}

// `sum`, with the elements added in the lanes that are `hit`.
fn sum_with(sum: Sum, elements: vec4<u32>, hit: vec4<bool>) -> Sum {
    let next = add(sum, term(elements));
    return Sum(select(sum.low, next.low, hit), select(sum.high, next.high, hit));
}

// The sum of one element, as an element: a NaN in its canonical form, and no −0.
fn sum_of_one(elements: vec4<u32>) -> vec4<u32> {
    let sign = 1u << (BITS - 1u);
    let magnitude = elements & vec4<u32>(sign - 1u);
    let infinity = INFINITY >> (32u - BITS);
    let quiet = select(0x7fc00000u, 0x7e000000u, KIND == BINARY16) >> (32u - BITS);
    let number = select(elements, vec4<u32>(0u), magnitude == vec4<u32>(0u));
    return select(number, vec4<u32>(quiet), magnitude > vec4<u32>(infinity));
}

// The sums as elements.
fn total(sum: Sum) -> vec4<u32> {
    if KIND == BINARY16 {
        return round_to_element(sum.low);
    }
    if IS_FLOAT {
        let is_small = (sum.low & vec4<u32>(0x7fffffffu)) < vec4<u32>(LEAST_LOW);
        return round_to_element(select(sum.low, scale_down(sum.high), is_small));
    }
    let mask = (1u << (BITS % 32u)) - 1u;
    if KIND == UNSIGNED {
        let all = select(mask, 0xffffffffu, BITS == 32u);
        let over = (sum.high != vec4<u32>(0u)) | (sum.low > vec4<u32>(all));
        return select(sum.low, vec4<u32>(all), over);
    }
    let negative = bitcast<vec4<i32>>(sum.high) < vec4<i32>(0);
    let fits = bitcast<vec4<u32>>(bitcast<vec4<i32>>(sum.low) >> vec4<u32>(31u)) == sum.high;
    let limit = select(vec4<u32>(0x7fffffffu), vec4<u32>(0x80000000u), negative);
    let wide = select(limit, sum.low, fits);
    if BITS == 32u {
        return wide;
    }
    let largest = i32(mask >> 1u);
    let element = clamp(bitcast<vec4<i32>>(wide), vec4<i32>(-largest - 1), vec4<i32>(largest));
    return bitcast<vec4<u32>>(element) & vec4<u32>(mask);
}

// Elements as the bits of binary32. A subnormal binary16 is a normal binary32.
fn widen(elements: vec4<u32>) -> vec4<u32> {
    if KIND == BINARY32 {
        return elements;
    }
    if KIND == BFLOAT16 {
        return elements << vec4<u32>(16u);
    }
    // The exponent is rebiased by 112, and once more from the largest to the largest. That of a subnormal comes out
    // as 2^-15 for 2^-14, with a leading 1 that is none.
    let top = elements << vec4<u32>(16u);
    let magnitude = (top >> vec4<u32>(3u)) & vec4<u32>(0x0fffe000u);
    let unbounded = magnitude >= vec4<u32>(0x1fu << 23u);
    let wide = magnitude + select(vec4<u32>(112u << 23u), vec4<u32>(224u << 23u), unbounded);
    let subnormal = bitcast<vec4<u32>>(bitcast<vec4<f32>>(wide) * 2.0 - 0x1p-14f);
    let number = select(wide, subnormal, magnitude < vec4<u32>(1u << 23u));
    return (top & vec4<u32>(0x80000000u)) | number;
}

// Binary32 bits rounded to the element.
fn round_to_element(bits: vec4<u32>) -> vec4<u32> {
    let magnitude = bits & vec4<u32>(0x7fffffffu);
    let nan = magnitude > vec4<u32>(0x7f800000u);
    if KIND == BINARY32 {
        return select(bits, vec4<u32>(0x7fc00000u), nan);
    }
    if KIND == BFLOAT16 {
        let odd = (bits >> vec4<u32>(16u)) & vec4<u32>(1u);
        return select((bits + vec4<u32>(0x7fffu) + odd) >> vec4<u32>(16u), vec4<u32>(0x7fc0u), nan);
    }
    // Adding 2^(e+13) to a magnitude of exponent e rounds the magnitude to a multiple of 2^(e-10), which is the last
    // place of a binary16 of this exponent. Below 2^-14 the exponent is taken as −14, which gives the last place of the
    // subnormals. The bits of 2^(e+13) are then subtracted from those of the sum. From 65,520 up the result is the
    // infinity; magnitudes above 65,536 are replaced by 65,536.
    let bounded = min(magnitude, vec4<u32>(0x47800000u));
    let exponent = max(bounded & vec4<u32>(0x7f800000u), vec4<u32>(0x38800000u));
    let shift = exponent + (13u << 23u);
    let sum = bitcast<vec4<u32>>(bitcast<vec4<f32>>(bounded) + bitcast<vec4<f32>>(shift));
    let rounded = (exponent >> vec4<u32>(13u)) - (113u << 10u) + (sum - shift);
    let signed = rounded | ((bits >> vec4<u32>(16u)) & vec4<u32>(0x8000u));
    return select(signed, vec4<u32>(0x7e00u), nan);
}

// The bits of 2^64 times a float below 2^-100. Of a larger float the result has no meaning.
fn scale_up(bits: vec4<u32>) -> vec4<u32> {
    let magnitude = bits & vec4<u32>(0x7fffffffu);
    // 2^-62 · (1 + f) − 2^-62, where f is the fraction of a subnormal.
    let fraction = bitcast<vec4<f32>>(magnitude + vec4<u32>(65u << 23u)) - 0x1p-62f;
    let normal = magnitude + vec4<u32>(64u << 23u);
    let is_normal = magnitude >= vec4<u32>(1u << 23u);
    return select(bitcast<vec4<u32>>(fraction), normal, is_normal) | (bits & vec4<u32>(0x80000000u));
}

// The bits of a float from those of 2^64 times that float.
fn scale_down(bits: vec4<u32>) -> vec4<u32> {
    let magnitude = bits & vec4<u32>(0x7fffffffu);
    let subnormal = bitcast<vec4<u32>>(bitcast<vec4<f32>>(magnitude) + 0x1p-62f) - vec4<u32>(65u << 23u);
    let normal = magnitude - vec4<u32>(64u << 23u);
    let is_normal = magnitude >= vec4<u32>(65u << 23u);
    return select(subnormal, normal, is_normal) | (bits & vec4<u32>(0x80000000u));
}

// The elements of four cells of an unpooling, gathered from the windows that cover them in a loop, with exact
// sums: any window, and any value.
//
// Window q covers cell p of the padded input by its tap t where q·stride + t·dilation = p, on each axis. The
// loop visits the taps from the last to the first, which visits the windows in raster order, and only taps by
// which some window can cover the cell: t = first, first + STEP, first + 2·STEP …, where
// STEP = stride / gcd(stride, dilation). A window has at most 65,535 taps, and the loop at most as many
// iterations. src/geometry/taps_of_cell.rs computes STEP, INVERSE and TAPS (the largest number of such taps).

// The smallest tap, on one axis, by which a window can cover cell p.
fn first_tap_of_cell(p: Coordinate, stride: u32, step: u32, inverse: u32) -> Coordinate {
    return p / (stride / step) % step * inverse % step;
}

// The window that covers a cell by a tap, on one axis; the nearest window where there is none.
struct Window {
    nearest: Coordinate,
    exists: Mask,
}

fn window_of_tap(
    p: Coordinate, tap: Coordinate, kernel: u32, stride: u32, dilation: u32, pooled: u32,
) -> Window {
    let offset = tap * dilation;
    let window = (p - offset) / stride;
    // Masks are combined two at a time: see `in_input`.
    let is_tap = tap < Coordinate(kernel);
    let starts_before = offset <= p;
    let is_whole = window * stride == p - offset;
    let is_window = window < Coordinate(pooled);
    let is_offset = is_tap & starts_before;
    let is_start = is_whole & is_window;
    return Window(min(window, Coordinate(pooled - 1u)), is_offset & is_start);
}

// The elements of cells z, y, x of the padded input.
fn gather(at: Position, z: Coordinate, y: Coordinate, x: Coordinate) -> vec4<u32> {
    let first_z = first_tap_of_cell(z, STRIDE_Z, STEP_Z, INVERSE_Z);
    let first_y = first_tap_of_cell(y, STRIDE_Y, STEP_Y, INVERSE_Y);
    let first_x = first_tap_of_cell(x, STRIDE_X, STEP_X, INVERSE_X);
    var last = vec4<u32>(0u);
    var sum = Sum(vec4<u32>(0u), vec4<u32>(0u));
    // One loop instead of three: as in max_pool.wgsl.
    for (var left = TAPS_Z * TAPS_Y * TAPS_X; left > 0u; left--) {
        let number = left - 1u;
        let tap_z = first_z + Coordinate(number / (TAPS_Y * TAPS_X) * STEP_Z);
        let tap_y = first_y + Coordinate(number / TAPS_X % TAPS_Y * STEP_Y);
        let tap_x = first_x + Coordinate(number % TAPS_X * STEP_X);
        let window_z = window_of_tap(z, tap_z, KERNEL_Z, STRIDE_Z, DILATION_Z, pooled_size().x);
        let window_y = window_of_tap(y, tap_y, KERNEL_Y, STRIDE_Y, DILATION_Y, pooled_size().y);
        let window_x = window_of_tap(x, tap_x, KERNEL_X, STRIDE_X, DILATION_X, pooled_size().z);
        let in_slice = window_y.exists & window_x.exists;
        let in_tensor = window_z.exists & in_slice;
        let covers = vec4<bool>(at.exists & in_tensor);
        if !any(covers) {
            continue;
        }
        let source = address(
            pooled_size(), at.outer, window_z.nearest, window_y.nearest, window_x.nearest, at.inner,
        );
        let tap = (tap_z * KERNEL_Y + tap_y) * KERNEL_X + tap_x;
        let hit = covers & (load_taps(source) == vec4<u32>(tap));
        if any(hit) {
            let elements = load(source);
            if SUMMED {
                sum = sum_with(sum, elements, hit);
            } else {
                last = select(last, elements, hit);
            }
        }
    }
    if SUMMED {
        return total(sum);
    }
    return last;
}

// The accumulator of a cell in an unpooling, in four lanes: the last of the values that go to the cell, or
// their sum. Each window is loaded once, and the cells that it covers accumulate from it.
//
// Sums are in binary32, or in 32 bits, as long as no term asks for more: see `needs_exact_sums`.

// The values and the taps of four windows.
struct Pooled {
    // Terms of a sum; where nothing is summed, the elements.
    terms: vec4<u32>,
    taps: vec4<u32>,
}

// The taps of windows that do not exist are no taps.
fn pooled(elements: vec4<u32>, taps: vec4<u32>) -> Pooled {
    var terms = elements;
    if SUMMED && OVERLAPPING {
        // A term may be −0: `finish` makes sums +0.
        terms = select(term(elements).low, widen(elements), IS_FLOAT);
    } else if SUMMED && IS_FLOAT {
        terms = sum_of_one(elements);
    }
    return Pooled(terms, taps);
}

// Small where an addition of this file could go wrong: for a float that is not 0 and below 2^-100 (twice the
// magnitude of 0 wraps to the largest number), and for an integer of a large magnitude.
fn smallness(terms: vec4<u32>) -> vec4<u32> {
    if IS_FLOAT {
        return terms * 2u - 1u;
    }
    if KIND == SIGNED {
        return ~(terms ^ bitcast<vec4<u32>>(bitcast<vec4<i32>>(terms) >> vec4<u32>(31u)));
    }
    return ~terms;
}

// Whether sums of some terms need the exact additions of sum.wgsl, given the least `smallness` of the terms.
// Floats from 2^-100 up are multiples of 2^-123, and so is each of their sums, so that no subnormal comes up,
// which a device may flush. Sums of binary16 in binary32 are never subnormal, and those of 8 bits never reach
// 32; of 32 bits, at most nine terms are added.
fn needs_exact_sums(smallest: vec4<u32>) -> bool {
    let least = select(~(1u << 27u), LEAST_LOW * 2u - 1u, IS_FLOAT);
    return any(smallest < vec4<u32>(least));
}

// The accumulator of a cell after the first window, where the cell is `hit` by it.
fn accumulate_first_hits(terms: vec4<u32>, hit: vec4<bool>) -> vec4<u32> {
    return select(vec4<u32>(0u), terms, hit);
}

// The accumulator after a further window.
fn accumulate_hits(accumulator: vec4<u32>, terms: vec4<u32>, hit: vec4<bool>) -> vec4<u32> {
    if SUMMED && OVERLAPPING {
        let summand = select(vec4<u32>(0u), terms, hit);
        if IS_FLOAT {
            return bitcast<vec4<u32>>(bitcast<vec4<f32>>(accumulator) + bitcast<vec4<f32>>(summand));
        }
        return accumulator + summand;
    }
    return select(accumulator, terms, hit);
}

// The same of windows in which the cell has these taps.
fn accumulate_first(window: Pooled, taps: vec4<u32>) -> vec4<u32> {
    return accumulate_first_hits(window.terms, window.taps == taps);
}

fn accumulate(accumulator: vec4<u32>, window: Pooled, taps: vec4<u32>) -> vec4<u32> {
    return accumulate_hits(accumulator, window.terms, window.taps == taps);
}

// The elements of an accumulator after the last window. A sum is never −0: it starts from +0, which compilers
// may leave out.
fn finish(accumulator: vec4<u32>) -> vec4<u32> {
    if SUMMED && OVERLAPPING {
        if IS_FLOAT {
            let magnitude = accumulator & vec4<u32>(0x7fffffffu);
            return round_to_element(select(accumulator, vec4<u32>(0u), magnitude == vec4<u32>(0u)));
        }
        let sign = bitcast<vec4<u32>>(bitcast<vec4<i32>>(accumulator) >> vec4<u32>(31u));
        return total(Sum(accumulator, select(vec4<u32>(0u), sign, vec4<bool>(KIND == SIGNED))));
    }
    return accumulator;
}

// The elements of a cell that one window covers.
fn finish_one(window: Pooled, taps: vec4<u32>) -> vec4<u32> {
    return finish(accumulate_first(window, taps));
}

// The elements of a cell that no window covers.
fn no_window() -> vec4<u32> {
    return vec4<u32>(0u);
}

// The taps of the cells of four lanes in windows that each lane finds by itself.

// A number that is larger than every tap, also when it is multiplied and added to others.
const NO_TAP: u32 = 0x10000u;

// The taps, on one axis, of cells in the windows that are `before` windows before those that start their stride
// blocks, or NO_TAP.
fn taps_of_cells(cell: vec4<u32>, before: u32, stride: u32, kernel: u32, dilation: u32) -> vec4<u32> {
    let offset = cell % stride + before * stride;
    if dilation == 1u && (before + 1u) * stride <= kernel {
        return offset;
    }
    let tap = offset / dilation;
    let is_offset = offset % dilation == vec4<u32>(0u);
    return select(vec4<u32>(NO_TAP), tap, is_offset & (tap < vec4<u32>(kernel)));
}

// Unpooling, and the gradient of max pooling, where the elements of a row, pixels times channels, divide by
// four. A work item owns four adjacent elements, or 16 bytes of elements of 16 or 8 bits (row_words.wgsl), in each
// row of a stride block: the rows from the start of one window to the start of the next, on z and y. Where windows
// overlap and the stride on y is 1, it owns a strip of STRIP blocks, one below the other. Adjacent work items store
// adjacent bytes.
//
// tensor_in: the pooled values. taps_in: the tap of each. tensor_out: the unpooled tensor.
//
// `unpool` is written for the window by src/gpu/kernel/generated. Where a pixel is one element and the stride on x
// divides four, the windows of each lane are constants of the code, counted from a window that `RowCells` gives, and
// each window is loaded once (by `load_windows`, or as a part of a vec4 where the stride is 1: windows_vec4.wgsl).
// Elsewhere each lane loads the windows of its own cell (`load_windows_at`).

// Four adjacent elements of a row, in each row of a strip of stride blocks.
struct RowCells {
    outer: u32,
    // The window that starts the first block.
    z: u32,
    y: u32,
    // Number of the vec4 in its row.
    number: u32,
    // For each lane its cell on x, counted with the padding, and its channel.
    x: vec4<u32>,
    inner: vec4<u32>,
}

// A row of windows.
struct WindowRow {
    // Number of its first window in the pooled tensor.
    first: u32,
    exists: bool,
}

// The row of windows that is after_z, after_y rows after the one that starts the strip.
fn window_row(cells: RowCells, after_z: i32, after_y: i32) -> WindowRow {
    // A coordinate before the first window wraps to a number larger than any extent.
    let z = cells.z + u32(after_z);
    let y = cells.y + u32(after_y);
    let exists = z < pooled_size().x && y < pooled_size().y;
    let slice = cells.outer * pooled_size().x + min(z, pooled_size().x - 1u);
    let row = slice * pooled_size().y + min(y, pooled_size().y - 1u);
    return WindowRow(row * pooled_size().z, exists);
}

// Stores the elements in row rz, ry of the strip, if the output has the row.
fn store_cells(cells: RowCells, rz: u32, ry: u32, elements: vec4<u32>) {
    // A coordinate before the input wraps to a number larger than any extent.
    let z = cells.z * STRIDE_Z + rz - params.pad_before.x;
    let y = cells.y * STRIDE_Y + ry - params.pad_before.y;
    if z < input_size().x && y < input_size().y {
        let row = (cells.outer * input_size().x + z) * input_size().y + y;
        store_item(row * params.extents.z + cells.number, elements);
    }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn max_unpool_row(id: Invocation) {
    let item = work_item(id);
    if item == NONE {
        return;
    }
    let at = pixel_coordinates(item, 0u);
    let element = vec4<u32>(at.x * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
    var x = element;
    var inner = vec4<u32>(0u);
    if !ONE_ELEMENT_PER_PIXEL {
        x = element / params.inner;
        inner = element - x * params.inner;
    }
    let z = at.z + params.first_block.x;
    let y = at.y * STRIP + params.first_block.y;
    unpool(RowCells(at.outer, z, y, at.x, x + params.pad_before.z, inner));
}

// Loads and exact sums of max_unpool_row.wgsl where four elements are four lanes.

// For each lane window x of a row, in the lane's channel.
fn load_windows_at(cells: RowCells, row: WindowRow, x: vec4<u32>) -> Pooled {
    // A coordinate before the first window wraps to a number larger than any extent.
    let exists = x < vec4<u32>(pooled_size().z);
    var source = row.first + min(x, vec4<u32>(pooled_size().z - 1u));
    if !ONE_ELEMENT_PER_PIXEL {
        source = source * params.inner + cells.inner;
    }
    let taps = select(vec4<u32>(NONE), load_taps(source), vec4<bool>(row.exists) & exists);
    return pooled(load(source), taps);
}

// Four adjacent windows of a row: the first is `offset` windows from those that start the cells' own stride
// blocks.
fn load_windows(cells: RowCells, row: WindowRow, offset: i32) -> Pooled {
    let first = cells.number * (4u / STRIDE_X) + u32(offset);
    return load_windows_at(cells, row, vec4<u32>(first) + vec4<u32>(0u, 1u, 2u, 3u));
}

// Stores the elements of the strip, with exact sums.
fn unpool_exactly(cells: RowCells) {
    var at: Position;
    at.outer = vec4<u32>(cells.outer);
    at.inner = cells.inner;
    at.exists = vec4<bool>(true);
    for (var row = 0u; row < STRIDE_Z * STRIP * STRIDE_Y; row++) {
        let rz = row / (STRIP * STRIDE_Y);
        let ry = row % (STRIP * STRIDE_Y);
        let z = vec4<u32>(cells.z * STRIDE_Z + rz);
        let y = vec4<u32>(cells.y * STRIDE_Y + ry);
        store_cells(cells, rz, ry, gather(at, z, y, cells.x));
    }
}

fn unpool(cells: RowCells) {
    let row0 = window_row(cells, 0, -1);
    let windows0_0 = load_windows(cells, row0, -1);
    var smallest = smallness(windows0_0.terms);
    let lanes0_1 = Pooled(vec4<u32>(0u, windows0_0.terms.y, 0u, windows0_0.terms.z), vec4<u32>(NONE, windows0_0.taps.y, NONE, windows0_0.taps.z));
    let lanes0_0 = Pooled(vec4<u32>(windows0_0.terms.y, windows0_0.terms.z, windows0_0.terms.z, windows0_0.terms.w), vec4<u32>(windows0_0.taps.y, windows0_0.taps.z, windows0_0.taps.z, windows0_0.taps.w));
    let cell000_0 = accumulate_first(lanes0_1, vec4<u32>(0u, 2u, 0u, 2u) + 6u);
    let cell000_1 = accumulate(cell000_0, lanes0_0, vec4<u32>(1u, 0u, 1u, 0u) + 6u);
    let row1 = window_row(cells, 0, 0);
    let windows1_0 = load_windows(cells, row1, -1);
    smallest = min(smallest, smallness(windows1_0.terms));
    let lanes1_1 = Pooled(vec4<u32>(0u, windows1_0.terms.y, 0u, windows1_0.terms.z), vec4<u32>(NONE, windows1_0.taps.y, NONE, windows1_0.taps.z));
    let lanes1_0 = Pooled(vec4<u32>(windows1_0.terms.y, windows1_0.terms.z, windows1_0.terms.z, windows1_0.terms.w), vec4<u32>(windows1_0.taps.y, windows1_0.taps.z, windows1_0.taps.z, windows1_0.taps.w));
    let cell000_2 = accumulate(cell000_1, lanes1_1, vec4<u32>(0u, 2u, 0u, 2u) + 0u);
    let cell010_0 = accumulate_first(lanes1_1, vec4<u32>(0u, 2u, 0u, 2u) + 3u);
    let cell000_3 = accumulate(cell000_2, lanes1_0, vec4<u32>(1u, 0u, 1u, 0u) + 0u);
    let cell010_1 = accumulate(cell010_0, lanes1_0, vec4<u32>(1u, 0u, 1u, 0u) + 3u);
    if needs_exact_sums(smallest) {
        unpool_exactly(cells);
        return;
    }
    store_cells(cells, 0u, 0u, finish(cell000_3));
    store_cells(cells, 0u, 1u, finish(cell010_1));
}
