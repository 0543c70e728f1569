//! The part of a kernel that is written for the window, a call for each cell: straight code, in which every
//! tap is a constant. Drivers unroll loops only while their bodies are small, some drivers never do, and
//! accumulators stay in registers only where no loop indexes them.
//!
//! `tests/golden` has the complete text of a few kernels.

use std::fmt::Write as _;

use crate::element::Element;
use crate::geometry::Axis;
use crate::gpu::kernel::constants::Constants;
use crate::gpu::kernel::row::has_constant_lanes;
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
        body.line("var maximum = least_of(at);");
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
    body.line("var maximum = least_of(at);");
    for (row, [z, y, _]) in raster([axis_z.kernel, axis_y.kernel, 1]).enumerate() {
        body.line(format_args!("let row{row} = input_row(at, {z}u, {y}u);"));
        for i in 0..loads {
            let load = format_args!("load_of_row(at, row{row}, {i}u, {before}u)");
            body.line(format_args!("let cells{row}_{i} = {load};"));
        }
        for x in 0..axis_x.kernel {
            let lanes = |member: &str| {
                vec4(|lane| {
                    let cell = shift + lane * axis_x.stride + x * axis_x.dilation;
                    format!("cells{row}_{}.{member}.{}", cell / 4, LANES[(cell % 4) as usize])
                })
            };
            let elements = lanes("elements");
            let (keys, thresholds) = (lanes("keys.keys"), lanes("keys.thresholds"));
            let tap = row as u32 * axis_x.kernel + x;
            let arguments = format_args!("{elements}, Keys({keys}, {thresholds}), {tap}u");
            body.line(format_args!("maximum = compare(maximum, {arguments});"));
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
    let mut body = Function::new("fn unpool(block: Block)");
    // In raster order: the window that is furthest before the block first.
    let names: Vec<_> =
        raster(windows).rev().enumerate().map(|(i, _)| format!("window{i}")).collect();
    for (name, [z, y, x]) in names.iter().zip(raster(windows).rev()) {
        body.line(format_args!("let {name} = load_window(block, {z}u, {y}u, {x}u);"));
    }
    let terms: Vec<_> = names.iter().map(|name| format!("{name}.terms")).collect();
    check_sums(constants, &mut body, &terms, "unpool_exactly(block);\n        return;");
    for (n, cell) in raster(axes.each_ref().map(|axis| axis.stride)).enumerate() {
        let mut accumulator = Accumulator::new(n);
        for (name, before) in names.iter().zip(raster(windows).rev()) {
            let taps = [0, 1, 2].map(|axis| tap(&axes[axis], cell[axis], before[axis]));
            if let [Some(z), Some(y), Some(x)] = taps {
                let tap = (z * axes[1].kernel + y) * axes[2].kernel + x;
                accumulator.add(&mut body, name, &format!("vec4<u32>({tap}u)"));
            }
        }
        let [z, y, x] = cell;
        body.line(format_args!("store_cell(block, {z}u, {y}u, {x}u, {});", accumulator.finish()));
    }
    body.end()
}

/// `unpool` of `shaders/max_unpool_row.wgsl`.
pub(crate) fn max_unpool_row(constants: &Constants) -> String {
    unpool_rows(constants, false)
}

/// The same with `shaders/prelude/windows_vec4.wgsl`.
pub(crate) fn max_unpool_row_vec4(constants: &Constants) -> String {
    unpool_rows(constants, true)
}

fn unpool_rows(constants: &Constants, vec4s: bool) -> String {
    let [axis_z, axis_y, axis_x] = &constants.axes;
    let [windows_z, windows_y, windows_x] = constants.axes.each_ref().map(Axis::windows_per_cell);
    let constant_lanes = has_constant_lanes(constants.one_element_per_pixel, axis_x);
    let rows: Vec<_> = raster([windows_z, windows_y, 1]).rev().collect();
    let mut body = Function::new("fn unpool(cells: RowCells)");
    let mut names = Vec::new();
    // The lanes' first and last window, counted from the stride block of lane 0 without padding.
    let before = (axis_x.before / axis_x.stride) as i32;
    let last = ((3 + axis_x.before) / axis_x.stride) as i32;
    let mut first = before - windows_x as i32 + 1;
    if vec4s {
        first = first.div_euclid(4) * 4;
    }
    for (row, [z, y, _]) in rows.iter().enumerate() {
        body.line(format_args!("let row{row} = window_row(cells, {z}u, {y}u);"));
        if constant_lanes {
            for (i, offset) in (first..=last).step_by(4).enumerate() {
                let load = if vec4s {
                    format!("load_vec4_of_windows(cells, row{row}, {})", offset / 4)
                } else {
                    format!("load_windows(cells, row{row}, {offset})")
                };
                body.line(format_args!("let windows{row}_{i} = {load};"));
            }
            let earliest = before - windows_x as i32 + 1 - first;
            names.extend((earliest..=last - first).map(|window| {
                format!("windows{row}_{}.terms.{}", window / 4, LANES[window as usize % 4])
            }));
        } else {
            for before in (0..windows_x).rev() {
                let first = format_args!("vec4<u32>(row{row}.first)");
                let arguments = format_args!("cells.x, cells.inner, row{row}.exists, {before}u");
                let load = format_args!("load_windows_of_lanes({first}, {arguments})");
                body.line(format_args!("let windows{row}_{before} = {load};"));
                names.push(format!("windows{row}_{before}.terms"));
            }
        }
    }
    if constant_lanes {
        let lane = |four: &[String], lane: u32| four[(lane as usize).min(four.len() - 1)].clone();
        names = names.chunks(4).map(|four| vec4(|i| lane(four, i))).collect();
    }
    check_sums(constants, &mut body, &names, "unpool_exactly(cells);\n        return;");
    if !constant_lanes {
        for before in 0..windows_x {
            body.line(format_args!("let tap_x{before} = tap_of_lanes(cells.x, {before}u);"));
        }
    }
    for (n, [rz, ry, _]) in raster([axis_z.stride, axis_y.stride, 1]).enumerate() {
        let mut accumulator = Accumulator::new(n);
        for (row, &[before_z, before_y, _]) in rows.iter().enumerate() {
            let taps = (tap(axis_z, rz, before_z), tap(axis_y, ry, before_y));
            let (Some(tap_z), Some(tap_y)) = taps else { continue };
            let first_tap = (tap_z * axis_y.kernel + tap_y) * axis_x.kernel;
            for before in (0..windows_x).rev() {
                if !constant_lanes {
                    let taps = format!("tap_x{before} + {first_tap}u");
                    accumulator.add(&mut body, &format!("windows{row}_{before}"), &taps);
                    continue;
                }
                // For each lane its window among those loaded, and the tap of its cell there.
                let lanes = [0, 1, 2, 3].map(|lane| {
                    let x = lane + axis_x.before;
                    let tap_x = tap(axis_x, x % axis_x.stride, before)?;
                    let window = ((x / axis_x.stride) as i32 - before as i32 - first) as u32;
                    Some((format!("windows{row}_{}", window / 4), window % 4, first_tap + tap_x))
                });
                if lanes.iter().any(Option::is_some) {
                    accumulator.add(&mut body, &lanes_of_windows(&lanes), &taps_of_lanes(&lanes));
                }
            }
        }
        body.line(format_args!("store_cells(cells, {rz}u, {ry}u, {});", accumulator.finish()));
    }
    body.end()
}

/// `unpool` of `shaders/max_unpool_flat.wgsl`.
pub(crate) fn max_unpool_flat(constants: &Constants) -> String {
    let [windows_z, windows_y, windows_x] = constants.axes.each_ref().map(Axis::windows_per_cell);
    let mut body = Function::new("fn unpool(cells: FlatCells) -> vec4<u32>");
    let mut windows = Vec::new();
    for (row, [z, y, _]) in raster([windows_z, windows_y, 1]).rev().enumerate() {
        body.line(format_args!("let rows{row} = window_rows(cells, {z}u, {y}u);"));
        for before in (0..windows_x).rev() {
            let name = format!("window{row}_{before}");
            let arguments = format_args!("rows{row}.first, cells.x, cells.inner, true, {before}u");
            body.line(format_args!("let {name} = load_windows_of_lanes({arguments});"));
            windows.push((name, format!("rows{row}.taps + tap_of_lanes(cells.x, {before}u)")));
        }
    }
    let terms: Vec<_> = windows.iter().map(|(name, _)| format!("{name}.terms")).collect();
    check_sums(constants, &mut body, &terms, "return unpool_exactly(cells);");
    let mut accumulator = Accumulator::new(0);
    for (name, taps) in &windows {
        accumulator.add(&mut body, name, taps);
    }
    body.line(format_args!("return {};", accumulator.finish()));
    body.end()
}

/// The way out where sums need more than the accumulators' additions.
fn check_sums(constants: &Constants, body: &mut Function, terms: &[String], way_out: &str) {
    use Element::{BF16, F32, I32, U32};
    let may_need = matches!(constants.element, F32 | BF16 | I32 | U32);
    if !constants.summed || !constants.overlapping || !may_need {
        return;
    }
    let [first, others @ ..] = terms else { return };
    body.line(format_args!("var smallest = smallness({first});"));
    for terms in others {
        body.line(format_args!("smallest = min(smallest, smallness({terms}));"));
    }
    body.line(format_args!("if needs_exact_sums(smallest) {{\n        {way_out}\n    }}"));
}

/// A lane of loaded windows, and the tap of a cell there; `None` where no window covers the cell.
type WindowLane = Option<(String, u32, u32)>;

/// A `Pooled` of lanes of several loaded vec4s.
fn lanes_of_windows(lanes: &[WindowLane; 4]) -> String {
    let member = |member: &str, none: &str| {
        vec4(|lane| match &lanes[lane as usize] {
            Some((window, at, _)) => format!("{window}.{member}.{}", LANES[*at as usize]),
            None => none.to_owned(),
        })
    };
    format!("Pooled({}, {})", member("terms", "0u"), member("taps", "NONE"))
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
