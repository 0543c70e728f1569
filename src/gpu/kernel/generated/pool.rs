//! Max pooling: the comparisons of the cells of a window.

use super::{Function, LANES, raster, tap, vec4};
use crate::gpu::kernel::constants::Constants;
use crate::gpu::kernel::size::has_few_cells;

/// `find_maximum` and `store_maximum` of `shaders/max_pool.wgsl`.
pub(crate) fn max_pool(constants: &Constants) -> String {
    let axes = &constants.axes;
    let mut body = Function::new("fn find_maximum(at: Position) -> Maximum");
    if has_few_cells(axes) {
        for (tap, [z, y, x]) in raster(axes.each_ref().map(|axis| axis.kernel)).enumerate() {
            let cells = format_args!("load_cell(at, {tap}u, {z}u, {y}u, {x}u)");
            next(&mut body, "maximum", tap == 0, cells);
        }
        body.line("return maximum;");
    } else {
        body.line("return find_maximum_in_loop(at);");
    }
    body.end() + &store_maximum(constants)
}

/// `pool` and `store_maximum` of `shaders/max_pool_strip.wgsl`.
pub(crate) fn max_pool_strip(constants: &Constants) -> String {
    pool_strip(constants, |body, row| {
        for x in 0..constants.axes[2].kernel {
            let cells = format_args!("load_cell(at, row{row}, {x}u)");
            next(body, &format!("maximum{row}"), x == 0, cells);
        }
    })
}

/// `pool` and `store_maximum` of `shaders/max_pool_row.wgsl`.
pub(crate) fn max_pool_row(constants: &Constants) -> String {
    let axis = &constants.axes[2];
    // The loaded vec4s start `shift` cells before the first cell of the first window.
    let before = axis.before.div_ceil(4);
    let shift = before * 4 - axis.before;
    let loads = (shift + 3 * axis.stride + axis.extent()).div_ceil(4);
    pool_strip(constants, |body, row| {
        for i in 0..loads {
            let load = format_args!("load_cells(at, row{row}, {i}u, {before}u)");
            body.line(format_args!("let cells{row}_{i} = {load};"));
        }
        for x in 0..axis.kernel {
            let lanes = |member: &str| {
                vec4(|lane| {
                    let cell = shift + lane * axis.stride + x * axis.dilation;
                    format!("cells{row}_{}.{member}.{}", cell / 4, LANES[(cell % 4) as usize])
                })
            };
            // Keys of elements of 16 or 8 bits contain element and tap: see `shaders/prelude/tagged.wgsl`.
            let is_tagged = constants.bits() < 32;
            let [elements, keys] = ["elements", "keys"].map(lanes);
            let cells = if is_tagged { keys } else { format!("{elements}, {keys}, vec4<u32>(0u)") };
            let cells = format_args!("in_window(Maximum({cells}), {x}u)");
            next(body, &format!("maximum{row}"), x == 0, cells);
        }
    })
}

/// Declares a maximum by its first cells, or compares it with later ones.
fn next(body: &mut Function, maximum: &str, is_first: bool, cells: impl std::fmt::Display) {
    if is_first {
        body.line(format_args!("var {maximum} = {cells};"));
    } else {
        body.line(format_args!("{maximum} = later({maximum}, {cells});"));
    }
}

/// `pool`, which searches each row of cells under a strip of windows by `search`, and each window by its rows.
fn pool_strip(constants: &Constants, search: impl Fn(&mut Function, usize)) -> String {
    let [axis_z, axis_y, axis_x] = &constants.axes;
    let mut body = Function::new("fn pool(at: Position)");
    let height = (constants.strip - 1) * axis_y.stride + axis_y.extent();
    let rows = raster([axis_z.kernel, height, 1]).filter_map(|[tap_z, cell_y, _]| {
        let windows: Vec<_> = (0..constants.strip)
            .filter_map(|window| {
                let tap_y = tap(axis_y, cell_y, window as i32)?;
                Some((window, (tap_z * axis_y.kernel + tap_y) * axis_x.kernel))
            })
            .collect();
        (!windows.is_empty()).then_some((tap_z * axis_z.dilation, cell_y, windows))
    });
    for (row, (cell_z, cell_y, windows)) in rows.enumerate() {
        body.line(format_args!("let row{row} = input_row(at, {cell_z}u, {cell_y}u);"));
        search(&mut body, row);
        for (window, tap) in windows {
            let cells = format_args!("in_window(maximum{row}, {tap}u)");
            next(&mut body, &format!("window{window}"), tap == 0, cells);
        }
    }
    for window in 0..constants.strip {
        body.line(format_args!("store_window(at, {window}u, window{window});"));
    }
    body.end() + &store_maximum(constants)
}

fn store_maximum(constants: &Constants) -> String {
    let mut body = Function::new("fn store_maximum(item: u32, maximum: Maximum)");
    body.line("store_item(item, elements_of(maximum));");
    if constants.with_taps {
        body.line("store_taps_of_item(item, taps_of(maximum));");
    }
    body.end()
}
