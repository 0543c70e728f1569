// The gradient of unpooling. A work item makes four adjacent values of the pooled gradient: each is the cell
// that its tap names, loaded by itself, or zero where the tap names no cell of the input.
//
// Windows that are adjacent in a row share all coordinates but x.
//
// words_in: the unpooled gradient. taps_in: the tap of each pooled value. tensor_out: the pooled gradient.

fn load_cell(number: u32) -> u32 {
    return element_of_word(words_in[number / (32u / BITS) - params.input_base], number);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn max_unpool_backward(id: Invocation) {
    let item = work_item(id);
    if item == NONE {
        return;
    }
    let at = position(item);
    let cells = cells_of_taps(at, window_x(at), load_taps_of_item(item, true));
    let slice = vec4<u32>(at.outer) * input_size().x + cells.z;
    let pixel = (slice * input_size().y + cells.y) * input_size().z + cells.x;
    let element =
        select(pixel * channels() + channel(at.inner), pixel, vec4<bool>(ONE_ELEMENT_PER_PIXEL));
    let gathered = vec4<u32>(
        load_cell(element.x),
        load_cell(element.y),
        load_cell(element.z),
        load_cell(element.w),
    );
    store_item(item, select(vec4<u32>(0u), gathered, cells.exists));
}
