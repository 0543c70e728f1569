// The gradient of unpooling: words_in is the unpooled gradient, taps_in where each pooled value had
// gone, tensor_out the pooled gradient. A thread reads the cells that four adjacent taps name, one
// load each; a tap that names no cell of the input reads zero.

fn read_cell(element: u32, wanted: bool) -> u32 {
    if !wanted {
        return 0u;
    }
    return lane_bits(words_in[element / (32u / BITS) - params.in_base], element);
}

// Where a tap lies on one axis of the input, and whether that is a cell.
fn along(q: Coord, tap: vec4<u32>, stride: u32, dilation: u32, before: u32) -> vec4<i32> {
    return vec4<i32>(Signed(q * stride)) + vec4<i32>(tap * dilation) - vec4<i32>(i32(before));
}

fn is_cell(at: vec4<i32>, extent: u32) -> vec4<bool> {
    return (at >= vec4<i32>(0)) & (at < vec4<i32>(i32(extent)));
}

@compute @workgroup_size(WORKGROUP)
fn max_unpool_backward(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let number = thread(workgroup, local);
    if number >= params.units {
        return;
    }
    let unit = params.first + number;
    let at = place(unit, params.pooled);
    let taps = load_taps(address(params.pooled, at.outer, at.z, at.y, at.x, at.inner), at.exists);
    let tz = taps / (KERNEL_X * KERNEL_Y);
    let z = along(at.z, tz, STRIDE_Z, DILATION_Z, params.before.x);
    let y = along(at.y, taps / KERNEL_X % KERNEL_Y, STRIDE_Y, DILATION_Y, params.before.y);
    let x = along(at.x, taps % KERNEL_X, STRIDE_X, DILATION_X, params.before.z);
    let found = vec4<bool>(at.exists) & (tz < vec4<u32>(KERNEL_Z)) & is_cell(z, params.input.x)
        & is_cell(y, params.input.y) & is_cell(x, params.input.z);
    let plane = vec4<u32>(at.outer) * params.input.x + vec4<u32>(z);
    let pixel = (plane * params.input.y + vec4<u32>(y)) * params.input.z + vec4<u32>(x);
    let element = element_in(pixel, at.inner);
    store_unit(unit, vec4<u32>(
        read_cell(element.x, found.x),
        read_cell(element.y, found.y),
        read_cell(element.z, found.z),
        read_cell(element.w, found.w),
    ));
}
