// Foreign indices, summed in raster order: elements are sorted by the cell they go to, and each cell
// adds its run. The sort is stable, so that a run is in raster order, and uses no atomics: a radix
// sort from the lowest digit (Knuth, The Art of Computer Programming 3, 5.2.5), each pass of which
// counts the digits of every tile, turns counts into places, and moves. Passes: clear, place, then
// count, scan and move for each digit, then mark, accumulate, close, gather.
//
// A sum of floats depends on its order, so one thread adds a run from its first value to its last. Drivers
// stop a dispatch that runs for seconds, so it adds at most SEGMENT values in each: a longer run is
// accumulated over several dispatches, each of which continues the sum of the one before.

const DIGIT_BITS: u32 = 4u;
const DIGITS: u32 = 16u;
// Adjacent elements of a thread; those of a workgroup are a tile.
const RUN: u32 = 16u;

// The most values that a thread adds to a cell in one dispatch.
const SEGMENT: u32 = 65536u;

// Where the run of each cell starts; the key of each element; two orders of elements, of which a
// pass reads one and writes the other; how often each digit is in each tile, digit by digit; two words of
// the sum of each long run.
@group(0) @binding(6) var<storage, read_write> scratch: array<u32>;

// In a tile: how often each digit is in the run of each thread, then where its next goes.
var<workgroup> places: array<u32, DIGITS * WORKGROUP>;

fn start_of(cell: u32) -> u32 {
    return cell;
}

// What elements are sorted by: the cell, or a number past all cells.
fn key_of(element: u32) -> u32 {
    return scratch[foreign.cells + element];
}

fn tiles() -> u32 {
    return (foreign.pooled + RUN * WORKGROUP - 1u) / (RUN * WORKGROUP);
}

fn total_of(digit: u32, tile: u32) -> u32 {
    return foreign.cells + 3u * foreign.pooled + digit * tiles() + tile;
}

// Where number `position` of an order is kept. Passes of the sort take turns.
fn kept(position: u32, order: u32) -> u32 {
    return foreign.cells + (1u + order % 2u) * foreign.pooled + position;
}

// Number `position` of the order that this pass reads; the first reads the raster order.
fn sorted(position: u32) -> u32 {
    if foreign.shift == 0u {
        return position;
    }
    return scratch[kept(position, foreign.shift / DIGIT_BITS)];
}

fn digit_of(element: u32) -> u32 {
    return (key_of(element) >> foreign.shift) % DIGITS;
}

@compute @workgroup_size(WORKGROUP)
fn foreign_clear(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let cell = thread(workgroup, local);
    if cell == 0u {
        start_report();
    }
    if cell < foreign.cells {
        scratch[start_of(cell)] = NO_CELL;
    }
}

@compute @workgroup_size(WORKGROUP)
fn foreign_place(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let element = thread(workgroup, local);
    if element >= foreign.pooled {
        return;
    }
    let cell = destination(element);
    if cell == NO_CELL {
        report_wrong(element);
    }
    scratch[foreign.cells + element] = min(cell, foreign.cells);
}

// Counts the digits in the run of each thread of a tile.
fn count_runs(tile: u32, local: u32) {
    for (var digit = 0u; digit < DIGITS; digit++) {
        places[digit * WORKGROUP + local] = 0u;
    }
    let first = (tile * WORKGROUP + local) * RUN;
    for (var i = 0u; i < RUN; i++) {
        if first + i < foreign.pooled {
            places[digit_of(sorted(first + i)) * WORKGROUP + local] += 1u;
        }
    }
    workgroupBarrier();
}

// Adds up how often each digit is in a tile.
@compute @workgroup_size(WORKGROUP)
fn foreign_count(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let tile = workgroup.y * foreign.grid_width + workgroup.x;
    count_runs(tile, local);
    if tile < tiles() {
        for (var digit = local; digit < DIGITS; digit += WORKGROUP) {
            var count = 0u;
            for (var i = 0u; i < WORKGROUP; i++) {
                count += places[digit * WORKGROUP + i];
            }
            scratch[total_of(digit, tile)] = count;
        }
    }
}

// One workgroup turns counts into places: how many elements have a lower digit, or the same digit in
// an earlier tile.
@compute @workgroup_size(WORKGROUP)
fn foreign_scan(@builtin(local_invocation_index) local: u32) {
    // Four at a time: llvmpipe ends the loops of a thread after 65,535 turns.
    let fours = (DIGITS * tiles() / 4u + WORKGROUP - 1u) / WORKGROUP;
    let first = local * fours;
    let end = min(first + fours, DIGITS * tiles() / 4u);
    var count = 0u;
    for (var four = first; four < end; four++) {
        let at = total_of(0u, four * 4u);
        count += scratch[at] + scratch[at + 1u] + scratch[at + 2u] + scratch[at + 3u];
    }
    places[local] = count;
    workgroupBarrier();
    var place = 0u;
    for (var i = 0u; i < local; i++) {
        place += places[i];
    }
    for (var four = first; four < end; four++) {
        let at = total_of(0u, four * 4u);
        let counts = vec3<u32>(scratch[at], scratch[at + 1u], scratch[at + 2u]);
        let fourth = scratch[at + 3u];
        scratch[at] = place;
        scratch[at + 1u] = place + counts.x;
        scratch[at + 2u] = place + counts.x + counts.y;
        scratch[at + 3u] = place + counts.x + counts.y + counts.z;
        place += counts.x + counts.y + counts.z + fourth;
    }
}

// Moves the elements of a tile to their places in the next order.
@compute @workgroup_size(WORKGROUP)
fn foreign_move(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let tile = workgroup.y * foreign.grid_width + workgroup.x;
    count_runs(tile, local);
    if tile < tiles() {
        for (var digit = local; digit < DIGITS; digit += WORKGROUP) {
            var place = scratch[total_of(digit, tile)];
            for (var i = 0u; i < WORKGROUP; i++) {
                let count = places[digit * WORKGROUP + i];
                places[digit * WORKGROUP + i] = place;
                place += count;
            }
        }
    }
    workgroupBarrier();
    let first = (tile * WORKGROUP + local) * RUN;
    for (var i = 0u; i < RUN; i++) {
        if first + i < foreign.pooled {
            let element = sorted(first + i);
            let next = digit_of(element) * WORKGROUP + local;
            scratch[kept(places[next], foreign.shift / DIGIT_BITS + 1u)] = element;
            places[next] += 1u;
        }
    }
}

// Marks where the run of each cell starts.
@compute @workgroup_size(WORKGROUP)
fn foreign_mark(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let position = thread(workgroup, local);
    if position >= foreign.pooled {
        return;
    }
    let cell = key_of(sorted(position));
    if cell < foreign.cells && (position == 0u || key_of(sorted(position - 1u)) != cell) {
        scratch[start_of(cell)] = position;
    }
}

// The next values of the runs of four cells, each from `position` on while its run lasts.
struct Runs {
    sum: Sum,
    position: vec4<u32>,
    lasts: vec4<bool>,
}

fn taken(runs: Runs, cell: vec4<u32>) -> Runs {
    var cells = vec4<u32>(0u);
    var lasts = runs.lasts;
    for (var lane = 0u; lane < 4u; lane++) {
        if lasts[lane] && runs.position[lane] < foreign.pooled {
            let element = sorted(runs.position[lane]);
            lasts[lane] = key_of(element) == cell[lane];
            cells[lane] = value(element);
        } else {
            lasts[lane] = false;
        }
    }
    return Runs(sum_with(runs.sum, cells, lasts), runs.position + vec4<u32>(1u), lasts);
}

// Whether the run of a cell that starts at `start` has more than SEGMENT values.
fn is_long(cell: u32, start: u32) -> bool {
    return foreign.pooled - start > SEGMENT && key_of(sorted(start + SEGMENT)) == cell;
}

// Where the sum of a long run is kept: by the number of the first multiple of SEGMENT among its
// positions. Every long run has one, and no two the same.
fn sum_of_run(number: u32) -> u32 {
    return foreign.cells + 3u * foreign.pooled + DIGITS * tiles() + 2u * number;
}

// Continues the sums of long runs, a thread each, by the values of one segment.
@compute @workgroup_size(WORKGROUP)
fn foreign_accumulate(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let number = thread(workgroup, local);
    if number > (foreign.pooled - 1u) / SEGMENT {
        return;
    }
    let position = number * SEGMENT;
    let cell = key_of(sorted(position));
    if cell >= foreign.cells {
        return;
    }
    let start = scratch[start_of(cell)];
    if position - start >= SEGMENT || !is_long(cell, start) {
        return;
    }
    let kept = sum_of_run(number);
    var runs: Runs;
    if foreign.segment > 0u {
        runs.sum.low.x = scratch[kept];
        runs.sum.high.x = scratch[kept + 1u];
    }
    runs.lasts.x = foreign.segment * SEGMENT < foreign.pooled - start;
    runs.position.x = start + foreign.segment * SEGMENT;
    for (var added = 0u; added < SEGMENT && runs.lasts.x; added += 4u) {
        let of_cell = vec4<u32>(cell);
        runs = taken(taken(taken(taken(runs, of_cell), of_cell), of_cell), of_cell);
    }
    scratch[kept] = runs.sum.low.x;
    scratch[kept + 1u] = runs.sum.high.x;
}

// A thread adds the runs of four adjacent cells of the output, or takes the sums of those that are long.
@compute @workgroup_size(WORKGROUP)
fn foreign_gather(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let unit = thread(workgroup, local);
    let cell = vec4<u32>(unit * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
    var runs: Runs;
    for (var lane = 0u; lane < 4u; lane++) {
        var start = NO_CELL;
        if cell[lane] < foreign.cells {
            start = scratch[start_of(cell[lane])];
        }
        if start != NO_CELL && is_long(cell[lane], start) {
            let first = start / SEGMENT + select(1u, 0u, start % SEGMENT == 0u);
            let kept = sum_of_run(first);
            runs.sum.low[lane] = scratch[kept];
            runs.sum.high[lane] = scratch[kept + 1u];
            start = NO_CELL;
        }
        runs.position[lane] = start;
    }
    runs.lasts = runs.position != vec4<u32>(NO_CELL);
    // Four at a time, as in the scan.
    while any(runs.lasts) {
        runs = taken(taken(taken(taken(runs, cell), cell), cell), cell);
    }
    store_four(unit, total(runs.sum));
}
