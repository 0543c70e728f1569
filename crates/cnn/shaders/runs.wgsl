// Runs of `len` elements from one tensor to another: concatenation, and its parts on the way back.
// An invocation computes an element that is written; the rest of y is left as it is.

struct Params {
    count: u32,
    len: u32,
    from_offset: u32,
    from_step: u32,
    to_offset: u32,
    to_step: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn run(i: u32) {
    let number = i / params.len;
    let at = i % params.len;
    y[params.to_offset + number * params.to_step + at] =
        x[params.from_offset + number * params.from_step + at];
}
