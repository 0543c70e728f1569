//! Cases by chance: small ones, and ones that reach as far as a `Geometry` does. They are
//! bounded by the time that checking them takes, not by a range of each number.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use unpool::Geometry;

use super::cases::{Case, Pads};

/// The most elements of an input and of a pooled tensor.
const ELEMENTS: usize = 1 << 17;

/// The most reads of cells, if each element of either tensor reads a whole window: the work of the oracle's
/// pooling, and of an unpooling kernel that iterates over the taps.
const READS: usize = 1 << 20;

/// Dilations, strides and padding go up to two to the power of so many.
const FAR_BITS: u32 = 17;

/// What a strategy gives by this seed, on every machine.
pub(crate) fn draw<S: Strategy>(strategy: &S, seed: u64) -> S::Value {
    let bytes = [seed, 0, 0, 0].map(u64::to_le_bytes).concat();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config { max_local_rejects: u32::MAX, ..Config::default() };
    strategy.new_tree(&mut TestRunner::new_with_rng(config, rng)).unwrap().current()
}

/// Any case, refused or not: as many small as far-reaching.
pub(crate) fn any_case() -> impl Strategy<Value = Case> {
    prop_oneof![small_case(), far_case()]
}

/// A case that the library takes, with its geometry.
pub(crate) fn any_geometry() -> impl Strategy<Value = (Case, Geometry)> {
    any_case().prop_filter_map("the geometry is refused", |case| {
        let geometry = case.geometry().ok()?;
        Some((case, geometry))
    })
}

/// A case that the library takes: the window of this one over another input.
pub(crate) fn same_window(case: &Case) -> impl Strategy<Value = Case> + use<> {
    let case = case.clone();
    let rank = case.spatial.len();
    let near = case.spatial.iter().map(|&n| n.saturating_sub(3).max(1)..=n + 5).collect::<Vec<_>>();
    (around(), prop_oneof![near, extents(rank)]).prop_filter_map("refused", move |drawn| {
        let ((batch, channels, _), spatial) = drawn;
        let other = Case { batch, channels, spatial, ..case.clone() };
        (is_affordable(&other) && other.geometry().is_ok()).then_some(other)
    })
}

/// Batch, channels, and whether channels come last.
fn around() -> impl Strategy<Value = (usize, usize, bool)> {
    let batch = prop_oneof![1 => Just(0usize), 6 => Just(1), 3 => Just(2)];
    (batch, 1usize..=9, any::<bool>())
}

// ---- small numbers --------------------------------------------------------------------------

fn small_case() -> impl Strategy<Value = Case> {
    (1usize..=3).prop_flat_map(|rank| {
        let extent = [20usize, 10, 6][rank - 1];
        let kernel = [6usize, 4, 3][rank - 1];
        let axes = |numbers| prop::collection::vec(numbers, rank);
        let pads = prop::collection::vec((0usize..=4, 0usize..=4), rank);
        let sizes = (axes(1..=extent), axes(1..=kernel), axes(1..=4), axes(1..=3));
        (around(), sizes, any_pads(pads), any::<bool>())
            .prop_map(|(around, sizes, pads, ceil)| case(around, sizes, pads, ceil))
    })
}

/// Extents, kernel, stride, dilation.
type Sizes = (Vec<usize>, Vec<usize>, Vec<usize>, Vec<usize>);

fn case(
    (batch, channels, channels_last): (usize, usize, bool),
    (spatial, kernel, stride, dilation): Sizes,
    pads: Pads,
    ceil: bool,
) -> Case {
    Case { batch, channels, channels_last, spatial, kernel, stride, dilation, pads, ceil }
}

/// Padding by any rule, of which `explicit` is one.
fn any_pads(explicit: impl Strategy<Value = Vec<(usize, usize)>>) -> impl Strategy<Value = Pads> {
    prop_oneof![
        2 => Just(Pads::Valid),
        2 => Just(Pads::Same),
        1 => Just(Pads::SameLower),
        3 => explicit.prop_map(Pads::Explicit),
    ]
}

// ---- numbers of every magnitude -------------------------------------------------------------

fn far_case() -> impl Strategy<Value = Case> {
    let case = (1usize..=3).prop_flat_map(|rank| {
        let axes = (extents(rank), split(16, rank)).prop_flat_map(|(spatial, bits)| {
            spatial.into_iter().zip(bits).map(|(n, bits)| far_axis(n, bits)).collect::<Vec<_>>()
        });
        (around(), axes, 0usize..8, any::<bool>()).prop_map(|(around, axes, rule, ceil)| {
            let of = |number: fn(&FarAxis) -> usize| axes.iter().map(number).collect::<Vec<_>>();
            let sizes = (of(|a| a.extent), of(|a| a.kernel), of(|a| a.stride), of(|a| a.dilation));
            let pads = match rule {
                0 => Pads::Valid,
                1 => Pads::Same,
                2 => Pads::SameLower,
                _ => Pads::Explicit(axes.iter().map(|a| a.pads).collect()),
            };
            self::case(around, sizes, pads, ceil)
        })
    });
    case.prop_filter("more reads than a test has time for", is_affordable)
}

/// Numbers up to two to the power of `bits`, of every magnitude as many, and the bound itself.
fn up_to(bits: u32) -> impl Strategy<Value = usize> {
    prop_oneof![
        4 => (0..=bits).prop_flat_map(|bits| 1..=1usize << bits),
        1 => Just(((1usize << bits) - 1).max(1)),
        1 => Just(1usize << bits),
    ]
}

/// Up to `bits` bits in all, for the numbers of so many axes.
fn split(bits: u32, rank: usize) -> impl Strategy<Value = Vec<u32>> {
    (0..=bits, prop::collection::vec(any::<prop::sample::Index>(), rank - 1)).prop_map(
        |(bits, cuts)| {
            let mut cuts: Vec<u32> =
                cuts.iter().map(|cut| cut.index(bits as usize + 1) as u32).collect();
            cuts.extend([0, bits]);
            cuts.sort_unstable();
            cuts.windows(2).map(|pair| pair[1] - pair[0]).collect()
        },
    )
}

fn extents(rank: usize) -> impl Strategy<Value = Vec<usize>> {
    split(ELEMENTS.ilog2(), rank)
        .prop_flat_map(|bits| bits.into_iter().map(up_to).collect::<Vec<_>>())
}

#[derive(Clone, Debug)]
struct FarAxis {
    extent: usize,
    kernel: usize,
    stride: usize,
    dilation: usize,
    /// So that the first window and the last hold a cell: few windows that reach far do by chance.
    pads: (usize, usize),
}

fn far_axis(extent: usize, kernel_bits: u32) -> impl Strategy<Value = FarAxis> {
    // Bits are few where axes share them, and a window of one cell has no dilation.
    let kernel = prop_oneof![1 => up_to(kernel_bits), 2 => 2usize..=4];
    let dilation = prop_oneof![1 => Just(1), 1 => up_to(4), 4 => up_to(FAR_BITS), 2 => 1..=extent];
    (kernel, dilation).prop_flat_map(move |(kernel, dilation)| {
        let stride =
            prop_oneof![6 => up_to(2), 1 => up_to(FAR_BITS), 1 => Just(dilation), 1 => 1..=extent];
        // The first window has its tap number `tap` at `cell`.
        (stride, 0..kernel, 0..extent, any::<prop::sample::Index>(), 0usize..3).prop_map(
            move |(stride, tap, cell, windows, more)| {
                let before = (tap * dilation).saturating_sub(cell);
                let windows = windows.index((extent - 1 + before) / stride + 1);
                let end = windows * stride + (kernel - 1) * dilation + 1;
                let after = end.saturating_sub(before + extent) + more / 2;
                FarAxis { extent, kernel, stride, dilation, pads: (before, after) }
            },
        )
    })
}

/// Whether the oracle answers soon.
pub(crate) fn is_affordable(case: &Case) -> bool {
    let around = case.batch.max(1) * case.channels;
    let axes = 0..case.spatial.len();
    let windows = |i: usize| {
        let (n, stride) = (case.spatial[i], case.stride[i]);
        match &case.pads {
            Pads::Valid => n / stride + 1,
            Pads::Same | Pads::SameLower => n.div_ceil(stride),
            // At least the cells of the axis: the extent of the window counts, too.
            Pads::Explicit(pads) => {
                let padded = pads[i].0 + n + pads[i].1;
                padded.saturating_sub((case.kernel[i] - 1) * case.dilation[i]) / stride + 2
            }
        }
    };
    let elements = |extent: &dyn Fn(usize) -> usize| {
        axes.clone().map(extent).fold(around, usize::saturating_mul)
    };
    let most = elements(&|i| case.spatial[i]).max(elements(&windows));
    let cells = case.kernel.iter().copied().fold(1, usize::saturating_mul);
    most <= ELEMENTS && most.saturating_mul(cells) <= READS
}
