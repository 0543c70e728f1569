//! The part of a shader that is written for the window, a line for each cell: what is left is straight
//! code, in which every tap is a constant. Drivers unroll loops only while their bodies are small, some
//! never do, and what a thread holds stays in registers only where no loop counts through it.

use std::fmt::Write as _;

use crate::axis::Axis;
use crate::gpu::program::Rows;

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
    axes.iter().map(|axis| u64::from(of(axis))).product()
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

/// `unpool` of `shaders/max_unpool_blocks.wgsl`.
pub(crate) fn unpool(axes: &[Axis; 3]) -> String {
    let mut lines = Lines::new("fn unpool(blocks: Blocks)");
    let windows = axes.each_ref().map(Axis::windows_per_cell);
    for (w, earlier) in raster(windows).enumerate() {
        let [z, y, x] = [0, 1, 2].map(|i| windows[i] - 1 - earlier[i]);
        lines.push(format_args!("let window{w} = hold(blocks, {z}u, {y}u, {x}u);"));
    }
    for cell in raster(axes.each_ref().map(|a| a.stride)) {
        let mut put = String::new();
        for (w, earlier) in raster(windows).enumerate() {
            let taps = [0, 1, 2].map(|i| tap(&axes[i], cell[i], windows[i] - 1 - earlier[i]));
            if let [Some(z), Some(y), Some(x)] = taps {
                let tap = (z * axes[1].kernel + y) * axes[2].kernel + x;
                put = pick(put, format_args!("window{w}, vec4<u32>({tap}u)"));
            }
        }
        let [z, y, x] = cell;
        lines.push(format_args!("put_cell(blocks, {z}u, {y}u, {x}u, {});", settled(&put)));
    }
    lines.end()
}

/// `unpool` of `shaders/max_unpool_rows.wgsl`.
pub(crate) fn unpool_rows(axes: &[Axis; 3]) -> String {
    let [az, ay, ax] = axes;
    let rows = Rows::new(ax);
    let [nz, ny, nx] = axes.each_ref().map(Axis::windows_per_cell);
    let mut lines = Lines::new("fn unpool(blocks: Blocks)");
    // Which windows of a row the cells number `x` of the blocks are in.
    let window = |x: u32, jx: u32| (x + ax.before) / ax.stride + rows.fours_before * 4 - jx;
    let is_in = |x: u32, jx: u32| tap(ax, (x + ax.before) % ax.stride, jx).is_some();
    let cells = (0..4 * ax.stride).flat_map(|x| (0..nx).map(move |jx| (x, jx)));
    let asked = cells.filter(|&(x, jx)| is_in(x, jx)).map(|(x, jx)| window(x, jx));
    let asked = Asked(asked.collect());
    for (w, [z, y, i]) in raster([nz, ny, rows.fours]).enumerate() {
        let (z, y, before) = (nz - 1 - z, ny - 1 - y, rows.fours_before);
        let four = format_args!("four_of(blocks, {z}u, {y}u, {i}u, {before}u)");
        match asked.sole_lane(i) {
            Some(lane) => {
                lines.push(format_args!("let window{w} = hold_single({four}, {lane}u);"));
            }
            None => lines.push(format_args!("let window{w} = hold({four});")),
        }
    }
    for [z, y, four] in raster([az.stride, ay.stride, ax.stride]) {
        let mut put = String::new();
        for (line, [jz, jy, _]) in raster([nz, ny, 1]).enumerate() {
            let row = (tap(az, z, nz - 1 - jz), tap(ay, y, ny - 1 - jy));
            let (Some(tz), Some(ty)) = row else { continue };
            for jx in (0..nx).rev() {
                // Which of the windows that are held each lane's cell is in, and its tap there.
                let lanes = [0, 1, 2, 3].map(|lane| {
                    let x = four * 4 + lane;
                    let tap = tap(ax, (x + ax.before) % ax.stride, jx)?;
                    let window = window(x, jx);
                    Some((line as u32 * rows.fours + window / 4, window % 4, tap))
                });
                if lanes.iter().all(Option::is_none) {
                    continue;
                }
                let parts = |part: &str, none: &str| {
                    vec4(|lane| match lanes[lane as usize] {
                        Some((w, at, _)) => format!("window{w}.{part}.{}", LANES[at as usize]),
                        None => none.to_owned(),
                    })
                };
                let (low, high) = (parts("term.low", "0u"), parts("term.high", "0u"));
                let taps = parts("taps", "NO_CELL");
                let wanted = vec4(|lane| {
                    let x = lanes[lane as usize].map_or(0, |(_, _, tap)| tap);
                    format!("{}u", (tz * ay.kernel + ty) * ax.kernel + x)
                });
                let window = format_args!("Held(Sum({low}, {high}), {taps}), {wanted}");
                put = pick(put, window);
            }
        }
        lines.push(format_args!("put_four(blocks, {z}u, {y}u, {four}u, {});", settled(&put)));
    }
    lines.end()
}

/// What windows before `window` put into cells, and what it puts.
fn pick(put: String, window: std::fmt::Arguments<'_>) -> String {
    if put.is_empty() { format!("pick_first({window})") } else { format!("pick({put}, {window})") }
}

/// What all windows put into cells, as cells.
fn settled(put: &str) -> String {
    if put.is_empty() { "vec4<u32>(0u)".to_owned() } else { format!("settled({put})") }
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
