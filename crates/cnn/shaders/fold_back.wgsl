// What a fold sends back: to the first of equal extremes, and to each factor of a product. An
// invocation computes a vector.

struct Params {
    count: u32,
    len: u32,
    inner: u32,
    // 0 maximum, 1 minimum, 2 product, 3 and 4 the first and the last position of the largest, 5 and 6
    // of the smallest.
    function: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> y: array<f32>;
@group(0) @binding(3) var<storage, read> signal: array<f32>;
@group(0) @binding(4) var<storage, read_write> back: array<f32>;

fn run(i: u32) {
    let first = i / params.inner * params.len * params.inner + i % params.inner;
    var open = true;
    for (var n = 0u; n < params.len; n++) {
        let at = first + n * params.inner;
        var share = 0.0;
        if (params.function == 2u) {
            share = signal[i];
            for (var m = 0u; m < params.len; m++) {
                if (m != n) {
                    share *= x[first + m * params.inner];
                }
            }
        } else if (open && x[at] == y[i]) {
            open = false;
            share = signal[i];
        }
        back[at] = share;
    }
}
