//! What runs programs: numbered pieces of memory, and kernels on them. The CPU and the GPU are one.

use crate::error::Error;
use crate::kernel::Kernel;
use crate::program::BufferId;

/// A kernel and the pieces of memory of its operands.
#[derive(Clone, Debug)]
pub(crate) struct Bound<'a> {
    pub(crate) kernel: &'a Kernel,
    pub(crate) reads: Vec<BufferId>,
    pub(crate) writes: Vec<BufferId>,
}

/// Memory and kernels.
pub(crate) trait Machine: Send {
    /// A new piece of so many bytes.
    fn allocate(&mut self, bytes: u64) -> Result<BufferId, Error>;

    /// Fills the beginning of a piece.
    fn write(&mut self, buffer: BufferId, data: &[f32]) -> Result<(), Error>;

    /// The first `len` numbers of a piece.
    fn read(&mut self, buffer: BufferId, len: usize) -> Result<Vec<f32>, Error>;

    /// Runs kernels one after the other. No piece is both read and written by one of them.
    fn run(&mut self, program: &[Bound<'_>]) -> Result<(), Error>;
}
