// Convolution. Reads x and weights [groups·rows, columns, kz, ky, kx], and a bias of groups·rows
// if params.biased; writes y. A row of the product is a channel of y, a column a window, the depth
// is (channel of x, tap).

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

fn row_count() -> u32 {
    return params.rows;
}

fn column_count() -> u32 {
    return params.batch * params.output_z * params.output_y * params.output_x;
}

fn depth_count() -> u32 {
    return params.columns * taps();
}

fn position_of(column: u32) -> Position {
    return position_in(column, params.output_z, params.output_y, params.output_x);
}

fn weight(group: u32, row: u32, depth: u32) -> f32 {
    return weights[(group * params.rows + row) * depth_count() + depth];
}

fn cell(group: u32, depth: u32, window: Position) -> f32 {
    let tx = depth % params.kernel_x;
    let ty = depth / params.kernel_x % params.kernel_y;
    let tz = depth / (params.kernel_x * params.kernel_y) % params.kernel_z;
    let channel = group * params.columns + depth / taps();
    // A coordinate before the input wraps around, and is then too large as well.
    let z = window.z * params.stride_z + tz * params.dilation_z - params.before_z;
    let y = window.y * params.stride_y + ty * params.dilation_y - params.before_y;
    let x_at = window.x * params.stride_x + tx * params.dilation_x - params.before_x;
    if (z >= params.input_z || y >= params.input_y || x_at >= params.input_x) {
        return 0.0;
    }
    let position = (z * params.input_y + y) * params.input_x + x_at;
    let plane = params.x_offset + window.image * params.x_image + channel * params.x_channel;
    return x[plane + position];
}

fn store(group: u32, row: u32, window: Position, sum: f32) {
    let channel = group * params.rows + row;
    let position = (window.z * params.output_y + window.y) * params.output_x + window.x;
    let plane = params.y_offset + window.image * params.y_image + channel * params.y_channel;
    var value = sum;
    if (params.biased != 0u) {
        value += bias[channel];
    }
    y[plane + position] = value;
}
