//! Unpooling: the windows over some cells are loaded one after the other, and the cells accumulate from them.

use std::collections::BTreeMap;

use super::{Function, LANES, raster, tap, tap_of, vec4};
use crate::element::Element;
use crate::geometry::Axis;
use crate::gpu::kernel::constants::Constants;
use crate::gpu::kernel::size::has_constant_lanes;

/// `unpool` of `shaders/max_unpool_block.wgsl`.
pub(crate) fn max_unpool_block(constants: &Constants) -> String {
    let [axis_z, axis_y, axis_x] = &constants.axes;
    let mut body = Function::new("fn unpool(block: Block)");
    let (mut sums, mut cells) = (Sums::new(constants), Accumulators::default());
    let owned = [axis_z.stride, axis_y.stride * constants.strip, axis_x.stride];
    for (row, [z, y]) in window_rows(constants).into_iter().enumerate() {
        for (column, x) in window_columns(axis_x).enumerate() {
            let window = format!("window{row}_{column}");
            body.line(format_args!("let {window} = load_window(block, {z}, {y}, {x});"));
            sums.add(&mut body, &window);
            for cell in raster(owned) {
                let Some(tap) = tap_of(&constants.axes, cell, [z, y, x]) else { continue };
                cells.add(&mut body, cell, &format!("{window}, vec4<u32>({tap}u)"));
            }
        }
    }
    sums.end(&mut body, "unpool_exactly(block);\n        return;");
    for cell @ [z, y, x] in raster(owned) {
        let elements = cells.finish(cell);
        body.line(format_args!("store_cell(block, {z}u, {y}u, {x}u, {elements});"));
    }
    body.end()
}

/// `unpool` of `shaders/max_unpool_row.wgsl`.
pub(crate) fn max_unpool_row(constants: &Constants) -> String {
    if !has_constant_lanes(constants.one_element_per_pixel, &constants.axes[2]) {
        return unpool_rows(constants, |body, sums, row| load_lanes(body, sums, constants, row));
    }
    unpool_rows(constants, |body, sums, row| load_numbered(body, sums, constants, row, false))
}

/// `unpool` of `shaders/max_unpool_row.wgsl` with `shaders/prelude/windows_vec4.wgsl`, by which windows are loaded as
/// vec4s.
pub(crate) fn max_unpool_row_vec4(constants: &Constants) -> String {
    unpool_rows(constants, |body, sums, row| load_numbered(body, sums, constants, row, true))
}

/// `unpool` of `shaders/max_unpool_row.wgsl` with `shaders/prelude/row_words.wgsl`, where elements stay in words.
/// Windows are loaded in vectors, which start at multiples of their length; a vector that starts elsewhere is assembled
/// from two.
pub(crate) fn max_unpool_row_words(constants: &Constants) -> String {
    let [axis_z, axis_y, axis_x] = &constants.axes;
    let bits = constants.bits();
    let words = 4 / axis_x.stride;
    let per_vector = (words * 32 / bits) as i32;
    // The windows over the work item's columns, counted from those that start the stride blocks without padding.
    let column_of = |x: u32| x + axis_x.before;
    let last = (column_of(axis_x.stride - 1) / axis_x.stride) as i32;
    let first = (column_of(0) / axis_x.stride) as i32 + 1 - axis_x.windows_per_cell() as i32;
    let covers =
        |&offset: &i32| (0..axis_x.stride).any(|x| tap(axis_x, column_of(x), offset).is_some());
    let mut body = Function::new("fn unpool(cells: RowCells)");
    let mut cells = Accumulators::default();
    let owned = [axis_z.stride, axis_y.stride * constants.strip, axis_x.stride];
    for (row, [z, y]) in window_rows(constants).into_iter().enumerate() {
        body.line(format_args!("let row{row} = window_row(cells, {z}, {y});"));
        let name = |vector: i32| format!("vector{row}_{}", vector - first.div_euclid(per_vector));
        let mut next_vector = i32::MIN;
        for (i, offset) in (first..=last).filter(covers).enumerate() {
            let (vector, start) = (offset.div_euclid(per_vector), offset.rem_euclid(per_vector));
            let end = vector + 1 + i32::from(start > 0);
            for vector in next_vector.max(vector)..end {
                let load = format_args!("load_windows(cells, row{row}, {vector})");
                body.line(format_args!("let {} = {load};", name(vector)));
            }
            next_vector = end;
            let from = |member: &str| {
                let vectors = [name(vector), name(vector + 1)].map(|v| format!("{v}.{member}"));
                words_from(&vectors, start as u32 * bits, words)
            };
            let windows = format!("windows{row}_{i}");
            let load = format_args!("pooled({}, {})", from("elements"), from("taps"));
            body.line(format_args!("let {windows} = {load};"));
            for cell @ [cell_z, cell_y, cell_x] in raster(owned) {
                let at = [cell_z, cell_y, column_of(cell_x)];
                let Some(tap) = tap_of(&constants.axes, at, [z, y, offset]) else { continue };
                cells.add(&mut body, cell, &format!("{windows}, vec4<u32>({tap}u)"));
            }
        }
    }
    for [z, y, _] in raster([owned[0], owned[1], 1]) {
        let [even, odd] = [0, 1].map(|x| cells.finish([z, y, x]));
        let elements = if words == 4 { even } else { format!("interleave({even}, {odd})") };
        body.line(format_args!("store_cells(cells, {z}u, {y}u, {elements});"));
    }
    body.end()
}

/// As many words as a vector has, from bit `bit` of two adjacent vectors.
fn words_from(vectors: &[String; 2], bit: u32, words: u32) -> String {
    if bit == 0 {
        return vectors[0].clone();
    }
    let word =
        |n: u32| format!("{}.{}", vectors[(n / words) as usize], LANES[(n % words) as usize]);
    let shifted = (bit / 32..).take(words as usize).map(|low| match bit % 32 {
        0 => word(low),
        shift => format!("funnel({}, {}, {shift}u)", word(low), word(low + 1)),
    });
    format!("Words({})", shifted.collect::<Vec<_>>().join(", "))
}

/// For four lanes the window of each, as a `Pooled`, and the tap on x of the lanes' cells.
type Lanes = (String, String);

/// Rows of cells that accumulate from the windows that `load` loads from each row of windows.
fn unpool_rows(
    constants: &Constants,
    load: impl Fn(&mut Function, &mut Sums, usize) -> Vec<Lanes>,
) -> String {
    let [axis_z, axis_y, _] = &constants.axes;
    let mut body = Function::new("fn unpool(cells: RowCells)");
    let (mut sums, mut cells) = (Sums::new(constants), Accumulators::default());
    let owned = [axis_z.stride, axis_y.stride * constants.strip, 1];
    for (row, [z, y]) in window_rows(constants).into_iter().enumerate() {
        body.line(format_args!("let row{row} = window_row(cells, {z}, {y});"));
        for (windows, taps) in load(&mut body, &mut sums, row) {
            for cell in raster(owned) {
                let first_tap = tap_of(&constants.axes, cell, [z, y, 0]);
                let Some(first_tap) = first_tap else { continue };
                cells.add(&mut body, cell, &format!("{windows}, {taps} + {first_tap}u"));
            }
        }
    }
    sums.end(&mut body, "unpool_exactly(cells);\n        return;");
    for cell @ [z, y, _] in raster(owned) {
        body.line(format_args!("store_cells(cells, {z}u, {y}u, {});", cells.finish(cell)));
    }
    body.end()
}

/// The windows of a row that lanes find by themselves.
fn load_lanes(
    body: &mut Function,
    sums: &mut Sums,
    constants: &Constants,
    row: usize,
) -> Vec<Lanes> {
    let load = |before| {
        let windows = format!("windows{row}_{before}");
        let x = format_args!("cells.x / STRIDE_X - {before}u");
        let load = format_args!("load_windows_at(cells, row{row}, {x})");
        body.line(format_args!("let {windows} = {load};"));
        sums.add(body, &windows);
        let taps = format!("taps_of_cells(cells.x, {before}u, STRIDE_X, KERNEL_X, DILATION_X)");
        (windows, taps)
    };
    (0..constants.axes[2].windows_per_cell()).rev().map(load).collect()
}

/// The windows of a row, loaded four at a time, where the window of each lane is a constant: see `has_constant_lanes`.
fn load_numbered(
    body: &mut Function,
    sums: &mut Sums,
    constants: &Constants,
    row: usize,
    vec4s: bool,
) -> Vec<Lanes> {
    let axis = &constants.axes[2];
    let windows = axis.windows_per_cell() as i32;
    // The lanes' first and last window, counted from the stride block of lane 0 without padding.
    let before = (axis.before / axis.stride) as i32;
    let last = ((3 + axis.before) / axis.stride) as i32;
    let mut first = before - windows + 1;
    if vec4s {
        first = first.div_euclid(4) * 4;
    }
    for (i, offset) in (first..=last).step_by(4).enumerate() {
        let load = if vec4s {
            format!("load_vec4_of_windows(cells, row{row}, {})", offset / 4)
        } else {
            format!("load_windows(cells, row{row}, {offset})")
        };
        let windows = format!("windows{row}_{i}");
        body.line(format_args!("let {windows} = {load};"));
        sums.add(body, &windows);
    }
    (0..windows)
        .rev()
        .map(|before| {
            // Of each lane, its window among those loaded, and the tap of its cell there.
            let lanes = [0, 1, 2, 3].map(|lane| {
                let x = lane + axis.before;
                let window = (x / axis.stride) as i32 - before;
                (window - first, tap(axis, x, window))
            });
            let lanes_of = |name: &str, none: &str| {
                vec4(|lane| match lanes[lane as usize] {
                    (window, Some(_)) => {
                        let at = LANES[window as usize % 4];
                        format!("windows{row}_{}.{name}.{at}", window / 4)
                    }
                    (_, None) => none.to_owned(),
                })
            };
            let name = format!("lanes{row}_{before}");
            let (terms, taps) = (lanes_of("terms", "0u"), lanes_of("taps", "NONE"));
            body.line(format_args!("let {name} = Pooled({terms}, {taps});"));
            (name, vec4(|lane| format!("{}u", lanes[lane as usize].1.unwrap_or(0))))
        })
        .collect()
}

/// `unpool` of `shaders/max_unpool_flat.wgsl`.
pub(crate) fn max_unpool_flat(constants: &Constants) -> String {
    let mut body = Function::new("fn unpool(cells: FlatCells) -> vec4<u32>");
    let (mut sums, mut cells) = (Sums::new(constants), Accumulators::of_hits());
    for (row, [z, y]) in window_rows(constants).into_iter().enumerate() {
        body.line(format_args!("let row{row} = window_rows(cells, {}u, {}u);", -z, -y));
        for before in (0..constants.axes[2].windows_per_cell()).rev() {
            let windows = format!("windows{row}_{before}");
            let load = format_args!("load_windows(cells, row{row}, {before}u)");
            body.line(format_args!("let {windows} = {load};"));
            sums.add(&mut body, &windows);
            cells.add(&mut body, [0; 3], &format!("{windows}.terms, {windows}.hits"));
        }
    }
    sums.end(&mut body, "return unpool_exactly(cells);");
    body.line(format_args!("return {};", cells.finish([0; 3])));
    body.end()
}

/// The rows of windows over a strip of stride blocks in raster order, counted from the row that starts the strip.
fn window_rows(constants: &Constants) -> Vec<[i32; 2]> {
    let [axis_z, axis_y, _] = &constants.axes;
    let rows = 1 - axis_y.windows_per_cell() as i32..constants.strip as i32;
    let slices = 1 - axis_z.windows_per_cell() as i32..1;
    slices.flat_map(|z| rows.clone().map(move |y| [z, y])).collect()
}

/// The windows over the cells of a stride block in a row, counted from the one that starts the block.
fn window_columns(axis: &Axis) -> impl Iterator<Item = i32> {
    1 - axis.windows_per_cell() as i32..1
}

/// The check whether sums need more than the accumulators' additions. It comes after them, so that windows need
/// not stay in registers until all are loaded.
struct Sums {
    are_checked: bool,
    terms: usize,
}

impl Sums {
    fn new(constants: &Constants) -> Self {
        use Element::{BF16, F32, I32, U32};
        let may_need = matches!(constants.element, F32 | BF16 | I32 | U32);
        Self { are_checked: constants.summed && constants.overlapping && may_need, terms: 0 }
    }

    /// Includes the terms of some windows in the check.
    fn add(&mut self, body: &mut Function, windows: &str) {
        if !self.are_checked {
            return;
        }
        let smallness = format!("smallness({windows}.terms)");
        body.line(match self.terms {
            0 => format!("var smallest = {smallness};"),
            _ => format!("smallest = min(smallest, {smallness});"),
        });
        self.terms += 1;
    }

    fn end(self, body: &mut Function, exit: &str) {
        if self.terms > 0 {
            body.line(format_args!("if needs_exact_sums(smallest) {{\n        {exit}\n    }}"));
        }
    }
}

/// The accumulators of a work item's cells, in the generated code a variable for each window over each cell. For each
/// cell: the number of windows so far, and the arguments of the call that accumulates the first.
#[derive(Default)]
struct Accumulators {
    cells: BTreeMap<[u32; 3], (usize, String)>,
    /// The suffix of the names of the shader's functions.
    of: &'static str,
}

impl Accumulators {
    /// Accumulators whose windows come with a mask of the lanes that they hit, instead of with the taps of the lanes.
    fn of_hits() -> Self {
        Self { of: "_hits", ..Self::default() }
    }

    /// Adds a window to a cell; `arguments` are those of the shader's function.
    fn add(&mut self, body: &mut Function, cell: [u32; 3], arguments: &str) {
        let (windows, first) = self.cells.entry(cell).or_default();
        let ([z, y, x], of) = (cell, self.of);
        let call = match windows.checked_sub(1) {
            None => {
                arguments.clone_into(first);
                format!("accumulate_first{of}({first})")
            }
            Some(earlier) => format!("accumulate{of}(cell{z}{y}{x}_{earlier}, {arguments})"),
        };
        body.line(format_args!("let cell{z}{y}{x}_{windows} = {call};"));
        *windows += 1;
    }

    /// The elements of a cell after the last window: zero for a cell that no window covers.
    fn finish(&self, [z, y, x]: [u32; 3]) -> String {
        match self.cells.get(&[z, y, x]) {
            None => "no_window()".to_owned(),
            Some((1, first)) if self.of.is_empty() => format!("finish_one({first})"),
            Some((windows, _)) => format!("finish(cell{z}{y}{x}_{})", windows - 1),
        }
    }
}
