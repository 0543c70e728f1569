//! How long the operations take.
//!
//! Pooling and unpooling do no arithmetic worth the name: the limit is moving the bytes once. So
//! every time is given as a ratio to a copy of the full-size tensor on the same device in the same
//! run, the two interleaved unless asked otherwise; on the CPU the copy is `memcpy`. Results are
//! compared with the reference before anything is timed.

mod case;
mod cpu;
mod gpu;
mod measure;
mod overhead;

pub use case::{Case, cases, growth};
pub use measure::{BenchError, Op, Row, fill};
pub use overhead::Overhead;

use unpool::{Element, Engine};

/// The timed runs.
#[derive(Clone, Copy, Debug)]
pub struct Runs {
    /// Of the copy and of each operation, after one that warms up.
    pub each: usize,
    /// What follows what.
    pub order: Order,
}

/// What follows what: it decides which tensors are in the caches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The copy and each operation once, and again.
    Turns,
    /// The copy as often as it is timed, then one operation, then the next, as a loop around one
    /// call does it.
    Repeated,
}

/// Measures the operations of one case on an engine.
///
/// # Errors
///
/// If the engine refuses the case, or gives other bits than the reference.
pub fn run(engine: &Engine, case: &Case, runs: Runs) -> Result<Vec<Row>, BenchError> {
    match (engine, case.element) {
        (Engine::Gpu(gpu), Element::F16) => gpu::run::<half::f16>(gpu, case, runs),
        (Engine::Gpu(gpu), _) => gpu::run::<f32>(gpu, case, runs),
        (_, Element::F16) => cpu::run::<half::f16>(case, runs),
        _ => cpu::run::<f32>(case, runs),
    }
}
