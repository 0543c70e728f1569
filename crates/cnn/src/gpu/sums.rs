//! What makes the sums of a kernel, a thread or workgroups, and how many workgroups a kernel needs.

use crate::kernel::{Conv, Kernel, Product};

/// Invocations of a workgroup, as in `grid.wgsl`, `direct.wgsl` and `shares.wgsl`.
const INVOCATIONS: u64 = 64;

/// Workgroups on tiles of 64×64 from which on they are taken, instead of four times as many of 32×32, with which more
/// of a GPU works on a small product. An NVIDIA H200 runs 128 with an eighth of a tile each at 7.2 TFLOP/s and 56 tiles
/// of 32×32 at 4.9 (1×1 from 1024 channels to 256 of 14×14), but 98 halves at 7.1 and 196 of 32×32 at 8.0 (1×1 from
/// 256 channels to 64 of 56×56).
const MANY_TILES: u64 = 128;

/// Workgroups under which twice as many share the steps of each tile, and the most that share one. An NVIDIA H200 runs
/// 3×3 on 256 channels of 56×56, 196 tiles, at 20 TFLOP/s, and at 26.5 with two workgroups for each.
const FEW_WORKGROUPS: u64 = 256;
const MOST_SHARES: u64 = 16;

/// Steps that a share has at least.
const SHARE_STEPS: u64 = 128;

/// Tiles of 32×32 under which four times as many of 16×16 are taken. An NVIDIA H200 runs 80 of 32×32 at 3.8 TFLOP/s
/// and 320 of 16×16 at 3.1 (1×1 from 320 channels to 1280 of 7×7), but 56 at 4.9 and 208 at 5.9 (1×1 from 1024
/// channels to 256 of 14×14).
const FEW_TILES: u64 = 64;

/// Steps of a product from which on a workgroup makes a sum.
const MANY_STEPS: u64 = 128;

/// Terms from which on a workgroup makes a sum of another kind.
const MANY_TERMS: u64 = 32;

/// Elements of a vector that a thread adds one after the other, at most.
const LONG: u32 = 4096;

/// Rows or columns under which a product is too thin for tiles.
const THIN: u64 = 8;

/// The terms of each sum of a kernel that sums what lies apart, about as many; the elements of each vector that lie
/// side by side, or are so many that a thread alone would lose digits of their sum.
fn terms(kernel: &Kernel) -> u64 {
    let product = |numbers: &[u32]| numbers.iter().map(|&n| u64::from(n)).product();
    match kernel {
        Kernel::Reduce(reduce) => product(&reduce.repeats()),
        Kernel::Average(average) => product(&average.axes.map(|axis| axis.kernel)),
        Kernel::Along(along) => u64::from(along.from / along.to.max(1)),
        Kernel::Softmax { vectors, .. }
        | Kernel::SoftmaxBack { vectors, .. }
        | Kernel::Normalize { vectors, .. }
        | Kernel::NormalizeBack { vectors, .. }
            if vectors.inner == 1 || vectors.len > LONG =>
        {
            vectors.len.into()
        }
        _ => 0,
    }
}

/// Whether a workgroup makes each sum or vector of a kernel that is no product, instead of a thread.
pub(super) fn are_shared(kernel: &Kernel) -> bool {
    terms(kernel) >= MANY_TERMS
}

/// The sums of some products of matrices.
pub(super) struct Sums {
    products: u64,
    rows: u64,
    columns: u64,
    /// Terms of each.
    depth: u64,
    /// Whether neighbouring columns of the right matrix lie side by side in memory.
    columns_adjacent: bool,
    /// Whether neighbouring terms do, in the left and in the right matrix.
    terms_adjacent: [bool; 2],
}

/// What makes the sums of a product.
pub(super) enum Makers {
    /// A thread makes one: `direct.wgsl`.
    Threads,
    /// A workgroup makes one: `product_by_workgroup.wgsl`.
    Workgroups,
    /// A workgroup makes a square of so many rows and columns, or a share of its steps: `tile.wgsl`.
    Tiles { size: u32, shares: u32 },
}

impl Sums {
    /// The sums of a kernel that is a product of matrices.
    pub(super) fn of(kernel: &Kernel) -> Option<Self> {
        let of = |conv: &Conv, rows, depth: u32, positions: u32| {
            let taps: u64 = conv.axes.iter().map(|axis| u64::from(axis.kernel)).product();
            Self {
                products: conv.groups.into(),
                rows,
                columns: u64::from(conv.batch) * u64::from(positions),
                depth: u64::from(depth) * taps,
                columns_adjacent: true,
                terms_adjacent: [false; 2],
            }
        };
        match kernel {
            Kernel::Conv(conv) => Some(Self {
                terms_adjacent: [true, false],
                ..of(conv, conv.rows.into(), conv.columns, conv.output_positions())
            }),
            Kernel::ConvTranspose(conv) => {
                Some(of(conv, conv.columns.into(), conv.rows, conv.input_positions()))
            }
            &Kernel::Product(Product { batch, rows, columns, depth, a, b, .. }) => Some(Self {
                products: batch.into(),
                rows: rows.into(),
                columns: columns.into(),
                depth: depth.into(),
                columns_adjacent: b[2] == 1,
                terms_adjacent: [a[2] == 1, b[1] == 1],
            }),
            _ => None,
        }
    }

    fn count(&self, tile: u64) -> u64 {
        self.products * self.rows.div_ceil(tile) * self.columns.div_ceil(tile)
    }

    pub(super) fn makers(&self) -> Makers {
        let (many, [left, right]) = (self.depth >= MANY_STEPS, self.terms_adjacent);
        match self {
            Self { rows: ..THIN, columns_adjacent: true, columns: THIN.., .. } => Makers::Threads,
            Self { rows: ..THIN, .. } if right && many => Makers::Workgroups,
            Self { columns: ..THIN, .. } if left && many => Makers::Workgroups,
            Self { rows: ..THIN, columns_adjacent: true, .. } => Makers::Threads,
            // Of less, most of a tile of 64×64 would be empty.
            _ if self.rows.min(self.columns) > 32
                && self.count(64) * self.shares() >= MANY_TILES =>
            {
                Makers::Tiles { size: 64, shares: self.shares() as u32 }
            }
            _ if self.count(32) < FEW_TILES => Makers::Tiles { size: 16, shares: 1 },
            _ => Makers::Tiles { size: 32, shares: 1 },
        }
    }

    /// Workgroups that share the steps of each tile of 64×64.
    fn shares(&self) -> u64 {
        let mut shares = 1;
        while shares < MOST_SHARES
            && self.count(64) * shares < FEW_WORKGROUPS
            && self.depth >= 2 * shares * SHARE_STEPS
        {
            shares *= 2;
        }
        shares
    }

    fn workgroups(&self) -> u64 {
        match self.makers() {
            Makers::Threads => self.count(1).div_ceil(INVOCATIONS),
            Makers::Workgroups => self.count(1),
            Makers::Tiles { size, shares } => self.count(size.into()) * u64::from(shares),
        }
    }
}

/// Workgroups that share the steps of a sum of a kernel.
pub(super) fn shares(kernel: &Kernel) -> u64 {
    match Sums::of(kernel).map(|sums| sums.makers()) {
        Some(Makers::Tiles { shares, .. }) => shares.into(),
        _ => 1,
    }
}

/// Bytes of the shares of a kernel's sums, at most 8 MiB: they are fewer than two times [`FEW_WORKGROUPS`] tiles.
pub(super) fn shares_bytes(kernel: &Kernel) -> u64 {
    match (shares(kernel), Sums::of(kernel)) {
        (shares @ 2.., Some(sums)) => 4 * shares * sums.count(1),
        _ => 0,
    }
}

/// Workgroups that the shader that adds shares needs.
pub(super) fn shares_workgroups(kernel: &Kernel) -> u64 {
    Sums::of(kernel).map_or(0, |sums| sums.count(1).div_ceil(INVOCATIONS))
}

/// Workgroups that a kernel needs; `count` is its number of invocations where it is not a product.
pub(super) fn workgroups(kernel: &Kernel, count: u32) -> u64 {
    match Sums::of(kernel) {
        Some(sums) => sums.workgroups(),
        None if are_shared(kernel) => count.into(),
        None => u64::from(count).div_ceil(INVOCATIONS),
    }
}

/// A grid of at least so many workgroups, within `limit` on each side; `None` if there is none.
pub(super) fn grid(workgroups: u64, limit: u32) -> Option<[u32; 2]> {
    let rows = workgroups.div_ceil(limit.into()).max(1);
    let columns = workgroups.div_ceil(rows).max(1);
    let fits = rows <= u64::from(limit) && columns <= u64::from(limit);
    fits.then_some([columns as u32, rows as u32])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_is_folded_at_the_limit() {
        assert_eq!(grid(65_535, 65_535), Some([65_535, 1]));
        assert_eq!(grid(65_536, 65_535), Some([32_768, 2]));
        assert_eq!(grid(0, 65_535), Some([1, 1]));
        assert_eq!(grid(u64::MAX, 65_535), None);
    }
}
