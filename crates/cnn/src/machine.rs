//! What runs programs: numbered pieces of memory, and kernels on them. The CPU and the GPU are one.

use unpool::wgpu::WasmNotSend;

use crate::error::Error;
use crate::kernel::Kernel;
use crate::program::BufferId;
use crate::reading::Numbers;

/// A kernel and the pieces of memory of its operands.
#[derive(Clone, Debug)]
pub(crate) struct Bound<'a> {
    pub(crate) kernel: &'a Kernel,
    pub(crate) reads: Vec<BufferId>,
    pub(crate) writes: Vec<BufferId>,
}

/// Memory and kernels. Whatever runs them may go from thread to thread, but not in a browser.
pub(crate) trait Machine: WasmNotSend {
    /// A new piece of so many bytes.
    fn allocate(&mut self, bytes: u64) -> Result<BufferId, Error>;

    /// Fills the beginning of a piece.
    fn write(&mut self, buffer: BufferId, data: &[f32]) -> Result<(), Error>;

    /// The first `len` numbers of a piece, as they are after all that was run so far.
    fn read(&mut self, buffer: BufferId, len: usize) -> Result<Numbers, Error>;

    /// Runs kernels one after the other. No piece is both read and written by one of them.
    fn run(&mut self, program: &[Bound<'_>]) -> Result<(), Error>;
}
