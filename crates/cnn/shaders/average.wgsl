// Average pooling, for sum_by_thread.wgsl or sum_by_workgroup.wgsl: an element is a window.

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

// The cells of a window that lie in the input: the first, and their extents.
struct Terms {
    first: u32,
    rows: u32,
    columns: u32,
    count: u32,
    // Cells that the mean counts.
    counted: u32,
}

fn terms_of(i: u32) -> Terms {
    let row = i / params.output_x;
    let slice = row / params.output_y;
    let qx = i % params.output_x;
    let qy = row % params.output_y;
    let qz = slice % params.output_z;
    let plane = slice / params.output_z;
    let sz = span_z(qz);
    let sy = span_y(qy);
    let sx = span_x(qx);
    let z = qz * params.stride_z + sz.x * params.dilation_z - params.before_z;
    let cy = qy * params.stride_y + sy.x * params.dilation_y - params.before_y;
    let cx = qx * params.stride_x + sx.x * params.dilation_x - params.before_x;
    let first = ((plane * params.input_z + z) * params.input_y + cy) * params.input_x + cx;
    let rows = sy.y - sy.x;
    let columns = sx.y - sx.x;
    return Terms(first, rows, columns, (sz.y - sz.x) * rows * columns, sz.z * sy.z * sx.z);
}

fn term(terms: Terms, n: u32) -> f32 {
    let row = n / terms.columns;
    let z = row / terms.rows * params.dilation_z;
    let cy = row % terms.rows * params.dilation_y;
    let cx = n % terms.columns * params.dilation_x;
    return x[terms.first + (z * params.input_y + cy) * params.input_x + cx];
}

fn store(i: u32, terms: Terms, sum: f32) {
    y[i] = sum / f32(terms.counted);
}
