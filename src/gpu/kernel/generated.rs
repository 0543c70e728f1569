//! The part of a kernel that is written for the window, a call for each cell: straight code, in which every
//! tap is a constant. Drivers unroll loops only while their bodies are small, some drivers never do, and
//! accumulators stay in registers only where no loop indexes them.
//!
//! `tests/golden` has the complete text of a few kernels.

use std::fmt::Write as _;

use crate::geometry::Axis;
use crate::gpu::kernel::constants::Constants;
use crate::gpu::kernel::row::WindowVec4s;
use crate::gpu::kernel::size::has_few_cells;

/// Every index of a box, in raster order.
fn raster([z, y, x]: [u32; 3]) -> impl DoubleEndedIterator<Item = [u32; 3]> {
    (0..z).flat_map(move |z| (0..y).flat_map(move |y| (0..x).map(move |x| [z, y, x])))
}

/// Nothing: the shader is complete.
pub(crate) fn nothing(_: &Constants) -> String {
    String::new()
}

/// `find_maximum` and `store_maximum` of `shaders/max_pool.wgsl`.
pub(crate) fn max_pool(constants: &Constants) -> String {
    let axes = &constants.axes;
    let mut body = Function::new("fn find_maximum(at: Position) -> Maximum");
    if has_few_cells(axes) {
        body.line("var maximum = no_maximum();");
        for (tap, [z, y, x]) in raster(axes.each_ref().map(|axis| axis.kernel)).enumerate() {
            let cell = format_args!("{tap}u, {z}u, {y}u, {x}u");
            body.line(format_args!("maximum = compare_cell(maximum, at, {cell});"));
        }
        body.line("return maximum;");
    } else {
        body.line("return find_maximum_in_loop(at);");
    }
    body.end() + &store_maximum(constants)
}

/// `find_maximum` and `store_maximum` of `shaders/max_pool_row.wgsl`.
pub(crate) fn max_pool_row(constants: &Constants) -> String {
    let [axis_z, axis_y, axis_x] = &constants.axes;
    // The loaded vec4s start `shift` cells before the first cell of the first window.
    let before = axis_x.before.div_ceil(4);
    let shift = before * 4 - axis_x.before;
    let loads = (shift + 3 * axis_x.stride + axis_x.extent()).div_ceil(4);
    let mut body = Function::new("fn find_maximum(at: Position) -> Maximum");
    body.line("var maximum = no_maximum();");
    for (row, [z, y, _]) in raster([axis_z.kernel, axis_y.kernel, 1]).enumerate() {
        body.line(format_args!("let row{row} = input_row(at, {z}u, {y}u);"));
        for i in 0..loads {
            let load = format_args!("load_of_row(at, row{row}, {i}u, {before}u)");
            body.line(format_args!("let cells{row}_{i} = {load};"));
        }
        for x in 0..axis_x.kernel {
            let cells = vec4(|lane| {
                let cell = shift + lane * axis_x.stride + x * axis_x.dilation;
                format!("cells{row}_{}.{}", cell / 4, LANES[(cell % 4) as usize])
            });
            let tap = row as u32 * axis_x.kernel + x;
            let arguments = format_args!("row{row}, {cells}, {tap}u, {x}u");
            body.line(format_args!("maximum = compare_of_row(maximum, at, {arguments});"));
        }
    }
    body.line("return maximum;");
    body.end() + &store_maximum(constants)
}

fn store_maximum(constants: &Constants) -> String {
    let mut body = Function::new("fn store_maximum(item: u32, maximum: Maximum)");
    body.line("store_item(item, maximum.elements);");
    if constants.with_taps {
        body.line("store_taps_of_item(item, maximum.taps);");
    }
    body.end()
}

/// `unpool` of `shaders/max_unpool_block.wgsl`.
pub(crate) fn max_unpool_block(constants: &Constants) -> String {
    let axes = &constants.axes;
    let windows = axes.each_ref().map(Axis::windows_per_cell);
    let mut body = Function::new("fn unpool(blocks: Blocks)");
    // In raster order: the window that is furthest before the blocks first.
    for (i, [z, y, x]) in raster(windows).rev().enumerate() {
        body.line(format_args!("let window{i} = load_window(blocks, {z}u, {y}u, {x}u);"));
    }
    for (n, cell) in raster(axes.each_ref().map(|axis| axis.stride)).enumerate() {
        let mut accumulator = Accumulator::new(n);
        for (i, before) in raster(windows).rev().enumerate() {
            let taps = [0, 1, 2].map(|axis| tap(&axes[axis], cell[axis], before[axis]));
            if let [Some(z), Some(y), Some(x)] = taps {
                let tap = (z * axes[1].kernel + y) * axes[2].kernel + x;
                accumulator.add(&mut body, &format!("window{i}"), &format!("vec4<u32>({tap}u)"));
            }
        }
        let [z, y, x] = cell;
        body.line(format_args!("store_cell(blocks, {z}u, {y}u, {x}u, {});", accumulator.finish()));
    }
    body.end()
}

/// `unpool` of `shaders/max_unpool_row.wgsl`.
pub(crate) fn max_unpool_row(constants: &Constants) -> String {
    let [axis_z, axis_y, axis_x] = &constants.axes;
    let vec4s = WindowVec4s::new(axis_x);
    let windows @ [_, _, windows_x] = constants.axes.each_ref().map(Axis::windows_per_cell);
    let rows = || raster([windows[0], windows[1], 1]).rev().enumerate();
    let mut body = Function::new("fn unpool(blocks: Blocks)");
    for (row, [z, y, _]) in rows() {
        for i in 0..vec4s.count {
            let arguments = format_args!("{z}u, {y}u, {i}u, {}u", vec4s.before);
            body.line(format_args!("let windows{row}_{i} = load_windows(blocks, {arguments});"));
        }
    }
    let cells = raster([axis_z.stride, axis_y.stride, axis_x.stride]);
    for (n, [z, y, number]) in cells.enumerate() {
        let mut accumulator = Accumulator::new(n);
        for (row, [before_z, before_y, _]) in rows() {
            let taps = (tap(axis_z, z, before_z), tap(axis_y, y, before_y));
            let (Some(tap_z), Some(tap_y)) = taps else { continue };
            for before_x in (0..windows_x).rev() {
                // For each cell of the vec4: the loaded vec4 and the lane of its window, and its tap there.
                let lanes = [0, 1, 2, 3].map(|lane| {
                    let x = number * 4 + lane + axis_x.before;
                    let tap_x = tap(axis_x, x % axis_x.stride, before_x)?;
                    let window = x / axis_x.stride + vec4s.before * 4 - before_x;
                    let tap = (tap_z * axis_y.kernel + tap_y) * axis_x.kernel + tap_x;
                    Some((format!("windows{row}_{}", window / 4), window % 4, tap))
                });
                if lanes.iter().any(Option::is_some) {
                    accumulator.add(&mut body, &lanes_of_windows(&lanes), &taps_of_lanes(&lanes));
                }
            }
        }
        let cells = format_args!("blocks, {z}u, {y}u, {number}u");
        body.line(format_args!("store_cells({cells}, {});", accumulator.finish()));
    }
    body.end()
}

/// A lane of a loaded vec4 of windows, and the tap of a cell there; `None` where no window covers the cell.
type WindowLane = Option<(String, u32, u32)>;

/// A `Pooled` of lanes of several loaded vec4s.
fn lanes_of_windows(lanes: &[WindowLane; 4]) -> String {
    let member = |member: &str, none: &str| {
        vec4(|lane| match &lanes[lane as usize] {
            Some((window, at, _)) => format!("{window}.{member}.{}", LANES[*at as usize]),
            None => none.to_owned(),
        })
    };
    let (low, high, taps) =
        (member("term.low", "0u"), member("term.high", "0u"), member("taps", "NONE"));
    format!("Pooled(Sum({low}, {high}), {taps})")
}

fn taps_of_lanes(lanes: &[WindowLane; 4]) -> String {
    vec4(|lane| format!("{}u", lanes[lane as usize].as_ref().map_or(0, |&(_, _, tap)| tap)))
}

/// The accumulator of cell `cell` of a work item, a variable for each window that it has.
struct Accumulator {
    cell: usize,
    windows: usize,
}

impl Accumulator {
    fn new(cell: usize) -> Self {
        Self { cell, windows: 0 }
    }

    /// Adds a window, in which the cell has these taps.
    fn add(&mut self, body: &mut Function, window: &str, taps: &str) {
        let Self { cell, windows } = *self;
        let call = match windows.checked_sub(1) {
            None => format!("accumulate_first({window}, {taps})"),
            Some(earlier) => format!("accumulate(cell{cell}_{earlier}, {window}, {taps})"),
        };
        body.line(format_args!("let cell{cell}_{windows} = {call};"));
        self.windows += 1;
    }

    /// The elements after the last window: zero for a cell that no window covers.
    fn finish(self) -> String {
        match self.windows.checked_sub(1) {
            None => "vec4<u32>(0u)".to_owned(),
            Some(last) => format!("finish(cell{}_{last})", self.cell),
        }
    }
}

/// The tap of cell `r` of a stride block in the window that is `before` windows before the block's, if the cell
/// is in that window.
fn tap(axis: &Axis, r: u32, before: u32) -> Option<u32> {
    let offset = r + before * axis.stride;
    let is_tap = offset.is_multiple_of(axis.dilation) && offset / axis.dilation < axis.kernel;
    is_tap.then_some(offset / axis.dilation)
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
