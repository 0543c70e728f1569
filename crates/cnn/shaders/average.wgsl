// Average pooling. An invocation computes a window.

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn run(i: u32) {
    let row = i / params.output_x;
    let slice = row / params.output_y;
    let qx = i % params.output_x;
    let qy = row % params.output_y;
    let qz = slice % params.output_z;
    let plane = slice / params.output_z;
    let sz = span_z(qz);
    let sy = span_y(qy);
    let sx = span_x(qx);
    var sum = 0.0;
    for (var tz = sz.x; tz < sz.y; tz++) {
        let z = qz * params.stride_z + tz * params.dilation_z - params.before_z;
        for (var ty = sy.x; ty < sy.y; ty++) {
            let cy = qy * params.stride_y + ty * params.dilation_y - params.before_y;
            let first = ((plane * params.input_z + z) * params.input_y + cy) * params.input_x;
            for (var tx = sx.x; tx < sx.y; tx++) {
                sum += x[first + qx * params.stride_x + tx * params.dilation_x - params.before_x];
            }
        }
    }
    y[i] = sum / f32(sz.z * sy.z * sx.z);
}
