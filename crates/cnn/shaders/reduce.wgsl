// The gradient of a sum or a product for an operand that was repeated: the sum over the repeats,
// times the other operand if params.times_other: for sum_by_thread.wgsl or sum_by_workgroup.wgsl.

struct Params {
    count: u32,
    repeat_count: u32,
    times_other: u32,
    kept0: u32,
    kept1: u32,
    kept2: u32,
    kept3: u32,
    kept4: u32,
    kept5: u32,
    repeats0: u32,
    repeats1: u32,
    repeats2: u32,
    repeats3: u32,
    repeats4: u32,
    repeats5: u32,
    steps0: u32,
    steps1: u32,
    steps2: u32,
    steps3: u32,
    steps4: u32,
    steps5: u32,
    other0: u32,
    other1: u32,
    other2: u32,
    other3: u32,
    other4: u32,
    other5: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> signal: array<f32>;
@group(0) @binding(2) var<storage, read> other: array<f32>;
@group(0) @binding(3) var<storage, read_write> back: array<f32>;

// Where the terms of an element of the operand begin.
struct Terms {
    first: u32,
    other_first: u32,
    count: u32,
}

fn steps() -> Axes {
    return Axes(params.steps0, params.steps1, params.steps2, params.steps3, params.steps4, params.steps5);
}

fn other_steps() -> Axes {
    return Axes(params.other0, params.other1, params.other2, params.other3, params.other4, params.other5);
}

fn terms_of(i: u32) -> Terms {
    let own = coordinates(i, Axes(params.kept0, params.kept1, params.kept2, params.kept3, params.kept4, params.kept5));
    return Terms(along(own, steps()), along(own, other_steps()), params.repeat_count);
}

fn term(terms: Terms, n: u32) -> f32 {
    // On each axis one of the two coordinates is 0.
    let at = coordinates(n, Axes(params.repeats0, params.repeats1, params.repeats2, params.repeats3, params.repeats4, params.repeats5));
    let own = signal[terms.first + along(at, steps())];
    if (params.times_other != 0u) {
        return own * other[terms.other_first + along(at, other_steps())];
    }
    return own;
}

fn store(i: u32, terms: Terms, sum: f32) {
    back[i] = sum;
}
