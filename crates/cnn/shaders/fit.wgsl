// Planes cut, or extended with zeros, at their far ends. An invocation computes an element that is written.

struct Params {
    count: u32,
    from_z: u32,
    from_y: u32,
    from_x: u32,
    to_z: u32,
    to_y: u32,
    to_x: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn run(i: u32) {
    let row = i / params.to_x;
    let slice = row / params.to_y;
    let cx = i % params.to_x;
    let cy = row % params.to_y;
    let cz = slice % params.to_z;
    let plane = slice / params.to_z;
    if (cz >= params.from_z || cy >= params.from_y || cx >= params.from_x) {
        y[i] = 0.0;
        return;
    }
    y[i] = x[((plane * params.from_z + cz) * params.from_y + cy) * params.from_x + cx];
}
