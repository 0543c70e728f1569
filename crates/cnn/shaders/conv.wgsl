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

fn left_channel() -> u32 {
    return TAPS;
}

fn right_channel() -> u32 {
    return params.x_channel;
}

fn row_at(group: u32, row: u32) -> u32 {
    return (group * params.rows + row) * params.columns * TAPS;
}

// The first cell of a window. A coordinate before the input wraps around, and so does the cell's index.
fn column_at(group: u32, column: u32) -> Column {
    let window = position_in(column, params.output_z, params.output_y, params.output_x);
    let image = params.x_offset + window.image * params.x_image;
    let z = window.z * STRIDE_Z - params.before_z;
    let y_at = window.y * STRIDE_Y - params.before_y;
    let x_at = window.x * STRIDE_X - params.before_x;
    let cell = (z * params.input_y + y_at) * params.input_x + x_at;
    return Column(image + group * params.columns * params.x_channel + cell, z, y_at, x_at);
}

fn step_at(channel: u32, tap: u32) -> Step {
    let shift = shift_of(tap);
    let cells = (shift.z * params.input_y + shift.y) * params.input_x + shift.x;
    return Step(channel * left_channel() + tap, channel * right_channel() + cells, shift);
}

// A coordinate outside is too large, also before the input.
fn inside(step: Step, window: Column) -> bool {
    return window.z + step.shift.z < params.input_z
        && window.y + step.shift.y < params.input_y
        && window.x + step.shift.x < params.input_x;
}

fn index_of(step: Step, window: Column) -> u32 {
    return window.first + step.right;
}

fn left(index: u32) -> f32 {
    return weights[index];
}

fn right(index: u32) -> f32 {
    return x[index];
}

fn result_at(group: u32, column: u32) -> u32 {
    let window = position_in(column, params.output_z, params.output_y, params.output_x);
    let position = (window.z * params.output_y + window.y) * params.output_x + window.x;
    return params.y_offset + window.image * params.y_image + position;
}

fn store(result: u32, group: u32, row: u32, sum: f32) {
    let channel = group * params.rows + row;
    var value = sum;
    if (params.biased != 0u) {
        value += bias[channel];
    }
    y[result + channel * params.y_channel] = value;
}

fn store_share(index: u32, sum: f32) {
    y[index] = sum;
}

fn load_share(index: u32) -> f32 {
    return x[index];
}
