// What elements at computed positions send back: to each element the sum over all that were taken from it, in
// their order. An invocation computes an element.

struct Params {
    count: u32,
    repeats: u32,
    from_rows: u32,
    to_rows: u32,
    inner: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> signal: array<f32>;
@group(0) @binding(2) var<storage, read> positions: array<f32>;
@group(0) @binding(3) var<storage, read_write> back: array<f32>;

fn run(i: u32) {
    let column = i % params.inner;
    let own = i32(i / params.inner % params.from_rows);
    let block = i / params.inner / params.from_rows;
    let list = block / params.repeats * params.to_rows;
    let rows = i32(params.from_rows);
    var sum = 0.0;
    for (var row = 0u; row < params.to_rows; row++) {
        let at = i32(positions[(list + row) * params.inner + column]);
        if (at == own || at == own - rows) {
            sum += signal[(block * params.to_rows + row) * params.inner + column];
        }
    }
    back[i] = sum;
}
