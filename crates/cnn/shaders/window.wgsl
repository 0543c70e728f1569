// The uniform of conv.wgsl and conv_transpose.wgsl: three axes, z, y and x, over which windows
// slide, and the strides of the two tensors. `Conv` in src/kernel/conv.rs has the same numbers. The extents and strides
// of the window are constants that src/gpu/shader.rs writes in front, because dividing by a constant is cheap, and so
// is PADDED, whether a tap may lie outside.

struct Params {
    batch: u32,
    groups: u32,
    rows: u32,
    columns: u32,
    x_offset: u32,
    x_image: u32,
    x_channel: u32,
    y_offset: u32,
    y_image: u32,
    y_channel: u32,
    biased: u32,
    input_z: u32,
    input_y: u32,
    input_x: u32,
    output_z: u32,
    output_y: u32,
    output_x: u32,
    dilation_z: u32,
    dilation_y: u32,
    dilation_x: u32,
    before_z: u32,
    before_y: u32,
    before_x: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

// A position of an image: image, z, y, x.
struct Position {
    image: u32,
    z: u32,
    y: u32,
    x: u32,
}

fn position_in(column: u32, depth: u32, height: u32, width: u32) -> Position {
    let row = column / width;
    let slice = row / height;
    return Position(slice / depth, slice % depth, row % height, column % width);
}

// What a column of the product reads: where it begins, and a coordinate on each axis.
struct Column {
    first: u32,
    z: u32,
    y: u32,
    x: u32,
}

const TAPS: u32 = KERNEL_Z * KERNEL_Y * KERNEL_X;

fn products() -> u32 {
    return params.groups;
}

// How far a tap lies from the first one.
struct Shift {
    z: u32,
    y: u32,
    x: u32,
}

fn shift_of(tap: u32) -> Shift {
    let row = tap / KERNEL_X;
    return Shift(
        row / KERNEL_Y * params.dilation_z,
        row % KERNEL_Y * params.dilation_y,
        tap % KERNEL_X * params.dilation_x,
    );
}

// A step of the depth: how far its factors lie from where the row and the column begin, and its tap's shift.
struct Step {
    left: u32,
    right: u32,
    shift: Shift,
}
