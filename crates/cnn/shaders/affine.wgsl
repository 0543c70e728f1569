// A scale and a shift for each channel: batch normalisation. An invocation computes an element.

struct Params {
    count: u32,
    channels: u32,
    inner: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> scale: array<f32>;
@group(0) @binding(3) var<storage, read> shift: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

fn run(i: u32) {
    let channel = i / params.inner % params.channels;
    y[i] = x[i] * scale[channel] + shift[channel];
}
