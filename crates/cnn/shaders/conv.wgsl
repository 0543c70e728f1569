// Convolution, for steps.wgsl. Reads x and weights [groups·rows, columns, kz, ky, kx], and a bias of groups·rows
// if params.biased; writes y. Each group is a product: a row is a channel of y, a column a window, and the steps of
// its depth are (channel of x, tap).

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

fn rows() -> u32 {
    return params.rows;
}

fn columns() -> u32 {
    return params.batch * params.output_z * params.output_y * params.output_x;
}

fn channels() -> u32 {
    return params.columns;
}

// The first cell of a window. A coordinate before the input wraps around.
fn column_at(group: u32, column: u32) -> Column {
    let window = position_in(column, params.output_z, params.output_y, params.output_x);
    return Column(
        params.x_offset + window.image * params.x_image + group * params.columns * params.x_channel,
        window.z * STRIDE_Z - params.before_z,
        window.y * STRIDE_Y - params.before_y,
        window.x * STRIDE_X - params.before_x,
    );
}

fn left(group: u32, row: u32, channel: u32, tap: u32) -> f32 {
    return weights[((group * params.rows + row) * params.columns + channel) * TAPS + tap];
}

// The cell of a window's tap in the first channel, or NOWHERE.
fn place(number: u32, window: Column) -> u32 {
    let tap = tap_of(number);
    // A coordinate outside is too large, also before the input.
    let z = window.z + tap.z * params.dilation_z;
    let y = window.y + tap.y * params.dilation_y;
    let x_at = window.x + tap.x * params.dilation_x;
    if (z >= params.input_z || y >= params.input_y || x_at >= params.input_x) {
        return NOWHERE;
    }
    return window.first + (z * params.input_y + y) * params.input_x + x_at;
}

fn right(place: u32, channel: u32) -> f32 {
    return x[place + channel * params.x_channel];
}

fn store(group: u32, row: u32, column: u32, sum: f32) {
    let window = position_in(column, params.output_z, params.output_y, params.output_x);
    let channel = group * params.rows + row;
    let position = (window.z * params.output_y + window.y) * params.output_x + window.x;
    let plane = params.y_offset + window.image * params.y_image + channel * params.y_channel;
    var value = sum;
    if (params.biased != 0u) {
        value += bias[channel];
    }
    y[plane + position] = value;
}
