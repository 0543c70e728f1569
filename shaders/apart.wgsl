// Lanes apart: four elements that are adjacent in memory and may belong to different pixels, rows
// or images. A coordinate is four numbers, and each cell is loaded by itself. Any geometry and any
// element; a thread stores whole words only, so no two threads share one.

alias Unit = u32;
alias Coord = vec4<u32>;
alias Signed = vec4<i32>;
alias Flag = vec4<bool>;

// A unit: elements 4·unit to 4·unit + 3.
fn place(turn: Turn) -> Place {
    let element = turn.unit * 4u;
    let first = spot(element);
    var outer = first.outer;
    var z = first.z;
    var y = first.y;
    var x = first.x;
    var inner = first.inner;
    var at: Place;
    for (var lane = 0u; lane < 4u; lane++) {
        at.outer[lane] = outer;
        at.z[lane] = z;
        at.y[lane] = y;
        at.x[lane] = x;
        at.inner[lane] = inner;
        at.exists[lane] = turn.exists && element + lane < params.elements;
        if element + lane + 1u >= params.elements {
            // Lanes past the end stay at the last element, which can be read.
            continue;
        }
        // One element on, each carry into the next coordinate.
        inner++;
        if inner == params.inner {
            inner = 0u;
            x++;
        }
        if x == params.by_x.by {
            x = 0u;
            y++;
        }
        if y == params.by_y.by {
            y = 0u;
            z++;
        }
        if z == params.by_z.by {
            z = 0u;
            outer++;
        }
    }
    return at;
}

// No thread makes two units here.
fn beside(at: Place) -> Place {
    return at;
}

fn some(flag: Flag) -> bool {
    return any(flag);
}

fn load_lane(element: u32) -> u32 {
    return lane_bits(tensor_in[element / (32u / BITS) - params.in_base], element);
}

fn load(address: Coord) -> vec4<u32> {
    return vec4<u32>(
        load_lane(address.x),
        load_lane(address.y),
        load_lane(address.z),
        load_lane(address.w),
    );
}

// The four cells of a unit. Behind the last of the tensor is that one again.
fn load_unit(turn: Turn) -> vec4<u32> {
    let elements = vec4<u32>(turn.unit * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
    return load(min(elements, vec4<u32>(params.elements - 1u)));
}

// Stores 32-bit cells where they belong in the tensor.
fn store(address: Coord, cells: vec4<u32>, inside: Flag) {
    let to = address - vec4<u32>(params.out_base);
    for (var lane = 0u; lane < 4u; lane++) {
        if inside[lane] {
            tensor_out[to[lane]] = cells[lane];
        }
    }
}

// Stores the four cells of a unit, in as many words as they take. What is left of the last word of a
// tensor becomes 0.
fn store_unit(turn: Turn, four: vec4<u32>) {
    let lanes = vec4<u32>(turn.unit * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
    let there = lanes < vec4<u32>(params.elements);
    let cells = select(vec4<u32>(0u), four, there);
    let per_word = 32u / BITS;
    let to = turn.unit * (BITS / 8u) - params.out_base;
    for (var word = 0u; word < BITS / 8u; word++) {
        if turn.exists && there[word * per_word] {
            tensor_out[to + word] = word_of(cells, word);
        }
    }
}

fn load_tap(element: u32) -> u32 {
    let per_word = 4u / TAP_BYTES;
    let bits = taps_in[element / per_word - params.taps_base];
    return (bits >> (element % per_word * TAP_BYTES * 8u)) & ((1u << (TAP_BYTES * 8u)) - 1u);
}

fn load_taps(address: Coord) -> vec4<u32> {
    return vec4<u32>(
        load_tap(address.x),
        load_tap(address.y),
        load_tap(address.z),
        load_tap(address.w),
    );
}

// Whether word `word` of a unit's taps is part of the tensor.
fn has_taps_word(unit: u32, word: u32) -> bool {
    return unit * 4u + word * (4u / TAP_BYTES) < params.elements;
}

// Elements inside a pixel.
fn channels() -> u32 {
    return params.inner;
}

// The element inside its pixel of each lane.
fn channel(inner: Coord) -> vec4<u32> {
    return inner;
}
