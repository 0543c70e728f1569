// The steps of a sum of products, for tile.wgsl, direct.wgsl and product_by_workgroup.wgsl, of what conv.wgsl,
// conv_transpose.wgsl or product.wgsl say about their matrices: a step is a pair of channel and tap. Its two factors
// are `left(row_at(product, row) + step.left)` and `right(index_of(step, column))`, which is 0 where the tap is not
// `inside`. `store(result_at(product, column), product, row, sum)` stores a sum.

fn depth() -> u32 {
    return channels() * TAPS;
}

fn step_of(number: u32) -> Step {
    return step_at(number / TAPS, number % TAPS);
}

fn right_or_zero(step: Step, column: Column) -> f32 {
    if (PADDED > 0u && !inside(step, column)) {
        return 0.0;
    }
    return right(index_of(step, column));
}
