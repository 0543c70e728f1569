// Four elements that are adjacent in memory and may belong to different pixels, rows or images: any geometry
// and any element. A coordinate is four numbers, and each element is loaded by itself. load_words.wgsl,
// load_vec4.wgsl, store_vec4.wgsl and flat_words.wgsl have the loads and stores.

alias Coordinate = vec4<u32>;
alias SignedCoordinate = vec4<i32>;
alias Mask = vec4<bool>;

// The positions of elements 4·item to 4·item + 3. That of the first is found by divisions, the others by counting on.
// Lanes past the last element repeat it, so that they can be read.
fn position(item: u32) -> Position {
    let element = item * 4u;
    let first = coordinates(element);
    var outer = first.outer;
    var z = first.z;
    var y = first.y;
    var x = first.x;
    var inner = first.inner;
    var at: Position;
    for (var lane = 0u; lane < 4u; lane++) {
        at.outer[lane] = outer;
        at.z[lane] = z;
        at.y[lane] = y;
        at.x[lane] = x;
        at.inner[lane] = inner;
        at.exists[lane] = element + lane < params.elements;
        if element + lane + 1u >= params.elements {
            continue;
        }
        // The next element, with a carry into each further coordinate.
        inner++;
        if inner == params.inner {
            inner = 0u;
            x++;
        }
        if x == params.extents.z {
            x = 0u;
            y++;
        }
        if y == params.extents.y {
            y = 0u;
            z++;
        }
        if z == params.extents.x {
            z = 0u;
            outer++;
        }
    }
    return at;
}

fn load(address: Coordinate) -> vec4<u32> {
    return load_bound(address - params.input_base);
}

fn load_taps(address: Coordinate) -> vec4<u32> {
    return load_bound_taps(address - params.taps_base * (4u / TAP_BYTES));
}

// Elements by their numbers, counted from the first that is bound.
fn load_bound(number: vec4<u32>) -> vec4<u32> {
    return vec4<u32>(
        load_element(number.x),
        load_element(number.y),
        load_element(number.z),
        load_element(number.w),
    );
}

// Taps by their numbers, counted from the first that is bound.
fn load_bound_taps(number: vec4<u32>) -> vec4<u32> {
    let tap = vec4<u32>(
        load_tap(number.x),
        load_tap(number.y),
        load_tap(number.z),
        load_tap(number.w),
    );
    return tap & vec4<u32>((1u << (TAP_BYTES * 8u)) - 1u);
}

// A tap in the low bits.
fn load_tap(number: u32) -> u32 {
    return taps_in[number / (4u / TAP_BYTES)] >> (number * TAP_BYTES * 8u % 32u);
}

// The coordinates on x of four windows.
fn window_x(at: Position) -> vec4<u32> {
    return at.x;
}

// Elements of a pixel.
fn channels() -> u32 {
    return params.inner;
}

// The channel of each lane inside its pixel.
fn channel(inner: Coordinate) -> vec4<u32> {
    return inner;
}
