// The gradient of unpooling: words_in is the unpooled gradient, taps_in where each pooled value had
// gone, tensor_out the pooled gradient. A thread reads the cells that four adjacent taps name, one
// load each; a tap that names no cell of the input reads zero.

fn read_cell(element: u32) -> u32 {
    return lane_bits(words_in[element / (32u / BITS) - params.in_base], element);
}

@compute @workgroup_size(WORKGROUP)
fn max_unpool_backward(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let turn = turn(workgroup, local);
    let at = place(turn);
    let cells = cells_of(at, load_unit_taps(turn));
    let plane = vec4<u32>(at.outer) * input_size().x + cells.z;
    let pixel = (plane * input_size().y + cells.y) * input_size().z + cells.x;
    let element = select(pixel * channels() + channel(at.inner), pixel, vec4<bool>(SOLE));
    let gathered = vec4<u32>(
        read_cell(element.x),
        read_cell(element.y),
        read_cell(element.z),
        read_cell(element.w),
    );
    store_unit(turn, select(vec4<u32>(0u), gathered, cells.found));
}
