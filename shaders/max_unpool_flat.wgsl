// Unpooling, and the gradient of max pooling, where the elements of a row, pixels times channels, do not divide
// by four: the tensor is flat memory all the same. A work item owns four elements that are adjacent in memory,
// and gathers each from the windows that cover it.
//
// The four lie in one run of elements or in two that follow each other. A run is a pixel, or a row where pixels
// have only one or two elements. Numbers that depend on the run alone, such as its row of windows, are computed once
// for each of the two runs, and each lane selects those of its own run.
//
// tensor_in: the pooled values. taps_in: the tap of each. tensor_out: the unpooled tensor.
//
// `unpool` is written for the window by src/gpu/kernel/generated.

// Four adjacent elements, and the run of the first and the next run.
struct FlatCells {
    item: u32,
    // The row of cells of each run, counted with the padding.
    outer: vec2<u32>,
    z: vec2<u32>,
    y: vec2<u32>,
    // Where a run is a pixel, its cell on x, counted with the padding.
    x: vec2<u32>,
    // The number of lane 0 in each run, which wraps in the next one; in a row counted with the padding.
    number: vec2<u32>,
    // Whether lanes 1, 2 and 3 lie in the next run.
    in_next: vec3<bool>,
}

// For each run a row of windows over it.
struct WindowRows {
    // Number of the first window in the pooled tensor.
    first: vec2<u32>,
    // The tap of the first cell of the run's row.
    taps: vec2<u32>,
    exist: vec2<bool>,
}

// For each lane a window over its element.
struct Windows {
    terms: vec4<u32>,
    // Whether the element is the window's maximum.
    hits: vec4<bool>,
}

// For each lane the value of its run, of the values of the two runs.
fn of_runs(cells: FlatCells, runs: vec2<u32>) -> vec4<u32> {
    return vec4<u32>(runs.x, select(runs.xxx, runs.yyy, cells.in_next));
}

// The rows of windows that are before_z, before_y rows before those that start the runs' stride blocks.
fn window_rows(cells: FlatCells, before_z: u32, before_y: u32) -> WindowRows {
    // A coordinate before the first window wraps to a number larger than any extent.
    let z = cells.z / STRIDE_Z - before_z;
    let y = cells.y / STRIDE_Y - before_y;
    let tap_z = taps_of_cells(cells.z.xyxy, before_z, STRIDE_Z, KERNEL_Z, DILATION_Z).xy;
    let tap_y = taps_of_cells(cells.y.xyxy, before_y, STRIDE_Y, KERNEL_Y, DILATION_Y).xy;
    let in_slices = z < vec2<u32>(pooled_size().x);
    let exist = in_slices & (y < vec2<u32>(pooled_size().y));
    let row = (cells.outer * pooled_size().x + z) * pooled_size().y + y;
    return WindowRows(row * pooled_size().z, (tap_z * KERNEL_Y + tap_y) * KERNEL_X, exist);
}

// For each lane the window that is before_x windows before the one that starts its stride block, in the row of
// windows of its run. For a window that does not exist any other may be loaded, and the lane's element is no hit.
fn load_windows(cells: FlatCells, rows: WindowRows, before_x: u32) -> Windows {
    let lanes = vec4<u32>(0u, 1u, 2u, 3u);
    // Windows are numbered from the first that is bound.
    let base = params.input_base;
    var source: vec4<u32>;
    var taps: vec4<u32>;
    var exist = vec4<bool>(true);
    if PIXEL > 2u {
        let x = cells.x / STRIDE_X - before_x;
        let tap = rows.taps + taps_of_cells(cells.x.xyxy, before_x, STRIDE_X, KERNEL_X, DILATION_X).xy;
        let in_rows = rows.exist & (x < vec2<u32>(pooled_size().z));
        let first = (rows.first + x) * params.inner + (cells.number - base);
        source = of_runs(cells, first) + lanes;
        taps = of_runs(cells, select(vec2<u32>(NO_TAP), tap, in_rows));
    } else {
        let number = of_runs(cells, cells.number) + lanes;
        let cell = number / PIXEL;
        let x = cell / STRIDE_X - before_x;
        let row_taps = select(vec2<u32>(NO_TAP), rows.taps, rows.exist);
        source = (of_runs(cells, rows.first - base / PIXEL) + x) * PIXEL + number % PIXEL;
        taps = of_runs(cells, row_taps) + taps_of_cells(cell, before_x, STRIDE_X, KERNEL_X, DILATION_X);
        exist = x < vec4<u32>(pooled_size().z);
    }
    let window = pooled(load_bound(source), load_bound_taps(source));
    return Windows(window.terms, exist & (window.taps == taps));
}

fn unpool_exactly(cells: FlatCells) -> vec4<u32> {
    let at = position(cells.item);
    let pads = params.pad_before;
    return gather(at, at.z + pads.x, at.y + pads.y, at.x + pads.z);
}

// number / divisor, by a float where numbers or quotients are below 2^20: `inverse` of
// src/gpu/kernel/uniforms.rs says why it is exact, or one too large where the number is not below 2^20.
fn quotient(number: u32, divisor: u32, inverse: f32) -> u32 {
    if FEW_ROWS {
        return u32(f32(number) * inverse);
    }
    return number / divisor;
}

// Two numbers divided by an extent, where `carry` says whether the second is one more than the first.
struct Split {
    quotients: vec2<u32>,
    rests: vec2<u32>,
    // Whether the second quotient is one more than the first.
    carry: bool,
}

fn split(number: u32, carry: bool, extent: u32, inverse: f32) -> Split {
    let first = quotient(number, extent, inverse);
    let rest = number - first * extent;
    let next = rest + select(0u, 1u, carry);
    let carries = next == extent;
    let quotients = vec2<u32>(first, first + select(0u, 1u, carries));
    return Split(quotients, vec2<u32>(rest, select(next, 0u, carries)), carries);
}

// The elements of a work item.
fn flat_cells(item: u32) -> FlatCells {
    let element = item * 4u;
    var row = quotient(element, params.row_elements, params.inverses.z);
    var in_row = element - row * params.row_elements;
    if in_row >= params.row_elements {
        // The number was too large for a float, the quotient is one more than it should be, and the rest wrapped.
        row--;
        in_row += params.row_elements;
    }
    var cells: FlatCells;
    cells.item = item;
    var run = params.row_elements;
    var number = in_row;
    var carry = true;
    if PIXEL > 2u {
        run = params.inner;
        let x = quotient(in_row, run, params.inverses.w);
        number = in_row - x * run;
        carry = x + 1u == params.extents.z;
        cells.x = vec2<u32>(x, select(x + 1u, 0u, carry)) + params.pad_before.z;
    }
    cells.in_next = vec3<u32>(1u, 2u, 3u) >= vec3<u32>(run - number);
    cells.number = vec2<u32>(number, number - run);
    if PIXEL <= 2u {
        cells.number += params.pad_before.z * PIXEL;
    }
    cells.outer = vec2<u32>(row, row + select(0u, 1u, carry));
    if SPATIAL_AXES > 1u {
        let slices = split(row, carry, params.extents.y, params.inverses.y);
        cells.outer = slices.quotients;
        cells.y = slices.rests + params.pad_before.y;
        carry = slices.carry;
    }
    if SPATIAL_AXES > 2u {
        let outer = split(cells.outer.x, carry, params.extents.x, params.inverses.x);
        cells.outer = outer.quotients;
        cells.z = outer.rests + params.pad_before.x;
    }
    return cells;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn max_unpool_flat(id: Invocation) {
    let item = work_item(id);
    if item == NONE {
        return;
    }
    store_item(item, unpool(flat_cells(item)));
}
