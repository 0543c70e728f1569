// What elements at computed positions send back: to each element the sum over all that were taken from it, in
// their order. An invocation computes an element.

@group(0) @binding(1) var<storage, read> signal: array<f32>;
@group(0) @binding(3) var<storage, read_write> back: array<f32>;

fn run(i: u32) {
    let column = i % params.inner;
    let own = i32(i / params.inner % params.from_rows);
    let block = i / params.inner / params.from_rows;
    var sum = 0.0;
    for (var row = 0u; row < params.to_rows; row++) {
        if (named(block, row, column) == own) {
            sum += signal[(block * params.to_rows + row) * params.inner + column];
        }
    }
    back[i] = sum;
}
