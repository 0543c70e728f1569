//! The interface of the CPU and the GPU to a session: numbered buffers, and kernels on them.

use unpool::wgpu::WasmNotSend;

use crate::error::Error;
use crate::kernel::Kernel;
use crate::program::BufferId;
use crate::reading::Numbers;

/// A kernel and the buffers of its operands.
#[derive(Clone, Debug)]
pub(crate) struct Bound<'a> {
    pub(crate) kernel: &'a Kernel,
    pub(crate) reads: Vec<BufferId>,
    pub(crate) writes: Vec<BufferId>,
    /// Whether it continues a chain ([`chained`](crate::program::chained)).
    pub(crate) is_chained: bool,
}

/// Buffers and kernels. A machine may move between threads, except in a browser.
pub(crate) trait Machine: WasmNotSend {
    /// Allocates a buffer of at least `bytes` bytes.
    fn allocate(&mut self, bytes: u64) -> Result<BufferId, Error>;

    /// Bytes of partial sums that a kernel stores while it runs.
    fn scratch(&self, _kernel: &Kernel) -> u64 {
        0
    }

    /// Makes room for so many bytes of partial sums, which kernels share that run one after the other.
    fn reserve(&mut self, _bytes: u64) -> Result<(), Error> {
        Ok(())
    }

    /// Fills a part of a buffer, from number `at` on.
    fn write(&mut self, buffer: BufferId, at: usize, data: &[f32]) -> Result<(), Error>;

    /// Reads the first `len` numbers of a buffer, after all programs that were run before.
    fn read(&mut self, buffer: BufferId, len: usize) -> Result<Numbers, Error>;

    /// Whether kernels may be chained.
    fn chains(&self) -> bool {
        false
    }

    /// Runs kernels one after the other, or chains of them. No kernel both reads and writes one buffer, and no
    /// chain writes one that it has read.
    fn run(&mut self, program: &[Bound<'_>]) -> Result<(), Error>;
}
