// Coordinates of up to six axes, for operands.wgsl, reduce.wgsl and permute.wgsl.

alias Axes = array<u32, 6>;

fn coordinates(i: u32, dims: Axes) -> Axes {
    var at: Axes;
    var extents = dims;
    var rest = i;
    for (var d = 6u; d > 0u; d--) {
        // Most tensors have two or three axes, and divisions take longer than all else.
        if (extents[d - 1u] > 1u) {
            at[d - 1u] = rest % extents[d - 1u];
            rest /= extents[d - 1u];
        }
    }
    return at;
}

fn along(at_places: Axes, steps_of: Axes) -> u32 {
    var at = at_places;
    var steps = steps_of;
    var sum = 0u;
    for (var d = 0u; d < 6u; d++) {
        sum += at[d] * steps[d];
    }
    return sum;
}
