// Unpooling by arbitrary indices that adds the values of a cell, in raster order. Elements are sorted by the
// cell they go to, and each cell adds the run of its elements. The sort is a radix sort from the lowest digit
// (Knuth, The Art of Computer Programming 3, 5.2.5): it is stable, so that a run is in raster order, and uses
// no atomics. For each digit, one pass counts the digits of every tile of elements, one turns the counts into
// offsets, and one moves the elements. Passes: clear, locate; count, scan and reorder for each digit; mark_runs,
// accumulate, close_report, gather.
//
// A sum of floats depends on its order, so one invocation adds a run from its first value to its last. Drivers
// stop a dispatch that runs for seconds, so an invocation adds at most SEGMENT values in each: a longer run is
// accumulated over several dispatches, each of which continues the sum of the one before.

const DIGIT_BITS: u32 = 4u;
const DIGITS: u32 = 16u;
// Adjacent elements that an invocation counts or moves. The elements of a workgroup are a tile.
const PER_INVOCATION: u32 = 16u;

// The most values that an invocation adds to a cell in one dispatch.
const SEGMENT: u32 = 65536u;

// In this order: where the run of each cell starts; the key of each element; two orders of elements, of which
// a pass reads one and writes the other; the number of each digit in each tile, digit by digit; two words for
// the sum of each long run.
@group(0) @binding(6) var<storage, read_write> scratch: array<u32>;

// For each digit and invocation of a tile: how many of its elements have the digit, and then the position of
// the next of them.
var<workgroup> counts: array<u32, DIGITS * WORKGROUP_SIZE>;

// The sort key of an element: its cell, or the number of cells for an element that goes to none.
fn key_of(element: u32) -> u32 {
    return scratch[params.cells + element];
}

fn tiles() -> u32 {
    return (params.pooled + PER_INVOCATION * WORKGROUP_SIZE - 1u) / (PER_INVOCATION * WORKGROUP_SIZE);
}

fn tile_count(digit: u32, tile: u32) -> u32 {
    return params.cells + 3u * params.pooled + digit * tiles() + tile;
}

// The word of scratch that contains entry `position` of an order. Passes write the two orders alternately.
fn order_word(position: u32, order: u32) -> u32 {
    return params.cells + (1u + order % 2u) * params.pooled + position;
}

// Entry `position` of the order that this pass reads; the first pass reads the raster order.
fn sorted(position: u32) -> u32 {
    if params.shift == 0u {
        return position;
    }
    return scratch[order_word(position, params.shift / DIGIT_BITS)];
}

fn digit_of(element: u32) -> u32 {
    return (key_of(element) >> params.shift) % DIGITS;
}

fn clear_cell(cell: u32) {
    scratch[cell] = NONE;
}

fn put_element(element: u32, cell: u32) {
    scratch[params.cells + element] = min(cell, params.cells);
}

// Counts the digits of each invocation's elements.
fn count_digits(tile: u32, local: u32) {
    for (var digit = 0u; digit < DIGITS; digit++) {
        counts[digit * WORKGROUP_SIZE + local] = 0u;
    }
    let first = (tile * WORKGROUP_SIZE + local) * PER_INVOCATION;
    for (var i = 0u; i < PER_INVOCATION; i++) {
        if first + i < params.pooled {
            counts[digit_of(sorted(first + i)) * WORKGROUP_SIZE + local] += 1u;
        }
    }
    workgroupBarrier();
}

// Counts each digit in a tile.
@compute @workgroup_size(WORKGROUP_SIZE)
fn scatter_count(id: Invocation) {
    let tile = id.workgroup.y * params.grid_width + id.workgroup.x;
    count_digits(tile, id.local);
    if tile < tiles() {
        for (var digit = id.local; digit < DIGITS; digit += WORKGROUP_SIZE) {
            var count = 0u;
            for (var i = 0u; i < WORKGROUP_SIZE; i++) {
                count += counts[digit * WORKGROUP_SIZE + i];
            }
            scratch[tile_count(digit, tile)] = count;
        }
    }
}

// One workgroup turns counts into offsets: how many elements have a lower digit, or the same digit in an
// earlier tile.
@compute @workgroup_size(WORKGROUP_SIZE)
fn scatter_scan(@builtin(local_invocation_index) local: u32) {
    // Four at a time: llvmpipe ends the loops of an invocation after 65,535 iterations in all.
    let share = (DIGITS * tiles() / 4u + WORKGROUP_SIZE - 1u) / WORKGROUP_SIZE;
    let first = local * share;
    let end = min(first + share, DIGITS * tiles() / 4u);
    var count = 0u;
    for (var i = first; i < end; i++) {
        let at = tile_count(0u, i * 4u);
        count += scratch[at] + scratch[at + 1u] + scratch[at + 2u] + scratch[at + 3u];
    }
    counts[local] = count;
    workgroupBarrier();
    var offset = 0u;
    for (var i = 0u; i < local; i++) {
        offset += counts[i];
    }
    for (var i = first; i < end; i++) {
        let at = tile_count(0u, i * 4u);
        let four = vec4<u32>(scratch[at], scratch[at + 1u], scratch[at + 2u], scratch[at + 3u]);
        scratch[at] = offset;
        scratch[at + 1u] = offset + four.x;
        scratch[at + 2u] = offset + four.x + four.y;
        scratch[at + 3u] = offset + four.x + four.y + four.z;
        offset += four.x + four.y + four.z + four.w;
    }
}

// Moves the elements of a tile to their positions in the next order.
@compute @workgroup_size(WORKGROUP_SIZE)
fn scatter_reorder(id: Invocation) {
    let tile = id.workgroup.y * params.grid_width + id.workgroup.x;
    count_digits(tile, id.local);
    if tile < tiles() {
        for (var digit = id.local; digit < DIGITS; digit += WORKGROUP_SIZE) {
            var offset = scratch[tile_count(digit, tile)];
            for (var i = 0u; i < WORKGROUP_SIZE; i++) {
                let count = counts[digit * WORKGROUP_SIZE + i];
                counts[digit * WORKGROUP_SIZE + i] = offset;
                offset += count;
            }
        }
    }
    workgroupBarrier();
    let first = (tile * WORKGROUP_SIZE + id.local) * PER_INVOCATION;
    for (var i = 0u; i < PER_INVOCATION; i++) {
        if first + i < params.pooled {
            let element = sorted(first + i);
            let next = digit_of(element) * WORKGROUP_SIZE + id.local;
            scratch[order_word(counts[next], params.shift / DIGIT_BITS + 1u)] = element;
            counts[next] += 1u;
        }
    }
}

// Marks where the run of each cell starts.
@compute @workgroup_size(WORKGROUP_SIZE)
fn scatter_mark_runs(id: Invocation) {
    let position = invocation(id);
    if position >= params.pooled {
        return;
    }
    let cell = key_of(sorted(position));
    if cell < params.cells && (position == 0u || key_of(sorted(position - 1u)) != cell) {
        scratch[cell] = position;
    }
}

// The runs of four cells, added up to `position`.
struct Runs {
    sum: Sum,
    position: vec4<u32>,
    // Whether the run may go on.
    unfinished: vec4<bool>,
}

// The runs of four cells, with one value more added to each.
fn add_next(runs: Runs, cell: vec4<u32>) -> Runs {
    var elements = vec4<u32>(0u);
    var unfinished = runs.unfinished;
    for (var lane = 0u; lane < 4u; lane++) {
        if unfinished[lane] && runs.position[lane] < params.pooled {
            let element = sorted(runs.position[lane]);
            unfinished[lane] = key_of(element) == cell[lane];
            elements[lane] = load_value(element);
        } else {
            unfinished[lane] = false;
        }
    }
    return Runs(sum_with(runs.sum, elements, unfinished), runs.position + vec4<u32>(1u), unfinished);
}

// Four values more: llvmpipe ends the loops of an invocation after 65,535 iterations.
fn add_next_four(runs: Runs, cell: vec4<u32>) -> Runs {
    return add_next(add_next(add_next(add_next(runs, cell), cell), cell), cell);
}

// Whether the run of a cell that starts at `start` has more than SEGMENT values.
fn is_long(cell: u32, start: u32) -> bool {
    return params.pooled - start > SEGMENT && key_of(sorted(start + SEGMENT)) == cell;
}

// The two words of scratch for the sum of a long run, by the first multiple of SEGMENT among its positions,
// divided by SEGMENT. Every long run has such a multiple, and no two runs have the same.
fn sum_word(number: u32) -> u32 {
    return params.cells + 3u * params.pooled + DIGITS * tiles() + 2u * number;
}

// Adds the values of one segment to the sums of long runs, an invocation each.
@compute @workgroup_size(WORKGROUP_SIZE)
fn scatter_accumulate(id: Invocation) {
    let number = invocation(id);
    if number > (params.pooled - 1u) / SEGMENT {
        return;
    }
    let position = number * SEGMENT;
    let cell = key_of(sorted(position));
    if cell >= params.cells {
        return;
    }
    let start = scratch[cell];
    if position - start >= SEGMENT || !is_long(cell, start) {
        return;
    }
    let word = sum_word(number);
    var runs: Runs;
    if params.segment > 0u {
        runs.sum.low.x = scratch[word];
        runs.sum.high.x = scratch[word + 1u];
    }
    runs.unfinished.x = params.segment * SEGMENT < params.pooled - start;
    runs.position.x = start + params.segment * SEGMENT;
    for (var added = 0u; added < SEGMENT && runs.unfinished.x; added += 4u) {
        runs = add_next_four(runs, vec4<u32>(cell));
    }
    scratch[word] = runs.sum.low.x;
    scratch[word + 1u] = runs.sum.high.x;
}

// A work item makes four adjacent cells of the output: it adds their runs, or loads the sums of long runs.
@compute @workgroup_size(WORKGROUP_SIZE)
fn scatter_gather(id: Invocation) {
    let item = invocation(id);
    let cell = vec4<u32>(item * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
    var runs: Runs;
    for (var lane = 0u; lane < 4u; lane++) {
        var start = NONE;
        if cell[lane] < params.cells {
            start = scratch[cell[lane]];
        }
        if start != NONE && is_long(cell[lane], start) {
            let first = start / SEGMENT + select(1u, 0u, start % SEGMENT == 0u);
            let word = sum_word(first);
            runs.sum.low[lane] = scratch[word];
            runs.sum.high[lane] = scratch[word + 1u];
            start = NONE;
        }
        runs.position[lane] = start;
    }
    runs.unfinished = runs.position != vec4<u32>(NONE);
    while any(runs.unfinished) {
        runs = add_next_four(runs, cell);
    }
    store_cells(item, total(runs.sum));
}
