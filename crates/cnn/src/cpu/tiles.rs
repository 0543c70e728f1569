//! Convolution as a product of two matrices: weights, with a row for each channel that is written, and
//! columns, with the cells under each window (Chellapilla, Puri and Simard 2006).
//!
//! A thread takes a tile of the product at a time, some rows by some windows: it copies the columns out
//! of the input, as many as stay in its cache, multiplies, and finishes with bias and chain what it has just
//! summed. Where each window is one cell, the columns are the input itself. There are two tiles for each thread or
//! more; what a sum adds in which order does not depend on them.

use super::chain::{Chain, Stored, part, runs, take};
use super::chunks::{each_chunk, threads, with_scratch};
use super::columns::Cells;
use super::gemm::{Strides, VECTOR, product_in_order};
use super::lanes::vectorized;
use crate::kernel::Conv;

/// Elements of the columns of a tile; its sums may be eight times as many.
const BLOCK: usize = 1 << 18;

/// Windows of a tile at least: products of fewer leave vectors empty, and read the weights for little.
const WINDOWS: usize = 64;

/// Windows of a tile at least where a thread would have no tile.
const FEWEST: usize = 24;

/// Tiles for each thread at least, where there are so many rows and windows.
const TILES: usize = 2;

/// Rows of a tile down to which copying the columns again for each tile of rows costs little.
const CHEAP: usize = 132;

/// Rows of a tile at least.
const ROWS: usize = 24;

/// Taps of tiles up to which the cells of all tiles are kept.
const MANY: usize = 1 << 14;

/// How one image of a convolution is cut into tiles.
struct Tiling {
    /// Windows of a tile, whole lines of them.
    width: usize,
    /// Rows of a tile.
    height: usize,
}

impl Tiling {
    fn new(conv: &Conv, depth: usize) -> Self {
        let (positions, rows) = (conv.output_positions() as usize, conv.rows as usize);
        // Windows of one cell need not be taken in lines.
        let line = if conv.is_pointwise() { 1 } else { conv.axes[2].windows as usize };
        let at_most = (BLOCK / depth.max(rows / 8)).max(WINDOWS);
        let groups = conv.groups as usize;
        let wanted = (TILES * threads()).div_ceil(groups);
        let cheap = if conv.is_pointwise() { ROWS } else { CHEAP };
        let down = (rows / cheap).clamp(1, wanted);
        let across = (positions / at_most).max(wanted.div_ceil(down));
        let across = across.min(positions / WINDOWS);
        // As many for each thread, and one for each if need be.
        let fair = if across > threads() { across - across % threads() } else { across };
        let needed = threads().div_ceil(groups * down).min(positions / FEWEST);
        let across = fair.max(needed).max(1);
        let width = positions.div_ceil(across).next_multiple_of(line);
        let width = if line == 1 { width.next_multiple_of(VECTOR) } else { width };
        let down = wanted.div_ceil(positions.div_ceil(width)).min(rows / ROWS).max(1);
        // Products take six rows at a time, and one row by itself in another order.
        let mut height = rows.div_ceil(down).next_multiple_of(6);
        while height < rows && rows % height == 1 {
            height += 6;
        }
        Self { width, height: height.min(rows) }
    }
}

/// Where a tile's values are stored: its rows, or all of them together where they lie one after the other.
type Tile<'a> = Vec<Stored<'a>>;

/// The tiles of matrices of `rows` by `positions` one after the other.
fn cut<'a>(
    y: Stored<'a>,
    [rows, positions]: [usize; 2],
    [height, width]: [usize; 2],
) -> Vec<Tile<'a>> {
    let (down, across) = (rows.div_ceil(height), positions.div_ceil(width));
    let mut tiles = Vec::new();
    for group in runs(y, rows * positions) {
        if across == 1 {
            tiles.extend(runs(group, height * positions).into_iter().map(|tile| vec![tile]));
            continue;
        }
        let first = tiles.len();
        tiles.resize_with(first + down * across, || Vec::with_capacity(height));
        for (row, mut stored) in runs(group, positions).into_iter().enumerate() {
            let tiles = &mut tiles[first + row / height * across..][..across];
            tiles.iter_mut().for_each(|tile| tile.push(take(&mut stored, width)));
        }
    }
    tiles
}

/// One image of a convolution, by weights with a row for each of the convolution's in each group; `at` is
/// its first element in what is written.
pub(super) fn conv(
    conv: &Conv,
    at: usize,
    x: &[f32],
    (weights, strides): (&[f32], Strides),
    bias: Option<&[f32]>,
    chain: &Chain<'_>,
    y: Stored<'_>,
) {
    let (rows, columns) = (conv.rows as usize, conv.columns as usize);
    let (taps, positions) = (conv.taps() as usize, conv.output_positions() as usize);
    let (depth, step) = (columns * taps, conv.x.channel as usize);
    let Tiling { width, height } = Tiling::new(conv, depth);
    let (across, down) = (positions.div_ceil(width), rows.div_ceil(height));
    // Whole vectors: the product of others is computed in a copy.
    let pitch = width.next_multiple_of(VECTOR);
    let panel = depth * pitch;
    let direct = conv.is_pointwise();
    // Tiles of the same windows share their columns.
    let shared = down > 1 && !direct;
    // The cells of each tile across. They take less memory than the columns, so of many tiles without shared columns each
    // has its own.
    let line = conv.axes[2].windows as usize;
    let of_tile = |tile: usize| {
        let first = tile * width;
        Cells::new(conv, first / line, width.min(positions - first) / line)
    };
    let in_advance = if shared || !direct && across * taps <= MANY { across } else { 0 };
    let cells: Vec<_> = (0..in_advance).map(of_tile).collect();
    let copy = |cells: &Cells, group: usize, tile: usize, row: usize, out: &mut [f32]| {
        let x = &x[(group * columns + row / taps) * step..];
        let (out, rest) = out.split_at_mut(width.min(positions - tile * width));
        rest.fill(0.0);
        cells.copy(x, row % taps, out);
    };
    let panels = if shared { conv.groups as usize * across } else { 0 };
    with_scratch(panels * panel, |all| {
        each_chunk(all, pitch, |i, out| {
            let (panel, row) = (i / depth, i % depth);
            let tile = panel % across;
            copy(&cells[tile], panel / across, tile, row, out);
        });
        let all = &*all;
        let mut tiles = cut(y, [rows, positions], [height, width]);
        each_chunk(&mut tiles, 1, |tile, stored| {
            let (group, down, across_at) =
                (tile / across / down, tile / across % down, tile % across);
            let (first, first_row) = (across_at * width, group * rows + down * height);
            let width = width.min(positions - first);
            let height = height.min(rows - first_row % rows);
            let copies = if shared || direct { 0 } else { panel };
            with_scratch(copies + height * pitch, |scratch| {
                let (own, sums) = scratch.split_at_mut(copies);
                if copies > 0 {
                    let of_this = (in_advance == 0).then(|| of_tile(across_at));
                    let cells = of_this.as_ref().unwrap_or_else(|| &cells[across_at]);
                    for (row, out) in own.chunks_exact_mut(pitch).enumerate() {
                        copy(cells, group, across_at, row, out);
                    }
                }
                let panels = panel * (group * across + across_at);
                let (b, b_strides, count) = match (direct, shared) {
                    (true, _) => (&x[group * columns * step + first..], step, width),
                    (_, true) => (&all[panels..panels + panel], pitch, pitch),
                    _ => (&*own, pitch, pitch),
                };
                let b = (b, Strides::rows_of(b_strides));
                let a = &weights[group * rows * depth + first_row % rows * strides.row..];
                let to = (&mut sums[..], Strides::rows_of(pitch));
                product_in_order([height, count, depth], (a, strides), b, to);
                for (i, sums) in sums.chunks_exact_mut(pitch).enumerate() {
                    let (row, sums) = (first_row + i, &mut sums[..width]);
                    if let Some(bias) = bias.map(|bias| bias[row]) {
                        vectorized(
                            #[inline(always)]
                            || sums.iter_mut().for_each(|sum| *sum += bias),
                        );
                    }
                    let (piece, from) = if across == 1 { (0, i * positions) } else { (i, 0) };
                    let mut stored = part(&mut stored[0][piece], from, width);
                    chain.finish(at + row * positions + first, sums, &mut stored);
                }
            });
        });
    });
}
