//! Convolution and its transpose, which go to the loops that suit them.

use unpool::Axis;

use super::chain::{Chain, Stored, each_run, part};
use super::chunks::with_scratch;
use super::columns::add_cells;
use super::gemm::{Strides, Threads, product};
use super::{dense, depthwise, tiles};
use crate::kernel::Conv;

/// Elements of the columns that are added to cells together.
const BLOCK: usize = 1 << 17;

/// Parts of an image at least that threads take, where there are so many channels.
const PARTS: usize = 8;

/// Windows from which turning the weights costs less than adding columns to cells.
const WINDOWS: u32 = 784;

/// The convolution. With a chain, what it writes is dense.
pub(super) fn conv(
    conv: &Conv,
    x: &[f32],
    weights: &[f32],
    bias: Option<&[f32]>,
    chain: &Chain<'_>,
    mut y: Stored<'_>,
) {
    if conv.is_matrix() {
        if let Some(y) = y[0].as_deref_mut() {
            dense::conv(conv, x, weights, bias, y);
        }
        return;
    }
    let len = (conv.groups * conv.rows * conv.output_positions()) as usize;
    for image in 0..conv.batch as usize {
        let x = &x[conv.x.offset as usize + image * conv.x.image as usize..];
        let at = conv.y.offset as usize + image * conv.y.image as usize;
        let y = part(&mut y, at, len);
        if depthwise::applies(conv) {
            depthwise::conv(conv, at, x, weights, bias, chain, y);
        } else {
            let strides = Strides::rows_of((conv.columns * conv.taps()) as usize);
            tiles::conv(conv, at, x, (weights, strides), bias, chain, y);
        }
    }
}

/// The transpose of [`conv`].
pub(super) fn conv_transpose(
    conv: &Conv,
    y: &[f32],
    weights: &[f32],
    bias: Option<&[f32]>,
    chain: &Chain<'_>,
    mut x: Stored<'_>,
) {
    if conv.is_matrix() {
        if let Some(x) = x[0].as_deref_mut() {
            dense::conv_transpose(conv, y, weights, bias, x);
        }
        return;
    }
    let len = (conv.groups * conv.columns * conv.input_positions()) as usize;
    for image in 0..conv.batch as usize {
        let y = &y[conv.y.offset as usize + image * conv.y.image as usize..];
        let at = conv.x.offset as usize + image * conv.x.image as usize;
        let x = part(&mut x, at, len);
        let turned = slides_back(conv).then(|| turned(conv));
        if let Some(turned) = turned.as_ref().filter(|conv| depthwise::applies(conv)) {
            let weights = turned_weights(conv, weights);
            depthwise::conv(turned, at, y, &weights, bias, chain, x);
        } else if let Some(turned) = turned.as_ref().filter(|_| conv.is_pointwise()) {
            let strides = Strides::rows_of(conv.columns as usize).transposed();
            tiles::conv(turned, at, y, (weights, strides), bias, chain, x);
        } else if let Some(turned) = turned.filter(|_| conv.output_positions() >= WINDOWS) {
            let strides = Strides::rows_of((conv.rows * conv.taps()) as usize);
            let weights = turned_weights(conv, weights);
            tiles::conv(&turned, at, y, (&weights, strides), bias, chain, x);
        } else {
            channels_back(conv, at, y, weights, bias, chain, x);
        }
    }
}

/// Whether the transpose is a convolution too: with a stride of 1, and padding that leaves it some.
fn slides_back(conv: &Conv) -> bool {
    conv.axes.iter().all(|a| a.stride == 1 && a.before.max(a.after) < a.extent())
}

/// The convolution that the transpose is.
fn turned(conv: &Conv) -> Conv {
    let axes = conv.axes.map(|a| {
        let padding = |own: u32| a.extent() - 1 - own;
        let (before, after) = (padding(a.before), padding(a.after));
        Axis { input: a.windows, windows: a.input, before, after, ..a }
    });
    Conv { axes, rows: conv.columns, columns: conv.rows, x: conv.y, y: conv.x, ..*conv }
}

/// Its weights: rows and columns change places, and the taps come from the last to the first.
fn turned_weights(conv: &Conv, weights: &[f32]) -> Vec<f32> {
    let [rows, columns, taps] = [conv.rows, conv.columns, conv.taps()].map(|n| n as usize);
    let mut turned = Vec::with_capacity(weights.len());
    for group in weights.chunks_exact(rows * columns * taps) {
        for column in 0..columns {
            for row in group.chunks_exact(columns * taps) {
                turned.extend(row[column * taps..][..taps].iter().rev());
            }
        }
    }
    turned
}

/// One image of the transpose: a product of the transposed weights, of all taps of some channels at a time, whose
/// rows are added to the cells that their taps lie on.
fn channels_back(
    conv: &Conv,
    at: usize,
    y: &[f32],
    weights: &[f32],
    bias: Option<&[f32]>,
    chain: &Chain<'_>,
    x: Stored<'_>,
) {
    let (rows, columns) = (conv.rows as usize, conv.columns as usize);
    let (taps, cells) = (conv.taps() as usize, conv.input_positions() as usize);
    let (depth, positions) = (columns * taps, conv.output_positions() as usize);
    let step = conv.y.channel as usize;
    // Channels of a tile, all of one group.
    let all = conv.groups as usize * columns;
    let most = (BLOCK / (taps * positions)).clamp(1, all.div_ceil(PARTS));
    let some = (1..=most.min(columns)).rev().find(|n| columns.is_multiple_of(*n)).unwrap_or(1);
    each_run(x, some * cells, |tile, stored| {
        let (group, first) = (tile * some / columns, tile * some % columns);
        let a = &weights[group * rows * depth + first * taps..];
        let a = (a, Strides::rows_of(depth).transposed());
        let b = (&y[group * rows * step..], Strides::rows_of(step));
        let products = some * taps * positions;
        with_scratch(products + cells, |scratch| {
            let (block, sums) = scratch.split_at_mut(products);
            let to = (&mut block[..], Strides::rows_of(positions));
            product([some * taps, positions, rows], a, b, to, Threads::This);
            for (i, block) in block.chunks_exact(taps * positions).enumerate() {
                let channel = tile * some + i;
                let start = bias.map_or(0.0, |bias| bias[channel]);
                sums.fill(start);
                for (tap, from) in block.chunks_exact(positions).enumerate() {
                    add_cells(conv, from, tap, sums);
                }
                chain.finish(at + channel * cells, sums, &mut part(stored, i * cells, cells));
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Steps;

    #[test]
    fn the_transpose_is_the_convolution_by_turned_weights() {
        let axis = |input: u32, kernel, dilation, before, after| {
            let windows = input + before + after - (kernel - 1) * dilation;
            Axis { input, windows, kernel, stride: 1, dilation, before, after }
        };
        let axes = [axis(2, 1, 1, 0, 0), axis(29, 3, 2, 4, 1), axis(31, 5, 1, 0, 3)];
        let none = Steps { offset: 0, image: 0, channel: 0 };
        let mut conv = Conv { axes, batch: 1, groups: 2, rows: 5, columns: 4, x: none, y: none };
        conv.x.channel = conv.input_positions();
        conv.y.channel = conv.output_positions();
        let numbers = |len: u32| (0..len).map(|i| (i * 37 % 101) as f32 - 50.0).collect::<Vec<_>>();
        let (weights, y) = (numbers(40 * conv.taps()), numbers(10 * conv.output_positions()));
        let bias = numbers(8);
        let len = 8 * conv.input_positions() as usize;
        let (mut expected, mut found) = (vec![0.0; len], vec![1.0; len]);
        let stored = |x| [Some(x), None, None, None];
        let chain = Chain::default();
        let to = stored(&mut expected[..]);
        channels_back(&conv, 0, &y, &weights, Some(&bias), &chain, to);
        assert!(slides_back(&conv));
        let strides = Strides::rows_of((conv.rows * conv.taps()) as usize);
        let weights = (&turned_weights(&conv, &weights)[..], strides);
        let to = stored(&mut found[..]);
        tiles::conv(&turned(&conv), 0, &y, weights, Some(&bias), &chain, to);
        // Sums of whole numbers, so exact.
        assert_eq!(found, expected);
    }
}
