// Unpooling, and the gradient of max pooling, channels first: as max_unpool.wgsl, but a thread owns
// four stride blocks that are adjacent in a row of the output, aligned so that it stores four cells
// at a time. For rows that divide by four, of the input and of the pooled tensor, and taps of one
// byte.

override WINDOWS_Z: u32 = 1u;
override WINDOWS_Y: u32 = 1u;
override WINDOWS_X: u32 = 1u;
override SUMMED: bool = false;
// Padding before a row: it decides which windows the cells of a thread are in.
override BEFORE_X: u32 = 0u;
// Fours of windows in a row that hold the cells of a thread, and how many of them lie before the
// thread's own number.
override FOURS: u32 = 1u;
override FOURS_BEFORE: u32 = 0u;

// Windows that a thread holds, in fours: values, and taps as the bytes of a word.
const HELD: u32 = 8u;
var<private> held_cells: array<vec4<u32>, HELD>;
var<private> held_taps: array<u32, HELD>;

fn is_single() -> bool {
    return WINDOWS_Z == 1u && WINDOWS_Y == 1u && WINDOWS_X == 1u;
}

// The tap of a cell `offset` cells into a window on one axis, NO_CELL if it is none.
fn tap_at(offset: u32, kernel: u32, dilation: u32) -> u32 {
    if offset % dilation != 0u || offset / dilation >= kernel {
        return NO_CELL;
    }
    return offset / dilation;
}

// The first tap in window row `line` (counted from the earliest) of the cells in row r of a block,
// NO_CELL if that row of the window is not there.
fn first_tap(r: vec2<u32>, line: u32) -> u32 {
    let jz = WINDOWS_Z - 1u - line / WINDOWS_Y;
    let jy = WINDOWS_Y - 1u - line % WINDOWS_Y;
    let tz = tap_at(r.x + jz * STRIDE_Z, KERNEL_Z, DILATION_Z);
    let ty = tap_at(r.y + jy * STRIDE_Y, KERNEL_Y, DILATION_Y);
    if tz == NO_CELL || ty == NO_CELL {
        return NO_CELL;
    }
    return (tz * KERNEL_Y + ty) * KERNEL_X;
}

// Where a cell of the thread lies on x: the window, counted from the first that is held, that is
// `j` windows before its own, and its tap there.
struct Across {
    window: u32,
    tap: u32,
}

fn across(cell: u32, j: u32) -> Across {
    let padded = cell + BEFORE_X;
    let tap = tap_at(padded % STRIDE_X + j * STRIDE_X, KERNEL_X, DILATION_X);
    return Across(padded / STRIDE_X + FOURS_BEFORE * 4u - j, tap);
}

// Cells 4·four to 4·four + 3 of row r, from the windows that are held. Floats are summed as they
// are.
fn take_held(r: vec2<u32>, four: u32) -> vec4<u32> {
    var last = vec4<u32>(0u);
    var sum = Sum(vec4<u32>(0u), vec4<u32>(0u));
    var plain = vec4<f32>(0.0);
    for (var window = 0u; window < WINDOWS_Z * WINDOWS_Y * WINDOWS_X; window++) {
        let line = window / WINDOWS_X;
        let row = first_tap(r, line);
        var taps = vec4<u32>(NO_CELL);
        var cells = vec4<u32>(0u);
        var wanted = vec4<u32>(0u);
        for (var lane = 0u; lane < 4u; lane++) {
            let there = across(four * 4u + lane, WINDOWS_X - 1u - window % WINDOWS_X);
            if row != NO_CELL && there.tap != NO_CELL {
                let held = line * FOURS + there.window / 4u;
                taps[lane] = (held_taps[held] >> (there.window % 4u * 8u)) & 0xffu;
                cells[lane] = held_cells[held][there.window % 4u];
                wanted[lane] = row + there.tap;
            }
        }
        let hit = taps == wanted;
        if !SUMMED || is_single() {
            last = select(last, cells, hit);
        } else if is_float() {
            plain += bitcast<vec4<f32>>(select(vec4<u32>(0u), cells, hit));
        } else {
            sum = sum_with(sum, cells, hit);
        }
    }
    if !SUMMED || is_single() {
        return last;
    }
    if is_float() {
        return narrow(bitcast<vec4<u32>>(plain));
    }
    return total(sum);
}

// The same from memory, cell by cell, with sums that meet subnormals.
fn gather(at: Place, q: vec2<u32>, r: vec2<u32>, four: u32) -> vec4<u32> {
    var put = vec4<u32>(0u);
    for (var lane = 0u; lane < 4u; lane++) {
        var sum = Sum(vec4<u32>(0u), vec4<u32>(0u));
        for (var window = 0u; window < WINDOWS_Z * WINDOWS_Y * WINDOWS_X; window++) {
            let line = window / WINDOWS_X;
            let row = first_tap(r, line);
            let there = across(four * 4u + lane, WINDOWS_X - 1u - window % WINDOWS_X);
            let wz = q.x - (WINDOWS_Z - 1u - line / WINDOWS_Y);
            let wy = q.y - (WINDOWS_Y - 1u - line % WINDOWS_Y);
            let wx = at.x * 4u + there.window - FOURS_BEFORE * 4u;
            if row == NO_CELL || there.tap == NO_CELL || wz >= params.pooled.x
                || wy >= params.pooled.y || wx >= params.pooled.z {
                continue;
            }
            let element =
                ((at.outer * params.pooled.x + wz) * params.pooled.y + wy) * params.pooled.z + wx;
            let tap = (taps_in[element / 4u - params.taps_base] >> (element % 4u * 8u)) & 0xffu;
            if tap == row + there.tap {
                let cells = load(element / 4u);
                sum = sum_with(sum, vec4<u32>(cells[element % 4u]), vec4<bool>(true));
            }
        }
        put[lane] = total(sum).x;
    }
    return put;
}

// A thread owns the cells of four adjacent blocks of windows in one row, counted without padding
// on x so that they can be stored four at a time.
@compute @workgroup_size(WORKGROUP)
fn max_unpool_rows(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let number = thread(workgroup, local);
    if number >= params.units {
        return;
    }
    // x counts fours of blocks.
    let at = place(params.first + number);
    let q = vec2<u32>(at.z + params.first_block.x, at.y + params.first_block.y);

    let pooled_fours = params.pooled.z / 4u;
    var delicate = false;
    for (var i = 0u; i < WINDOWS_Z * WINDOWS_Y * FOURS; i++) {
        let line = i / FOURS;
        let wz = q.x - (WINDOWS_Z - 1u - line / WINDOWS_Y);
        let wy = q.y - (WINDOWS_Y - 1u - line % WINDOWS_Y);
        let four = at.x + i % FOURS - FOURS_BEFORE;
        let exists = wz < params.pooled.x && wy < params.pooled.y && four < pooled_fours;
        let slice = at.outer * params.pooled.x + nearest(i32(wz), params.pooled.x);
        let row = slice * params.pooled.y + nearest(i32(wy), params.pooled.y);
        let source = row * pooled_fours + nearest(i32(four), pooled_fours);
        held_taps[i] = select(NO_CELL, taps_in[source - params.taps_base], exists);
        var cells = load(source);
        if SUMMED && is_single() {
            cells = total(sum_with(Sum(vec4<u32>(0u), vec4<u32>(0u)), cells, vec4<bool>(true)));
        } else if SUMMED && is_float() {
            cells = term(cells);
            delicate = delicate || is_delicate(cells);
        }
        held_cells[i] = cells;
    }

    if !delicate {
        store_held(at, q, 0u);
        if STRIDE_Z * STRIDE_Y * STRIDE_X > 1u {
            store_held(at, q, 1u);
        }
        if STRIDE_Z * STRIDE_Y * STRIDE_X > 2u {
            store_held(at, q, 2u);
        }
        if STRIDE_Z * STRIDE_Y * STRIDE_X > 3u {
            store_held(at, q, 3u);
        }
        if STRIDE_Z * STRIDE_Y * STRIDE_X > 4u {
            store_held(at, q, 4u);
        }
        if STRIDE_Z * STRIDE_Y * STRIDE_X > 5u {
            store_held(at, q, 5u);
        }
        if STRIDE_Z * STRIDE_Y * STRIDE_X > 6u {
            store_held(at, q, 6u);
        }
        if STRIDE_Z * STRIDE_Y * STRIDE_X > 7u {
            store_held(at, q, 7u);
        }
    } else {
        for (var i = 0u; i < STRIDE_Z * STRIDE_Y * STRIDE_X; i++) {
            let r = row_of_block(i);
            store_four(at, q, r, i % STRIDE_X, gather(at, q, r, i % STRIDE_X));
        }
    }
}

// Stores number `i` of the fours. It is called for each by hand: a driver unrolls no loop with so
// large a body, and what is held stays in registers only if its places are constants.
fn store_held(at: Place, q: vec2<u32>, i: u32) {
    store_four(at, q, row_of_block(i), i % STRIDE_X, take_held(row_of_block(i), i % STRIDE_X));
}

// The row of a block that holds number `i` of its fours.
fn row_of_block(i: u32) -> vec2<u32> {
    return vec2<u32>(i / (STRIDE_Y * STRIDE_X), i / STRIDE_X % STRIDE_Y);
}

// Stores four cells in row r of blocks q, if they are there.
fn store_four(at: Place, q: vec2<u32>, r: vec2<u32>, four: u32, put: vec4<u32>) {
    let z = q.x * STRIDE_Z + r.x - params.before.x;
    let y = q.y * STRIDE_Y + r.y - params.before.y;
    let x = at.x * STRIDE_X + four;
    let row_fours = params.input.z / 4u;
    // What lies before the input wraps to a huge number.
    let inside = z < params.input.x && y < params.input.y && x < row_fours;
    let row = (at.outer * params.input.x + z) * params.input.y + y;
    store(row * row_fours + x, put, inside);
}
