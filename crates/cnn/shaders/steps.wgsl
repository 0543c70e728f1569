// The steps of a sum of products, for tile.wgsl, direct.wgsl and together.wgsl, of what conv.wgsl, conv_transpose.wgsl
// or product.wgsl say about their matrices: a step is a pair of channel and tap. `left(product, row, channel, tap)` and
// `right(place, channel)` are its two factors, and `place(tap, column)` says where the second one's channels begin.

// The place of a tap that lies outside: its factor is 0.
const NOWHERE: u32 = 0xffffffffu;

fn depth() -> u32 {
    return channels() * TAPS;
}

fn left_at(product: u32, row: u32, step: u32) -> f32 {
    return left(product, row, step / TAPS, step % TAPS);
}

fn right_at(step: u32, column: Column) -> f32 {
    let found = place(step % TAPS, column);
    if (found == NOWHERE) {
        return 0.0;
    }
    return right(found, step / TAPS);
}
