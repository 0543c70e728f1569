//! How long the operations take.
//!
//! Pooling and unpooling do little arithmetic: the limit is the memory bandwidth, each byte moved
//! once. So every time is given as a ratio to a copy of the full-size tensor on the same device in
//! the same run, and to the floor: the time of a copy of as many bytes as the operation must move. On the
//! CPU the copy is `memcpy`. Copy and operations are interleaved unless
//! [`Order::Repeated`] is asked for. Results are compared with the reference before timing starts.

mod case;
mod cpu;
mod gpu;
mod measure;
mod op;
mod overhead;
mod runs;

pub use case::{Case, Size, cases, growth};
pub use measure::{BenchError, Row, fill};
pub use op::Op;
pub use overhead::Overhead;
pub use runs::{Order, Runs};

use unpool::{Element, Engine};

/// Measures the operations of one case on an engine.
///
/// # Errors
///
/// If the engine refuses the case, or gives other bits than the reference.
pub fn run(engine: &Engine, case: &Case, runs: Runs) -> Result<Vec<Row>, BenchError> {
    match (engine, case.element) {
        (Engine::Gpu(gpu), Element::F16) => gpu::run::<half::f16>(gpu, case, runs),
        (Engine::Gpu(gpu), Element::BF16) => gpu::run::<half::bf16>(gpu, case, runs),
        (Engine::Gpu(gpu), Element::U8) => gpu::run::<u8>(gpu, case, runs),
        (Engine::Gpu(gpu), _) => gpu::run::<f32>(gpu, case, runs),
        (_, Element::F16) => cpu::run::<half::f16>(case, runs),
        (_, Element::BF16) => cpu::run::<half::bf16>(case, runs),
        (_, Element::U8) => cpu::run::<u8>(case, runs),
        _ => cpu::run::<f32>(case, runs),
    }
}
