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
