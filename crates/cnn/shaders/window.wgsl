// The uniform of conv.wgsl and conv_transpose.wgsl: three axes, z, y and x, over which windows
// slide, and the strides of the two tensors. `Conv` in kernel.rs has the same numbers.

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
    kernel_z: u32,
    kernel_y: u32,
    kernel_x: u32,
    stride_z: u32,
    stride_y: u32,
    stride_x: u32,
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

fn taps() -> u32 {
    return params.kernel_z * params.kernel_y * params.kernel_x;
}
