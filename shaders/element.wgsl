// A cell in memory, and the constants that every kernel has.

// Fixed by the element: bits of a cell (32, 16 or 8), and how cells compare and add.
override BITS: u32 = 32u;
override KIND: u32 = 0u;
const BINARY32: u32 = 0u;
const BINARY16: u32 = 1u;
const BFLOAT16: u32 = 2u;
const SIGNED: u32 = 3u;
const UNSIGNED: u32 = 4u;

// Threads of a workgroup.
override WORKGROUP: u32 = 64u;

// The tap or index of no cell.
const NO_CELL: u32 = 0xffffffffu;

// A cell from the word that holds it.
fn lane_bits(word: u32, number: u32) -> u32 {
    var bits = word;
    if BITS < 32u {
        bits = (word >> (number % (32u / BITS) * BITS)) & ((1u << (BITS % 32u)) - 1u);
    }
    return bits;
}

// A word of four adjacent cells.
fn word_of(cells: vec4<u32>, word: u32) -> u32 {
    let per_word = 32u / BITS;
    var bits = 0u;
    for (var i = 0u; i < per_word; i++) {
        bits |= cells[word * per_word + i] << (i * BITS % 32u);
    }
    return bits;
}
