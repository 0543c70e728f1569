// The transpose of a convolution, for steps.wgsl: ConvTranspose forward, and Conv backward. Reads y and the same
// weights [groups·rows, columns, kz, ky, kx], and a bias of groups·columns if params.biased; writes x. Each group is
// a product: a row is a channel of x, a column a cell, and the steps of its depth are (channel of y, tap). Each cell
// gathers from the windows that cover it.

@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> x: array<f32>;

fn rows() -> u32 {
    return params.columns;
}

fn columns() -> u32 {
    return params.batch * params.input_z * params.input_y * params.input_x;
}

fn channels() -> u32 {
    return params.rows;
}

fn left_channel() -> u32 {
    return params.columns * TAPS;
}

fn right_channel() -> u32 {
    return params.y_channel;
}

fn row_at(group: u32, row: u32) -> u32 {
    return (group * params.rows * params.columns + row) * TAPS;
}

// A cell, counted with the padding.
fn column_at(group: u32, column: u32) -> Column {
    let cell = position_in(column, params.input_z, params.input_y, params.input_x);
    return Column(
        params.y_offset + cell.image * params.y_image + group * params.rows * params.y_channel,
        cell.z + params.before_z,
        cell.y + params.before_y,
        cell.x + params.before_x,
    );
}

fn step_at(channel: u32, tap: u32) -> Step {
    return Step(channel * left_channel() + tap, channel * right_channel(), shift_of(tap));
}

// The window whose tap lies on a cell, or one that does not exist. Without a branch: some compilers take minutes over
// as many as there would be once this is inlined.
fn window_at(cell: u32, shift: u32, stride: u32) -> u32 {
    let past = cell - shift;
    return select(past / stride, 0xffffffffu, (cell < shift) | (past % stride != 0u));
}

// The window whose tap lies on a cell.
fn window_of(step: Step, cell: Column) -> Shift {
    return Shift(
        window_at(cell.z, step.shift.z, STRIDE_Z),
        window_at(cell.y, step.shift.y, STRIDE_Y),
        window_at(cell.x, step.shift.x, STRIDE_X),
    );
}

fn inside(step: Step, cell: Column) -> bool {
    let window = window_of(step, cell);
    return window.z < params.output_z && window.y < params.output_y && window.x < params.output_x;
}

fn index_of(step: Step, cell: Column) -> u32 {
    let window = window_of(step, cell);
    return cell.first + step.right + (window.z * params.output_y + window.y) * params.output_x + window.x;
}

fn left(index: u32) -> f32 {
    return weights[index];
}

fn right(index: u32) -> f32 {
    return y[index];
}

fn result_at(group: u32, column: u32) -> u32 {
    let at = position_in(column, params.input_z, params.input_y, params.input_x);
    let position = (at.z * params.input_y + at.y) * params.input_x + at.x;
    return params.x_offset + at.image * params.x_image + position;
}

fn store(result: u32, group: u32, row: u32, sum: f32) {
    let channel = group * params.columns + row;
    var value = sum;
    if (params.biased != 0u) {
        value += bias[channel];
    }
    x[result + channel * params.x_channel] = value;
}

fn store_share(index: u32, sum: f32) {
    x[index] = sum;
}

fn load_share(index: u32) -> f32 {
    return y[index];
}
