// The uniform of take.wgsl and take_back.wgsl, and the positions along an axis that they read: `to_rows` rows of
// them, the same for `repeats` neighbouring blocks of `from_rows` rows of elements.

struct Params {
    count: u32,
    repeats: u32,
    from_rows: u32,
    to_rows: u32,
    inner: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> positions: array<f32>;

// The row of a block's elements that a row of its positions names; a position below 0 counts from the end.
fn named(block: u32, row: u32, column: u32) -> i32 {
    let list = block / params.repeats * params.to_rows;
    let at = i32(positions[(list + row) * params.inner + column]);
    return at + select(0, i32(params.from_rows), at < 0);
}
