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
