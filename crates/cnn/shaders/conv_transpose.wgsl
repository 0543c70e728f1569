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

fn left(group: u32, row: u32, channel: u32, tap: u32) -> f32 {
    return weights[((group * params.rows + channel) * params.columns + row) * TAPS + tap];
}

// The window whose tap lies on a cell, or one that does not exist. Without a branch: some compilers take minutes over
// as many as there would be once this is inlined.
fn window_at(cell: u32, shift: u32, stride: u32) -> u32 {
    let past = cell - shift;
    return select(past / stride, 0xffffffffu, (cell < shift) | (past % stride != 0u));
}

// The window whose tap lies on a cell, in the first channel, or NOWHERE.
fn place(number: u32, cell: Column) -> u32 {
    let tap = tap_of(number);
    let z = window_at(cell.z, tap.z * params.dilation_z, STRIDE_Z);
    let row = window_at(cell.y, tap.y * params.dilation_y, STRIDE_Y);
    let column = window_at(cell.x, tap.x * params.dilation_x, STRIDE_X);
    if (z >= params.output_z || row >= params.output_y || column >= params.output_x) {
        return NOWHERE;
    }
    return cell.first + (z * params.output_y + row) * params.output_x + column;
}

fn right(place: u32, channel: u32) -> f32 {
    return y[place + channel * params.y_channel];
}

fn store(group: u32, row: u32, column: u32, sum: f32) {
    let at = position_in(column, params.input_z, params.input_y, params.input_x);
    let channel = group * params.columns + row;
    let position = (at.z * params.input_y + at.y) * params.input_x + at.x;
    let plane = params.x_offset + at.image * params.x_image + channel * params.x_channel;
    var value = sum;
    if (params.biased != 0u) {
        value += bias[channel];
    }
    x[plane + position] = value;
}
