//! [`Error`] and [`GeometryError`]: every refusal, with the numbers that were found and those that
//! are allowed.

use std::ops::Range;
use std::sync::Arc;

use crate::element::Element;
use crate::index_space::IndexSpace;
use crate::name::UnknownName;

/// A window and a shape that do not fit each other.
///
/// `axis` counts the spatial axes from 0 in the order of the window.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages name and explain the fields")]
pub enum GeometryError {
    #[error("kernel has {found} axes; 1, 2 or 3 spatial axes are allowed")]
    Rank { found: usize },
    #[error(
        "{argument} has {}, but there {} {}: give one number for each axis",
        counted(*.found, "number", "numbers"),
        if *.allowed == 1 { "is" } else { "are" },
        counted(*.allowed, "spatial axis", "spatial axes")
    )]
    AxisCount { argument: &'static str, found: usize, allowed: usize },
    #[error(
        "shape {shape} has {}; this window takes {allowed}: batch, channels and its spatial axes",
        counted(*.found, "dimension", "dimensions")
    )]
    ShapeRank { shape: String, found: usize, allowed: usize },
    #[error(
        "{argument} shape {shape} has {}; 3 to 5 are allowed: batch, channels and 1 to 3 spatial axes",
        counted(*.found, "dimension", "dimensions")
    )]
    UnsupportedRank { argument: &'static str, shape: String, found: usize },
    #[error("{argument} is 0 on axis {axis}; it must be at least 1")]
    Zero { argument: &'static str, axis: usize },
    #[error("the shape has 0 channels; it must have at least 1")]
    NoChannels,
    #[error("the window has {found} cells; at most {allowed} are allowed")]
    WindowTooLarge { found: u64, allowed: u64 },
    #[error(
        "no window fits on axis {axis}: it spans {extent} cells and the padded input has {padded}"
    )]
    EmptyOutput { axis: usize, extent: u128, padded: u128 },
    #[error(
        "window {window} on axis {axis} holds no cell of the input: it reads {}, and the input has cells 0 to {}",
        cells(*.start, *.kernel, *.dilation), .input - 1
    )]
    EmptyWindow {
        axis: usize,
        window: usize,
        start: i64,
        kernel: usize,
        dilation: usize,
        input: usize,
    },
    #[error(
        "axis {axis} reaches coordinate {found} with its padding; at most {allowed} is allowed"
    )]
    AxisTooLong { axis: usize, found: u128, allowed: u64 },
    #[error("the {tensor} tensor has {found} elements; at most {allowed} are allowed")]
    TooManyElements { tensor: &'static str, found: u128, allowed: u64 },
    #[error("shape {found} differs from {allowed} in more than its spatial extents")]
    Mismatch { found: String, allowed: String },
    #[error("output size {found} on axis {axis}; {lowest} to {highest} are allowed")]
    OutputSize { axis: usize, found: i128, lowest: i128, highest: i128 },
}

/// Every refusal of the library.
///
/// When an error is returned, nothing has been written; the exception is [`Error::Overflow`] from an
/// operation that writes to a slice of the caller.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages name and explain the fields")]
pub enum Error {
    #[error(transparent)]
    Geometry(#[from] GeometryError),
    #[error("{operand} has {found} elements; {allowed} are needed")]
    Length { operand: &'static str, found: usize, allowed: usize },
    #[error("{operand} has shape {found}; the geometry takes {allowed}")]
    ArrayShape { operand: &'static str, found: String, allowed: String },
    #[error("{operand} has {allowed} dimensions, but the requested array type has {found}")]
    ArrayRank { operand: &'static str, found: usize, allowed: usize },
    #[error("taps have {found} bytes each; the taps of this window have {allowed}")]
    TapWidth { found: usize, allowed: usize },
    #[error("the sum at element {element} of the {operand} does not fit {kind}")]
    Overflow { operand: &'static str, element: usize, kind: Element },
    #[error(
        "index {index} at element {element} names no cell of its window, whose first cell has index {lowest} and whose last has index {highest} in index space {space}"
    )]
    IndexOutside { element: usize, index: i64, lowest: u64, highest: u64, space: IndexSpace },
    #[error(
        "index {index} at element {element} names no cell: 0 to {highest} are allowed in index space {space}"
    )]
    IndexOutOfRange { element: usize, index: i64, highest: u64, space: IndexSpace },
    #[error("index space {space} reaches {largest} on this shape; {kind} holds at most {allowed}")]
    IndexSpaceTooLarge { space: IndexSpace, largest: u64, kind: &'static str, allowed: u64 },
    #[error(transparent)]
    UnknownName(#[from] UnknownName),
    #[error("{operand} has {found} bytes; {needed} are needed")]
    BufferTooSmall { operand: &'static str, found: u64, needed: u64 },
    #[error("{operand} is at byte {found} of its buffer; a multiple of {allowed} is allowed")]
    Alignment { operand: &'static str, found: u64, allowed: u64 },
    #[error("{operand} has {found} bytes; a multiple of {multiple} can be read")]
    ReadSize { operand: &'static str, found: u64, multiple: u64 },
    #[error("{operand} is in a buffer for {found:?}; {needed:?} is needed")]
    Usage { operand: &'static str, found: wgpu::BufferUsages, needed: wgpu::BufferUsages },
    #[error(
        "{operand} at bytes {bytes:?} and {other} at bytes {other_bytes:?} overlap in a buffer that is written; each needs bytes of its own"
    )]
    Overlapping {
        operand: &'static str,
        bytes: Range<u64>,
        other: &'static str,
        other_bytes: Range<u64>,
    },
    #[error("{limit} is {allowed} on this device; {needed} is needed")]
    Limit { limit: &'static str, needed: u64, allowed: u64 },
    #[error(
        "a scratch buffer of {needed} words is needed; at most {allowed} are allowed, which 32 bits count"
    )]
    ScratchTooLarge { needed: u64, allowed: u64 },
    #[error("a workgroup of 0 invocations; it must have at least 1")]
    ZeroWorkgroup,
    #[error("no adapter{wanted} that runs compute shaders; found: {found}")]
    NoAdapter { wanted: String, found: String },
    #[error("{adapter} cannot be used: {message}")]
    Adapter { adapter: String, message: String },
    #[error(
        "{adapter} does not round sums of floats to nearest even, as the CPU does: {terms} gives {found:?}, not {expected:?}"
    )]
    Rounding { adapter: String, terms: String, found: f32, expected: f32 },
    #[error("the device was lost")]
    DeviceLost,
    #[error("the device has no memory left")]
    OutOfMemory,
    #[error(transparent)]
    Wgpu(#[from] WgpuError),
}

/// An error of `wgpu` that has no variant of its own in [`Error`]: its message, and its sources.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub struct WgpuError(Arc<dyn std::error::Error + Send + Sync>);

impl WgpuError {
    pub(crate) fn new(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(error))
    }

    /// The error, such as a [`wgpu::Error`] to downcast to.
    pub fn get(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
        &*self.0
    }
}

impl PartialEq for WgpuError {
    /// Whether both have one message.
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

/// An error unless an operand has the number of elements that is allowed.
pub(crate) fn check_len(operand: &'static str, found: usize, allowed: usize) -> Result<(), Error> {
    if found == allowed { Ok(()) } else { Err(Error::Length { operand, found, allowed }) }
}

/// An error if more is needed than a limit of a device allows.
pub(crate) fn check_limit(limit: &'static str, needed: u64, allowed: u64) -> Result<(), Error> {
    if needed > allowed { Err(Error::Limit { limit, needed, allowed }) } else { Ok(()) }
}

/// A number and its noun, such as `1 axis` or `2 axes`.
fn counted(number: usize, one: &str, several: &str) -> String {
    let things = if number == 1 { one } else { several };
    format!("{number} {things}")
}

/// The cells that a window reads on one axis, such as `cells -5 and 5`.
fn cells(start: i64, kernel: usize, dilation: usize) -> String {
    let cell = |tap: usize| start + tap as i64 * dilation as i64;
    match kernel {
        1 => format!("cell {start}"),
        2 => format!("cells {start} and {}", cell(1)),
        3 => format!("cells {start}, {} and {}", cell(1), cell(2)),
        _ if dilation == 1 => format!("cells {start} to {}", cell(kernel - 1)),
        _ => format!("cells {start} to {} in steps of {dilation}", cell(kernel - 1)),
    }
}
