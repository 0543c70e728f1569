//! The part of a shader that is written for the window, a line for each cell: what is left is straight
//! code, in which every tap is a constant. Drivers unroll loops only while their bodies are small, some
//! never do, and what a thread holds stays in registers only where no loop counts through it.

use std::fmt::Write as _;

use crate::geometry::Axis;
use crate::gpu::work::Fours;

/// Cells of the largest window and stride block that are written out.
const MOST_CELLS: u64 = 64;
/// Windows that a thread of an unpooling holds.
const MOST_HELD: u64 = 9;

/// Whether a search through a window is written out.
pub(crate) fn is_searched(axes: &[Axis; 3]) -> bool {
    product(axes, |a| a.kernel) <= MOST_CELLS
}

/// Whether an unpooling of stride blocks is written out.
pub(crate) fn is_unpooled(axes: &[Axis; 3]) -> bool {
    is_searched(axes)
        && product(axes, |a| a.stride) <= MOST_CELLS
        && product(axes, Axis::windows_per_cell) <= MOST_HELD
}

fn product(axes: &[Axis; 3], of: impl Fn(&Axis) -> u32) -> u64 {
    axes.iter().map(|axis| u64::from(of(axis))).fold(1, u64::saturating_mul)
}

/// Every index of a box, in raster order.
fn raster([z, y, x]: [u32; 3]) -> impl Iterator<Item = [u32; 3]> {
    (0..z).flat_map(move |z| (0..y).flat_map(move |y| (0..x).map(move |x| [z, y, x])))
}

/// `search` of `shaders/max_pool.wgsl`.
pub(crate) fn search(axes: &[Axis; 3]) -> String {
    let mut lines = Lines::new("fn search(at: Place) -> Best");
    if !is_searched(axes) {
        lines.push("return search_in_turn(at);");
        return lines.end();
    }
    lines.push("var best = nothing();");
    for (tap, [z, y, x]) in raster(axes.each_ref().map(|a| a.kernel)).enumerate() {
        lines.push(format_args!("best = visit(best, at, {tap}u, {z}u, {y}u, {x}u);"));
    }
    lines.push("return best;");
    lines.end()
}

/// `search` of `shaders/max_pool_rows.wgsl`.
pub(crate) fn search_rows(axes: &[Axis; 3]) -> String {
    let [az, ay, ax] = axes;
    // The segment starts at the four that holds the first cell, `shift` cells before it.
    let before = ax.before.div_ceil(4);
    let shift = before * 4 - ax.before;
    let fours = (shift + 3 * ax.stride + ax.extent()).div_ceil(4);
    let cell = |lane: u32, x: u32| shift + lane * ax.stride + x * ax.dilation;
    let asked = Asked((0..4).flat_map(|lane| (0..ax.kernel).map(move |x| cell(lane, x))).collect());
    let mut lines = Lines::new("fn search(at: Place) -> Best");
    lines.push("var best = nothing();");
    for (row, [z, y, _]) in raster([az.kernel, ay.kernel, 1]).enumerate() {
        lines.push(format_args!("let row{row} = row_of(at, {z}u, {y}u);"));
        for i in 0..fours {
            let four = format_args!("four_of(at, row{row}, {i}u, {before}u)");
            match asked.sole_lane(i) {
                Some(lane) => {
                    lines.push(format_args!("let cells{row}_{i} = load_alone({four}, {lane}u);"));
                }
                None => lines.push(format_args!("let cells{row}_{i} = load({four});")),
            }
        }
        for x in 0..ax.kernel {
            let cells = vec4(|lane| {
                let cell = cell(lane, x);
                format!("cells{row}_{}.{}", cell / 4, LANES[(cell % 4) as usize])
            });
            let tap = row as u32 * ax.kernel + x;
            let of = format_args!("{cells}, {tap}u, {x}u");
            lines.push(format_args!("best = take_row(best, at, row{row}, {of});"));
        }
    }
    lines.push("return best;");
    lines.end()
}

/// `unpool` of `shaders/max_unpool_blocks.wgsl`, for a thread of so many units, one or two.
pub(crate) fn unpool(axes: &[Axis; 3], units: usize) -> String {
    unpooling(units, |tag| unpool_unit(axes, tag))
}

fn unpool_unit(axes: &[Axis; 3], tag: &str) -> Vec<String> {
    let windows = axes.each_ref().map(Axis::windows_per_cell);
    let before = |earlier: [u32; 3]| [0, 1, 2].map(|i| windows[i] - 1 - earlier[i]);
    let held: Vec<_> = raster(windows)
        .map(before)
        .map(|[z, y, x]| format!("hold(blocks{tag}, {z}u, {y}u, {x}u)"))
        .collect();
    let cells = raster(axes.each_ref().map(|a| a.stride)).map(|cell| {
        let [z, y, x] = cell;
        let mut cells = Cells::new(format!("put_cell(blocks{tag}, {z}u, {y}u, {x}u"));
        for (w, before) in raster(windows).map(before).enumerate() {
            let taps = [0, 1, 2].map(|i| tap(&axes[i], cell[i], before[i]));
            if let [Some(z), Some(y), Some(x)] = taps {
                let tap = (z * axes[1].kernel + y) * axes[2].kernel + x;
                cells.pick(w, format!("window{w}{tag}, vec4<u32>({tap}u)"));
            }
        }
        cells
    });
    asking(tag, &held, &cells.collect::<Vec<_>>())
}

/// `unpool` of `shaders/max_unpool_rows.wgsl`, for a thread of so many units, one or two.
pub(crate) fn unpool_rows(axes: &[Axis; 3], units: usize) -> String {
    unpooling(units, |tag| unpool_unit_of_row(axes, tag))
}

fn unpool_unit_of_row(axes: &[Axis; 3], tag: &str) -> Vec<String> {
    let [az, ay, ax] = axes;
    let fours = Fours::new(ax);
    let [nz, ny, nx] = axes.each_ref().map(Axis::windows_per_cell);
    // The window of a row, counted from the first that is held, that lies jx before that of cell `x` of
    // the blocks, and the cell's tap in it.
    let window = |x: u32, jx: u32| {
        let tap = tap(ax, (x + ax.before) % ax.stride, jx)?;
        Some(((x + ax.before) / ax.stride + fours.before * 4 - jx, tap))
    };
    let row_cells = (0..4 * ax.stride).flat_map(|x| (0..nx).map(move |jx| (x, jx)));
    let asked = Asked(row_cells.filter_map(|(x, jx)| window(x, jx)).map(|(w, _)| w).collect());
    let held: Vec<_> = raster([nz, ny, fours.count])
        .map(|[z, y, i]| {
            let (z, y, before) = (nz - 1 - z, ny - 1 - y, fours.before);
            let four = format!("four_of(blocks{tag}, {z}u, {y}u, {i}u, {before}u)");
            match asked.sole_lane(i) {
                Some(lane) => format!("hold_single({four}, {lane}u)"),
                None => format!("hold({four})"),
            }
        })
        .collect();
    let cells = raster([az.stride, ay.stride, ax.stride]).map(|[z, y, four]| {
        let mut cells = Cells::new(format!("put_four(blocks{tag}, {z}u, {y}u, {four}u"));
        for (line, [jz, jy, _]) in raster([nz, ny, 1]).enumerate() {
            let row = (tap(az, z, nz - 1 - jz), tap(ay, y, ny - 1 - jy));
            let (Some(tz), Some(ty)) = row else { continue };
            for jx in (0..nx).rev() {
                // Of each lane: which held four its window is in, at which place, and its tap there.
                let lanes = [0, 1, 2, 3].map(|lane| {
                    let (w, tx) = window(four * 4 + lane, jx)?;
                    let tap = (tz * ay.kernel + ty) * ax.kernel + tx;
                    Some((line * fours.count as usize + w as usize / 4, w % 4, tap))
                });
                if let Some(last) = lanes.iter().flatten().map(|&(w, ..)| w).max() {
                    cells.pick(last, lanes_of_windows(&lanes, tag));
                }
            }
        }
        cells
    });
    asking(tag, &held, &cells.collect::<Vec<_>>())
}

/// The arguments of `pick` for lanes of several windows: number, place and tap of each.
fn lanes_of_windows(lanes: &[Option<(usize, u32, u32)>; 4], tag: &str) -> String {
    let parts = |part: &str, none: &str| {
        vec4(|lane| match lanes[lane as usize] {
            Some((w, at, _)) => format!("window{w}{tag}.{part}.{}", LANES[at as usize]),
            None => none.to_owned(),
        })
    };
    let (low, high) = (parts("term.low", "0u"), parts("term.high", "0u"));
    let taps = parts("taps", "NO_CELL");
    let wanted = vec4(|lane| format!("{}u", lanes[lane as usize].map_or(0, |(.., tap)| tap)));
    format!("Held(Sum({low}, {high}), {taps}), {wanted}")
}

/// Cells that a thread stores at once.
struct Cells {
    /// The call that stores them, without what is stored.
    store: String,
    /// What windows put into them, in raster order: the last window that must be held for it, and the
    /// arguments of `pick`.
    picks: Vec<(usize, String)>,
}

impl Cells {
    fn new(store: String) -> Self {
        Self { store, picks: Vec::new() }
    }

    fn pick(&mut self, window: usize, arguments: String) {
        let earlier = self.picks.last().map_or(0, |&(window, _)| window);
        self.picks.push((window.max(earlier), arguments));
    }
}

/// The function that writes the units of a thread, line by line beside each other, so that loads stand
/// with loads and stores with stores. A tag tells the names of a second unit from those of the first.
fn unpooling(units: usize, unit: impl Fn(&str) -> Vec<String>) -> String {
    let mut lines = Lines::new("fn unpool(blocks: Blocks)");
    if units == 2 {
        lines.push("let blocks_beside = beside_blocks(blocks);");
    }
    let units: Vec<_> = ["", "_beside"][..units].iter().map(|tag| unit(tag)).collect();
    for i in 0..units[0].len() {
        for unit in &units {
            lines.push(&unit[i]);
        }
    }
    lines.end()
}

/// Asks windows one by one, and stores cells as soon as the last that puts something there has been
/// asked: so that no more is held than must be.
fn asking(tag: &str, windows: &[String], all: &[Cells]) -> Vec<String> {
    let mut lines = Vec::new();
    for (w, window) in windows.iter().enumerate() {
        lines.push(format!("let window{w}{tag} = {window};"));
        for (c, Cells { store, picks }) in all.iter().enumerate() {
            for (n, (_, window)) in picks.iter().enumerate().filter(|(_, (last, _))| *last == w) {
                let pick = match n.checked_sub(1) {
                    None => format!("pick_first({window})"),
                    Some(m) => format!("pick(put{c}_{m}{tag}, {window})"),
                };
                lines.push(format!("let put{c}_{n}{tag} = {pick};"));
                if n + 1 == picks.len() {
                    lines.push(format!("{store}, settled(put{c}_{n}{tag}));"));
                }
            }
        }
    }
    let none = all.iter().filter(|cells| cells.picks.is_empty());
    lines.extend(none.map(|Cells { store, .. }| format!("{store}, vec4<u32>(0u));")));
    lines
}

/// The tap of cell `r` of a stride block in the window that lies `j` before the block's, if it is one.
fn tap(axis: &Axis, r: u32, j: u32) -> Option<u32> {
    let offset = r + j * axis.stride;
    let fits = offset.is_multiple_of(axis.dilation) && offset / axis.dilation < axis.kernel;
    fits.then_some(offset / axis.dilation)
}

/// Numbers of the elements of a row that a thread asks for.
struct Asked(Vec<u32>);

impl Asked {
    /// The lane of the only one that lies in this four, if there is only one.
    fn sole_lane(&self, four: u32) -> Option<u32> {
        let mut here = self.0.iter().filter(|&&element| element / 4 == four);
        let first = here.next()?;
        here.all(|element| element == first).then_some(first % 4)
    }
}

const LANES: [char; 4] = ['x', 'y', 'z', 'w'];

fn vec4(lane: impl Fn(u32) -> String) -> String {
    format!("vec4<u32>({}, {}, {}, {})", lane(0), lane(1), lane(2), lane(3))
}

/// The text of a function.
struct Lines(String);

impl Lines {
    fn new(head: &str) -> Self {
        Self(format!("// Written for the window.\n{head} {{\n"))
    }

    fn push(&mut self, line: impl std::fmt::Display) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "    {line}");
    }

    fn end(mut self) -> String {
        self.0.push_str("}\n");
        self.0
    }
}
