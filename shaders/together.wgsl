// Lanes together: four adjacent channels of one pixel, when channels come last and divide by four.
// A coordinate is one number for all lanes, and four cells, a quad, are one load or store. Four
// elements of a row (max_pool_rows.wgsl and its like) count as the channels of a pixel here.

alias Unit = Quad;
alias Coord = u32;
alias Signed = i32;
alias Flag = bool;

// A unit: four channels of a pixel.
fn place(turn: Turn) -> Place {
    let at = spot(turn.unit);
    return Place(at.outer, at.z, at.y, at.x, at.inner, turn.exists);
}

// The place of the unit beside it: the next channels, or the next of the row.
fn beside(at: Place) -> Place {
    var next = at;
    if SOLE {
        next.x++;
    } else {
        next.inner++;
    }
    return next;
}

fn some(flag: Flag) -> bool {
    return flag;
}

fn load(address: Coord) -> vec4<u32> {
    return unpack(tensor_in[address - params.in_base]);
}

// The four cells of a unit.
fn load_unit(turn: Turn) -> vec4<u32> {
    return load(turn.unit);
}

// One of the cells at an address.
fn load_single(address: Coord, lane: u32) -> u32 {
    return single(address - params.in_base, lane);
}

// Stores four cells where they belong in the tensor.
fn store(address: Coord, cells: vec4<u32>, inside: Flag) {
    let to = address - params.out_base;
    if inside {
        tensor_out[to] = pack(cells);
    }
}

// Stores the four cells of a unit.
fn store_unit(turn: Turn, cells: vec4<u32>) {
    store(turn.unit, cells, turn.exists);
}

fn load_taps(address: Coord) -> vec4<u32> {
    return load_unit_taps(Turn(address, true));
}

// The words of taps of a unit: there is no unit that is not whole.
fn has_taps_word(unit: u32, word: u32) -> bool {
    return true;
}

// Elements inside a pixel.
fn channels() -> u32 {
    return params.inner * 4u;
}

// The element inside its pixel of each lane.
fn channel(inner: Coord) -> vec4<u32> {
    return vec4<u32>(inner * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
}
