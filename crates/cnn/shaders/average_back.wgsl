// What average pooling sends back. An invocation computes a cell of the input and asks which windows hold
// it.

@group(0) @binding(1) var<storage, read> signal: array<f32>;
@group(0) @binding(2) var<storage, read_write> back: array<f32>;

// First and one past the last window that can hold padded cell `at`.
fn windows(at: u32, output: u32, kernel: u32, stride: u32, dilation: u32) -> vec2<u32> {
    let extent = (kernel - 1u) * dilation + 1u;
    var first = 0u;
    if (at >= extent) {
        first = (at - extent) / stride + 1u;
    }
    return vec2(first, min(at / stride + 1u, output));
}

fn run(i: u32) {
    let row = i / params.input_x;
    let slice = row / params.input_y;
    let x = i % params.input_x + params.before_x;
    let y = row % params.input_y + params.before_y;
    let z = slice % params.input_z + params.before_z;
    let plane = slice / params.input_z;
    let wz = windows(z, params.output_z, params.kernel_z, params.stride_z, params.dilation_z);
    let wy = windows(y, params.output_y, params.kernel_y, params.stride_y, params.dilation_y);
    let wx = windows(x, params.output_x, params.kernel_x, params.stride_x, params.dilation_x);
    var sum = 0.0;
    for (var qz = wz.x; qz < wz.y; qz++) {
        if ((z - qz * params.stride_z) % params.dilation_z != 0u) {
            continue;
        }
        for (var qy = wy.x; qy < wy.y; qy++) {
            if ((y - qy * params.stride_y) % params.dilation_y != 0u) {
                continue;
            }
            let first = ((plane * params.output_z + qz) * params.output_y + qy) * params.output_x;
            for (var qx = wx.x; qx < wx.y; qx++) {
                if ((x - qx * params.stride_x) % params.dilation_x == 0u) {
                    let counted = span_z(qz).z * span_y(qy).z * span_x(qx).z;
                    sum += signal[first + qx] / f32(counted);
                }
            }
        }
    }
    back[i] = sum;
}
