// The transpose of a convolution: ConvTranspose forward, and Conv backward. Reads y and the same
// weights [groups·rows, columns, kz, ky, kx], and a bias of groups·columns if params.biased;
// writes x. A row of the product is a channel of x, a column a cell, the depth is (channel of y,
// tap). Each cell gathers from the windows that cover it.

@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> x: array<f32>;

fn row_count() -> u32 {
    return params.columns;
}

fn column_count() -> u32 {
    return params.batch * params.input_z * params.input_y * params.input_x;
}

fn depth_count() -> u32 {
    return params.rows * taps();
}

fn position_of(column: u32) -> Position {
    return position_in(column, params.input_z, params.input_y, params.input_x);
}

fn weight(group: u32, row: u32, depth: u32) -> f32 {
    let outgoing = group * params.rows + depth / taps();
    return weights[(outgoing * params.columns + row) * taps() + depth % taps()];
}

// The window whose tap lies on a cell, or one that does not exist.
fn window_at(cell: u32, tap: u32, before: u32, stride: u32, dilation: u32) -> u32 {
    let padded = cell + before;
    let shift = tap * dilation;
    if (padded < shift || (padded - shift) % stride != 0u) {
        return 0xffffffffu;
    }
    return (padded - shift) / stride;
}

fn cell(group: u32, depth: u32, at: Position) -> f32 {
    let tx = depth % params.kernel_x;
    let ty = depth / params.kernel_x % params.kernel_y;
    let tz = depth / (params.kernel_x * params.kernel_y) % params.kernel_z;
    let channel = group * params.rows + depth / taps();
    let z = window_at(at.z, tz, params.before_z, params.stride_z, params.dilation_z);
    let row = window_at(at.y, ty, params.before_y, params.stride_y, params.dilation_y);
    let column = window_at(at.x, tx, params.before_x, params.stride_x, params.dilation_x);
    if (z >= params.output_z || row >= params.output_y || column >= params.output_x) {
        return 0.0;
    }
    let position = (z * params.output_y + row) * params.output_x + column;
    let plane = params.y_offset + at.image * params.y_image + channel * params.y_channel;
    return y[plane + position];
}

fn store(group: u32, row: u32, at: Position, sum: f32) {
    let channel = group * params.columns + row;
    let position = (at.z * params.input_y + at.y) * params.input_x + at.x;
    let plane = params.x_offset + at.image * params.x_image + channel * params.x_channel;
    var value = sum;
    if (params.biased != 0u) {
        value += bias[channel];
    }
    x[plane + position] = value;
}
