//! The part of a kernel that is written for the window, a call for each cell: straight code, in which every
//! tap is a constant. Drivers unroll loops only while their bodies are small, some drivers never do, and
//! accumulators stay in registers only where no loop indexes them.
//!
//! `tests/golden` has the complete text of a few kernels.

mod pool;
mod unpool;

use std::fmt::Write as _;

use crate::geometry::Axis;
use crate::gpu::kernel::constants::Constants;

pub(crate) use pool::{max_pool, max_pool_row, max_pool_strip};
pub(crate) use unpool::{
    max_unpool_block, max_unpool_flat, max_unpool_row, max_unpool_row_vec4, max_unpool_row_words,
};

/// Nothing: the shader is complete.
pub(crate) fn nothing(_: &Constants) -> String {
    String::new()
}

/// Every index of a box, in raster order.
fn raster([z, y, x]: [u32; 3]) -> impl DoubleEndedIterator<Item = [u32; 3]> {
    (0..z).flat_map(move |z| (0..y).flat_map(move |y| (0..x).map(move |x| [z, y, x])))
}

/// The tap of a cell in window `window`, if it is one. Cells are counted from the start of window 0.
fn tap(axis: &Axis, cell: u32, window: i32) -> Option<u32> {
    let start = i64::from(window) * i64::from(axis.stride);
    let offset = u32::try_from(i64::from(cell) - start).ok()?;
    let is_tap = offset.is_multiple_of(axis.dilation) && offset / axis.dilation < axis.kernel;
    is_tap.then_some(offset / axis.dilation)
}

/// The tap of a cell in a window, if it is one on each axis.
fn tap_of(axes: &[Axis; 3], cell: [u32; 3], window: [i32; 3]) -> Option<u32> {
    let [z, y, x] = [0, 1, 2].map(|i| tap(&axes[i], cell[i], window[i]));
    Some((z? * axes[1].kernel + y?) * axes[2].kernel + x?)
}

const LANES: [char; 4] = ['x', 'y', 'z', 'w'];

fn vec4(lane: impl Fn(u32) -> String) -> String {
    format!("vec4<u32>({}, {}, {}, {})", lane(0), lane(1), lane(2), lane(3))
}

/// The text of a function.
struct Function(String);

impl Function {
    fn new(head: &str) -> Self {
        Self(format!("\n{head} {{\n"))
    }

    fn line(&mut self, line: impl std::fmt::Display) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "    {line}");
    }

    fn end(mut self) -> String {
        self.0.push_str("}\n");
        self.0
    }
}
