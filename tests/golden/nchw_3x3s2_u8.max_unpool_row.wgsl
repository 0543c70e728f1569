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

// The vector of words that words.wgsl works on: two.

alias Words = vec2<u32>;

// A vec4 that starts with some words, and the words that a vec4 starts with.
fn lanes_of(words: Words) -> vec4<u32> {
    return vec4<u32>(words, 0u, 0u);
}

fn words_of(lanes: vec4<u32>) -> Words {
    return lanes.xy;
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

// The accumulator of cells in an unpooling, as accumulate.wgsl, where elements of 16 or 8 bits stay in words as they
// lie in memory: an integer operation on a word works on all its elements. Windows have at most 64 cells, so that a
// tap, in as many bits as an element, leaves the top bit free.
//
// `Words` is one vector of words, and `TapWords` the taps of as many windows: see words_vec4.wgsl, words_8.wgsl and
// the others.

// The top bit of each element of a word, and every second element.
const TOPS: u32 = ONES << (BITS - 1u);
const EVEN: u32 = select(0x0000ffffu, 0x00ff00ffu, BITS == 8u);

// Words in the form of two vectors: the even and the odd elements.
struct Halves {
    even: Words,
    odd: Words,
}

fn halves(words: Words) -> Halves {
    return Halves(words & Words(EVEN), (words >> Words(BITS)) & Words(EVEN));
}

// The values and the taps of some windows, and the terms of a sum.
struct Pooled {
    elements: Words,
    taps: Words,
    terms: Halves,
}

fn pooled(elements: Words, taps: Words) -> Pooled {
    let parts = halves(elements);
    if !SUMMED || !IS_FLOAT {
        return Pooled(elements, taps, parts);
    }
    // A term may be −0: `finish` makes sums +0.
    let terms = Halves(words_of(widen(lanes_of(parts.even))), words_of(widen(lanes_of(parts.odd))));
    let even = words_of(sum_of_one(lanes_of(parts.even)));
    let odd = words_of(sum_of_one(lanes_of(parts.odd)));
    return Pooled(even | (odd << Words(BITS)), taps, terms);
}

// A mask of the elements whose windows have one tap, which each component of `taps` is: all bits of these elements
// are set, and no other bits.
fn hits(window: Pooled, taps: vec4<u32>) -> Words {
    // The top bit is left where the taps are equal.
    let equal = (Words(TOPS) - (window.taps ^ Words(taps.x * ONES))) & Words(TOPS);
    return (equal << Words(1u)) - (equal >> Words(BITS - 1u));
}

// The terms that go to some cells; elsewhere 0.
fn summands(window: Pooled, taps: vec4<u32>) -> Halves {
    if IS_FLOAT {
        let parts = halves(window.taps);
        let tap = Words(taps.x);
        return Halves(
            select(Words(0u), window.terms.even, parts.even == tap),
            select(Words(0u), window.terms.odd, parts.odd == tap),
        );
    }
    return halves(window.elements & hits(window, taps));
}

// The accumulator of cells after the first window, in which they have these taps.
fn accumulate_first(window: Pooled, taps: vec4<u32>) -> Halves {
    if SUMMED && OVERLAPPING {
        return summands(window, taps);
    }
    return Halves(finish_one(window, taps), Words(0u));
}

// The accumulator after a further window.
fn accumulate(accumulator: Halves, window: Pooled, taps: vec4<u32>) -> Halves {
    if SUMMED && OVERLAPPING {
        let more = summands(window, taps);
        if IS_FLOAT {
            let even = bitcast<vec4<f32>>(lanes_of(accumulator.even)) + bitcast<vec4<f32>>(lanes_of(more.even));
            let odd = bitcast<vec4<f32>>(lanes_of(accumulator.odd)) + bitcast<vec4<f32>>(lanes_of(more.odd));
            return Halves(words_of(bitcast<vec4<u32>>(even)), words_of(bitcast<vec4<u32>>(odd)));
        }
        return Halves(accumulator.even + more.even, accumulator.odd + more.odd);
    }
    let hit = hits(window, taps);
    return Halves((accumulator.even & ~hit) | (window.elements & hit), Words(0u));
}

// The elements of cells that one window covers.
fn finish_one(window: Pooled, taps: vec4<u32>) -> Words {
    return window.elements & hits(window, taps);
}

// Sums, each as wide as two elements, as elements in their lower halves. Integers saturate.
fn finish_half(sums: Words) -> Words {
    if IS_FLOAT {
        let lanes = lanes_of(sums);
        let magnitude = lanes & vec4<u32>(0x7fffffffu);
        return words_of(round_to_element(select(lanes, vec4<u32>(0u), magnitude == vec4<u32>(0u))));
    }
    // Bit 15 of each sum of at most nine bytes that is past 255.
    let over = (sums + Words(0x7f007f00u)) & Words(0x80008000u);
    return (sums | ((over >> Words(7u)) - (over >> Words(15u)))) & Words(EVEN);
}

// The elements of an accumulator after the last window.
fn finish(accumulator: Halves) -> Words {
    if SUMMED && OVERLAPPING {
        return finish_half(accumulator.even) | (finish_half(accumulator.odd) << Words(BITS));
    }
    return accumulator.even;
}

// The elements of cells that no window covers.
fn no_window() -> Words {
    return Words(0u);
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

// Loads and stores of max_unpool_row.wgsl where elements of 16 or 8 bits stay in words: a work item owns 16 bytes of
// each row, and the windows that start the stride blocks of their elements are one `Words`. The stride on x is 1 or 2.

alias Coordinate = u32;
alias SignedCoordinate = i32;
alias Mask = bool;
alias Loaded = Words;

// Windows of one `Words`.
const PER_WORDS: u32 = 128u / BITS / STRIDE_X;

// Elements and taps of some windows.
struct Windows {
    elements: Words,
    taps: Words,
}

// The windows that are `offset` vectors of windows from the work item's own.
fn load_windows(cells: RowCells, row: WindowRow, offset: i32) -> Windows {
    let number = cells.number + u32(offset);
    let width = pooled_size().z / PER_WORDS;
    let source = row.first / PER_WORDS + min(number, width - 1u);
    return Windows(
        tensor_in[source - params.input_base],
        load_taps_of_item(source, row.exists && number < width),
    );
}

// The bits from bit `bit` of two words.
fn funnel(low: u32, high: u32, bit: u32) -> u32 {
    return (low >> bit) | (high << (32u - bit));
}

// The elements of a row, given those of even and those of odd numbers.
fn interleave(even: vec2<u32>, odd: vec2<u32>) -> vec4<u32> {
    let pairs = vec4<u32>(
        (even.x & 0xffffu) | (odd.x << 16u),
        (even.x >> 16u) | (odd.x & 0xffff0000u),
        (even.y & 0xffffu) | (odd.y << 16u),
        (even.y >> 16u) | (odd.y & 0xffff0000u),
    );
    if BITS == 16u {
        return pairs;
    }
    let inner = ((pairs >> vec4<u32>(8u)) & vec4<u32>(0xff00u)) | ((pairs << vec4<u32>(8u)) & vec4<u32>(0xff0000u));
    return (pairs & vec4<u32>(0xff0000ffu)) | inner;
}

fn unpool(cells: RowCells) {
    let row0 = window_row(cells, 0, -1);
    let vector0_1 = load_windows(cells, row0, 0);
    let windows0_0 = pooled(vector0_1.elements, vector0_1.taps);
    let cell000_0 = accumulate_first(windows0_0, vec4<u32>(7u));
    let cell001_0 = accumulate_first(windows0_0, vec4<u32>(8u));
    let vector0_2 = load_windows(cells, row0, 1);
    let windows0_1 = pooled(Words(funnel(vector0_1.elements.x, vector0_1.elements.y, 8u), funnel(vector0_1.elements.y, vector0_2.elements.x, 8u)), Words(funnel(vector0_1.taps.x, vector0_1.taps.y, 8u), funnel(vector0_1.taps.y, vector0_2.taps.x, 8u)));
    let cell001_1 = accumulate(cell001_0, windows0_1, vec4<u32>(6u));
    let row1 = window_row(cells, 0, 0);
    let vector1_1 = load_windows(cells, row1, 0);
    let windows1_0 = pooled(vector1_1.elements, vector1_1.taps);
    let cell000_1 = accumulate(cell000_0, windows1_0, vec4<u32>(1u));
    let cell001_2 = accumulate(cell001_1, windows1_0, vec4<u32>(2u));
    let cell010_0 = accumulate_first(windows1_0, vec4<u32>(4u));
    let cell011_0 = accumulate_first(windows1_0, vec4<u32>(5u));
    let vector1_2 = load_windows(cells, row1, 1);
    let windows1_1 = pooled(Words(funnel(vector1_1.elements.x, vector1_1.elements.y, 8u), funnel(vector1_1.elements.y, vector1_2.elements.x, 8u)), Words(funnel(vector1_1.taps.x, vector1_1.taps.y, 8u), funnel(vector1_1.taps.y, vector1_2.taps.x, 8u)));
    let cell001_3 = accumulate(cell001_2, windows1_1, vec4<u32>(0u));
    let cell011_1 = accumulate(cell011_0, windows1_1, vec4<u32>(3u));
    store_cells(cells, 0u, 0u, interleave(finish(cell000_1), finish(cell001_3)));
    store_cells(cells, 0u, 1u, interleave(finish_one(windows1_0, vec4<u32>(4u)), finish(cell011_1)));
}
