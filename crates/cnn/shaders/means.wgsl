// The uniform of average.wgsl and average_back.wgsl, and the taps that a mean counts.

struct Params {
    count: u32,
    counts_padding: u32,
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
    after_z: u32,
    after_y: u32,
    after_x: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

// Number of taps before padded cell `end`, of a window that starts at padded cell `start`.
fn taps_before(start: u32, end: u32, kernel: u32, dilation: u32) -> u32 {
    if (end <= start) {
        return 0u;
    }
    return min((end - start + dilation - 1u) / dilation, kernel);
}

// First tap in the input, end of the taps in the input, and number of taps that the mean counts.
fn span(
    q: u32,
    input: u32,
    kernel: u32,
    stride: u32,
    dilation: u32,
    before: u32,
    after: u32,
) -> vec3<u32> {
    let start = q * stride;
    let first = taps_before(start, before, kernel, dilation);
    let end = taps_before(start, before + input, kernel, dilation);
    var counted = end - first;
    if (params.counts_padding != 0u) {
        counted = max(taps_before(start, before + input + after, kernel, dilation), 1u);
    }
    return vec3(first, end, counted);
}

fn span_z(q: u32) -> vec3<u32> {
    return span(q, params.input_z, params.kernel_z, params.stride_z, params.dilation_z,
        params.before_z, params.after_z);
}

fn span_y(q: u32) -> vec3<u32> {
    return span(q, params.input_y, params.kernel_y, params.stride_y, params.dilation_y,
        params.before_y, params.after_y);
}

fn span_x(q: u32) -> vec3<u32> {
    return span(q, params.input_x, params.kernel_x, params.stride_x, params.dilation_x,
        params.before_x, params.after_x);
}
