// The signal that a function of two tensors sends back to one of them, before it is summed over the
// axes in which the operand was repeated. An invocation computes an element.

@group(0) @binding(3) var<storage, read> signal: array<f32>;
@group(0) @binding(4) var<storage, read_write> back: array<f32>;

fn run(i: u32) {
    let both = operands(i);
    let slope = derivatives(params.function, both.x, both.y)[params.operand];
    back[i] = select(signal[i] * slope, 0.0, signal[i] == 0.0);
}
