//! The table of kernel variants: which shader serves which operation, and on which tensors.
//!
//! To add a kernel, write its shader and add its row: nothing else matches on variants. A new [`Access`] or [`Owns`]
//! also needs code in `kernel/mod.rs` and in `dispatch/chunk.rs`, which match on these columns.

use crate::argmax::Overlap;
use crate::element::Element;
use crate::geometry::Geometry;
use crate::gpu::kernel::binding::Binding;
use crate::gpu::kernel::constants::Constants;
use crate::gpu::kernel::generated;
use crate::gpu::kernel::size::{
    MOST_ROWS, has_few_cells, has_small_blocks, pools_rows, row_elements, windows_of_strip,
};

/// An operation of the shaders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    MaxPool,
    MaxUnpool,
    MaxUnpoolBackward,
    TapsToIndices,
    IndicesToTaps,
    OpenReport,
    CloseReport,
    Scatter(ScatterPass, Overlap),
}

/// The passes of `shaders/scatter_last.wgsl` and `shaders/scatter_sum.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ScatterPass {
    Clear,
    Locate,
    /// `Count`, `Scan`, `Reorder`, `MarkRuns` and `Accumulate` are passes of [`Overlap::Sum`] alone.
    Count,
    Scan,
    Reorder,
    MarkRuns,
    Accumulate,
    CloseReport,
    Gather,
}

/// How the adjacent elements of a work item lie, and how tensors are loaded and stored. [`item_elements`] returns
/// their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Access {
    /// `shaders/prelude/vec4.wgsl`: four channels of a pixel as one vec4.
    Channels,
    /// `shaders/prelude/vec4.wgsl`: four elements of a row as one vec4.
    Row,
    /// `shaders/prelude/tap_words.wgsl`: 16 bytes of channels of a pixel, which are 8 or 16 channels, as four words.
    ChannelWords,
    /// `shaders/prelude/row_words.wgsl`: 16 bytes of a row, which are 8 or 16 elements, as four words.
    RowWords,
    /// `shaders/prelude/flat.wgsl`: four elements that are adjacent in memory, each loaded by itself; stored as
    /// one vec4, where the number of elements of each tensor is a multiple of four.
    FlatVec4,
    /// `shaders/prelude/flat.wgsl`: as `FlatVec4`, but stored word by word.
    Flat,
    /// No prelude: the shader works on no windows, and binds whole buffers.
    Words,
}

/// The number of adjacent elements that a work item owns: 16 bytes of elements of 16 or 8 bits, or four elements.
pub(crate) fn item_elements(access: Access, element: Element) -> u64 {
    match access {
        Access::ChannelWords | Access::RowWords => 16 / element.bytes() as u64,
        _ => 4,
    }
}

/// The part of the written tensor that a work item owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Owns {
    /// Adjacent pooled values, as many as [`item_elements`] says.
    PooledValues,
    /// Adjacent pooled values, as many as [`item_elements`] says, for each window of a strip.
    PooledStrips,
    /// Four adjacent cells of the input's shape.
    Cells,
    /// Adjacent channels, as many as [`item_elements`] says, of the cells of a strip of stride blocks.
    Blocks,
    /// Adjacent elements, as many as [`item_elements`] says, in each row of a strip of stride blocks.
    RowCells,
}

/// How the tensor at [`Binding::Input`] is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Loads {
    /// In the form of the access; single words where it is flat.
    Access,
    /// By vec4s, in an access that is flat.
    Vec4s,
    /// Single words: the cells that taps name.
    NamedCells,
    /// Single words: the elements that the work item owns.
    OwnWords,
}

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Variant {
    pub(crate) operation: Operation,
    pub(crate) entry_point: &'static str,
    /// Whether the variant serves a geometry. Of the rows of an operation the first that does is used.
    pub(crate) applies: fn(&Geometry, Element) -> bool,
    pub(crate) access: Access,
    pub(crate) owns: Owns,
    pub(crate) loads: Loads,
    pub(crate) bindings: &'static [Binding],
    /// The shaders of the module, behind the preludes of the access.
    pub(crate) shaders: &'static [&'static str],
    /// The functions that are written for the window.
    pub(crate) generate: fn(&Constants) -> String,
}

macro_rules! shaders {
    ($($name:literal),*) => {
        &[$(include_str!(concat!("../../../shaders/", $name, ".wgsl"))),*]
    };
}

const MAX_POOL: &[&str] = shaders! { "prelude/order", "prelude/maximum", "max_pool" };
const MAX_POOL_WORDS: &[&str] =
    shaders! { "prelude/order", "prelude/tagged", "prelude/tagged_words", "max_pool" };
const MAX_POOL_STRIP: &[&str] =
    shaders! { "prelude/order", "prelude/maximum", "prelude/strip", "max_pool_strip" };
const MAX_POOL_STRIP_WORDS: &[&str] = shaders! { "prelude/order", "prelude/tagged", "prelude/tagged_words", "prelude/strip", "max_pool_strip" };
const MAX_POOL_ROW: &[&str] =
    shaders! { "prelude/order", "prelude/maximum", "prelude/strip", "max_pool_row" };
const MAX_POOL_ROW_TAGGED: &[&str] = shaders! { "prelude/order", "prelude/tagged", "prelude/tagged_vec4", "prelude/strip", "max_pool_row" };
const UNPOOL_BLOCK: &[&str] = shaders! { "prelude/sum", "prelude/gather", "prelude/accumulate", "max_unpool_block", "prelude/exact_block" };
const UNPOOL_BLOCK_WORDS: &[&str] = shaders! { "prelude/sum", "prelude/words", "max_unpool_block" };
const UNPOOL_ROW: &[&str] = shaders! { "prelude/sum", "prelude/gather", "prelude/accumulate", "prelude/lanes", "max_unpool_row", "prelude/exact_row" };
const UNPOOL_ROW_WORDS: &[&str] =
    shaders! { "prelude/sum", "prelude/words", "max_unpool_row", "prelude/row_words" };
const UNPOOL_ROW_VEC4: &[&str] = shaders! { "prelude/sum", "prelude/gather", "prelude/accumulate", "max_unpool_row", "prelude/exact_row", "prelude/windows_vec4" };
const UNPOOL_FLAT: &[&str] = shaders! { "prelude/sum", "prelude/gather", "prelude/accumulate", "prelude/lanes", "max_unpool_flat" };
const UNPOOL_CELL: &[&str] = shaders! { "prelude/sum", "prelude/gather", "max_unpool_cell" };
const BACKWARD: &[&str] = shaders! { "max_unpool_backward" };
const INDICES: &[&str] = shaders! { "prelude/report", "indices" };
const SCATTER_LAST: &[&str] = shaders! { "prelude/report", "scatter", "scatter_last" };
const SCATTER_SUM: &[&str] = shaders! { "prelude/report", "prelude/sum", "scatter", "scatter_sum" };

macro_rules! table {
    ($($operation:expr, $entry_point:literal, $access:ident $owns:ident $loads:ident, $applies:expr,
       $bindings:expr, $shaders:expr, $generate:path;)*) => {
        &[$(Variant {
            operation: $operation,
            entry_point: $entry_point,
            applies: $applies,
            access: Access::$access,
            owns: Owns::$owns,
            loads: Loads::$loads,
            bindings: $bindings,
            shaders: $shaders,
            generate: $generate,
        }),*]
    };
}

use Binding::{IndexStrides, Indices, Input, Output, Params, Report, Scratch, TapsIn, TapsOut};
use Operation::{
    CloseReport, IndicesToTaps, MaxPool, MaxUnpool, MaxUnpoolBackward, OpenReport, Scatter,
    TapsToIndices,
};
use Overlap::{Last, Sum};
use ScatterPass as Pass;

const POOLING: &[Binding] = &[Params, Input, Output, TapsOut];
const UNPOOLING: &[Binding] = &[Params, Input, Output, TapsIn];
const TO_INDICES: &[Binding] = &[Params, Output, TapsIn, IndexStrides];
const TO_TAPS: &[Binding] = &[Params, Input, TapsOut, IndexStrides, Report];

/// Every variant. Columns: operation, entry point; access, what a work item owns, loads; when it applies;
/// bindings; shaders; generated code.
#[rustfmt::skip]
pub(crate) static VARIANTS: &[Variant] = table![
    MaxPool, "max_pool_strip", ChannelWords PooledStrips Access, |g, e| channel_words_few_cells(g, e) && strips(g), POOLING, MAX_POOL_STRIP_WORDS, generated::max_pool_strip;
    MaxPool, "max_pool", ChannelWords PooledValues Access, channel_words_few_cells, POOLING, MAX_POOL_WORDS, generated::max_pool;
    MaxPool, "max_pool_strip", Channels PooledStrips Access, |g, _| vec4_channels(g) && strips(g), POOLING, MAX_POOL_STRIP, generated::max_pool_strip;
    MaxPool, "max_pool", Channels PooledValues Access, |g, _| vec4_channels(g), POOLING, MAX_POOL, generated::max_pool;
    MaxPool, "max_pool_row", Row PooledStrips Access, |g, e| e.bytes() < 4 && pools_rows(g), POOLING, MAX_POOL_ROW_TAGGED, generated::max_pool_row;
    MaxPool, "max_pool_row", Row PooledStrips Access, |g, _| pools_rows(g), POOLING, MAX_POOL_ROW, generated::max_pool_row;
    MaxPool, "max_pool", FlatVec4 PooledValues Access, |g, _| vec4_tensors(g), POOLING, MAX_POOL, generated::max_pool;
    MaxPool, "max_pool", Flat PooledValues Access, |_, _| true, POOLING, MAX_POOL, generated::max_pool;

    MaxUnpool, "max_unpool_block", ChannelWords Blocks Access, |g, e| sums_in_words(e) && channel_words(g, e) && small_blocks(g), UNPOOLING, UNPOOL_BLOCK_WORDS, generated::max_unpool_block;
    MaxUnpool, "max_unpool_block", Channels Blocks Access, |g, _| vec4_channels(g) && small_blocks(g), UNPOOLING, UNPOOL_BLOCK, generated::max_unpool_block;
    MaxUnpool, "max_unpool_cell", Channels Cells Access, |g, _| vec4_channels(g), UNPOOLING, UNPOOL_CELL, generated::nothing;
    MaxUnpool, "max_unpool_row", RowWords RowCells Access, row_words_small_blocks, UNPOOLING, UNPOOL_ROW_WORDS, generated::max_unpool_row_words;
    MaxUnpool, "max_unpool_row", FlatVec4 RowCells Vec4s, |g, _| vec4_rows_of_windows(g), UNPOOLING, UNPOOL_ROW_VEC4, generated::max_unpool_row_vec4;
    MaxUnpool, "max_unpool_row", FlatVec4 RowCells Access, |g, _| vec4_rows_small_blocks(g), UNPOOLING, UNPOOL_ROW, generated::max_unpool_row;
    MaxUnpool, "max_unpool_flat", FlatVec4 Cells Access, |g, _| vec4_tensors(g) && small_blocks_long_rows(g), UNPOOLING, UNPOOL_FLAT, generated::max_unpool_flat;
    MaxUnpool, "max_unpool_flat", Flat Cells Access, |g, _| small_blocks_long_rows(g), UNPOOLING, UNPOOL_FLAT, generated::max_unpool_flat;
    MaxUnpool, "max_unpool_cell", Flat Cells Access, |_, _| true, UNPOOLING, UNPOOL_CELL, generated::nothing;

    MaxUnpoolBackward, "max_unpool_backward", Channels PooledValues NamedCells, |g, _| vec4_channels(g), UNPOOLING, BACKWARD, generated::nothing;
    MaxUnpoolBackward, "max_unpool_backward", Row PooledValues NamedCells, |g, _| vec4_rows_pooled(g), UNPOOLING, BACKWARD, generated::nothing;
    MaxUnpoolBackward, "max_unpool_backward", FlatVec4 PooledValues NamedCells, |g, _| vec4_tensors(g), UNPOOLING, BACKWARD, generated::nothing;
    MaxUnpoolBackward, "max_unpool_backward", Flat PooledValues NamedCells, |_, _| true, UNPOOLING, BACKWARD, generated::nothing;

    TapsToIndices, "taps_to_indices", Flat PooledValues OwnWords, |_, _| true, TO_INDICES, INDICES, generated::nothing;
    IndicesToTaps, "indices_to_taps", Flat PooledValues OwnWords, |_, _| true, TO_TAPS, INDICES, generated::nothing;
    OpenReport, "open_report", Flat PooledValues OwnWords, |_, _| true, &[Report], INDICES, generated::nothing;
    CloseReport, "close_report", Flat PooledValues OwnWords, |_, _| true, &[Params, Input, Report], INDICES, generated::nothing;

    Scatter(Pass::Clear, Last), "scatter_clear", Words PooledValues OwnWords, |_, _| true, &[Params, Report, Scratch], SCATTER_LAST, generated::nothing;
    Scatter(Pass::Locate, Last), "scatter_locate", Words PooledValues OwnWords, |_, _| true, &[Params, Indices, Report, Scratch], SCATTER_LAST, generated::nothing;
    Scatter(Pass::CloseReport, Last), "scatter_close_report", Words PooledValues OwnWords, |_, _| true, &[Indices, Report], SCATTER_LAST, generated::nothing;
    Scatter(Pass::Gather, Last), "scatter_gather", Words PooledValues OwnWords, |_, _| true, &[Params, Input, Output, Scratch], SCATTER_LAST, generated::nothing;

    Scatter(Pass::Clear, Sum), "scatter_clear", Words PooledValues OwnWords, |_, _| true, &[Params, Report, Scratch], SCATTER_SUM, generated::nothing;
    Scatter(Pass::Locate, Sum), "scatter_locate", Words PooledValues OwnWords, |_, _| true, &[Params, Indices, Report, Scratch], SCATTER_SUM, generated::nothing;
    Scatter(Pass::Count, Sum), "scatter_count", Words PooledValues OwnWords, |_, _| true, &[Params, Scratch], SCATTER_SUM, generated::nothing;
    Scatter(Pass::Scan, Sum), "scatter_scan", Words PooledValues OwnWords, |_, _| true, &[Params, Scratch], SCATTER_SUM, generated::nothing;
    Scatter(Pass::Reorder, Sum), "scatter_reorder", Words PooledValues OwnWords, |_, _| true, &[Params, Scratch], SCATTER_SUM, generated::nothing;
    Scatter(Pass::MarkRuns, Sum), "scatter_mark_runs", Words PooledValues OwnWords, |_, _| true, &[Params, Scratch], SCATTER_SUM, generated::nothing;
    Scatter(Pass::Accumulate, Sum), "scatter_accumulate", Words PooledValues OwnWords, |_, _| true, &[Params, Input, Scratch], SCATTER_SUM, generated::nothing;
    Scatter(Pass::CloseReport, Sum), "scatter_close_report", Words PooledValues OwnWords, |_, _| true, &[Indices, Report], SCATTER_SUM, generated::nothing;
    Scatter(Pass::Gather, Sum), "scatter_gather", Words PooledValues OwnWords, |_, _| true, &[Params, Input, Output, Scratch], SCATTER_SUM, generated::nothing;
];

impl Variant {
    /// The index in the table of the variant of an operation that serves a geometry.
    pub(crate) fn index(operation: Operation, geometry: &Geometry, element: Element) -> usize {
        let serves = |v: &Self| v.operation == operation && (v.applies)(geometry, element);
        VARIANTS
            .iter()
            .position(serves)
            .expect("the last row of an operation serves every geometry")
    }

    /// The index in the table of the variant of an operation that has one.
    pub(crate) fn only(operation: Operation) -> usize {
        VARIANTS.iter().position(|v| v.operation == operation).expect("every operation has a row")
    }
}

fn vec4_channels(geometry: &Geometry) -> bool {
    geometry.inner.is_multiple_of(4)
}

/// Windows that share rows of cells.
fn strips(geometry: &Geometry) -> bool {
    windows_of_strip(&geometry.axes, false) > 1
}

fn small_blocks(geometry: &Geometry) -> bool {
    has_small_blocks(&geometry.axes)
}

/// Elements that `shaders/prelude/words.wgsl` can add.
fn sums_in_words(element: Element) -> bool {
    matches!(element, Element::F16 | Element::U8)
}

/// Whether the channels of a pixel fill whole vec4s of words: elements of 16 bits in multiples of 8 channels, or of 8
/// bits in multiples of 16.
fn channel_words(geometry: &Geometry, element: Element) -> bool {
    let item = item_elements(Access::ChannelWords, element) as u32;
    element.bytes() < 4 && geometry.inner.is_multiple_of(item)
}

/// Windows whose taps fit the keys of `shaders/prelude/tagged.wgsl`.
fn channel_words_few_cells(geometry: &Geometry, element: Element) -> bool {
    channel_words(geometry, element) && has_few_cells(&geometry.axes)
}

/// Whether rows of the input fill whole vec4s of words, and rows of windows fill whole vectors of as many windows as
/// one such vec4 has stride blocks.
fn row_words_small_blocks(geometry: &Geometry, element: Element) -> bool {
    let [z, y, x] = &geometry.axes;
    let item = item_elements(Access::RowWords, element) as u32;
    sums_in_words(element)
        && geometry.inner == 1
        && x.stride <= 2
        && x.input.is_multiple_of(item)
        && x.windows.is_multiple_of(item / x.stride)
        && u64::from(z.stride) * u64::from(y.stride) <= MOST_ROWS
        && small_blocks(geometry)
}

/// Tensors of whole vec4s.
fn vec4_tensors(geometry: &Geometry) -> bool {
    geometry.input_len().is_multiple_of(4) && geometry.pooled_len().is_multiple_of(4)
}

/// Rows of windows, which are single elements, of whole vec4s.
fn vec4_rows_pooled(geometry: &Geometry) -> bool {
    geometry.inner == 1 && geometry.axes[2].windows.is_multiple_of(4)
}

/// Rows of whole vec4s, of which a work item owns few.
fn vec4_rows_small_blocks(geometry: &Geometry) -> bool {
    let [z, y, _] = &geometry.axes;
    vec4_tensors(geometry)
        && row_elements(geometry).is_multiple_of(4)
        && u64::from(z.stride) * u64::from(y.stride) <= MOST_ROWS
        && small_blocks(geometry)
}

/// Whether [`vec4_rows_small_blocks`] holds, the stride on x is 1, pixels are single elements, and the number of
/// windows of a row is a multiple of four.
fn vec4_rows_of_windows(geometry: &Geometry) -> bool {
    let x = &geometry.axes[2];
    let rows = x.stride == 1 && x.windows.is_multiple_of(4) && geometry.inner == 1;
    rows && vec4_rows_small_blocks(geometry)
}

/// Whether stride blocks are small, and four adjacent elements lie in at most two rows.
fn small_blocks_long_rows(geometry: &Geometry) -> bool {
    row_elements(geometry) >= 4 && small_blocks(geometry)
}
