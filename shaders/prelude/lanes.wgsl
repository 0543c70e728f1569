// Windows of an unpooling that each lane finds by itself: those before the window that starts the stride block
// of the lane's cell on x.

// A number that is larger than every tap, also when it is multiplied and added to others.
const NO_TAP: u32 = 0x10000u;

// For each lane the window that is before_x windows before the one that starts its stride block, in a row of
// windows whose first is number `first` of the pooled tensor.
fn load_windows_of_lanes(
    first: vec4<u32>, cell_x: vec4<u32>, inner: vec4<u32>, row_exists: bool, before_x: u32,
) -> Pooled {
    // A coordinate before the first window wraps to a number larger than any extent.
    let x = cell_x / STRIDE_X - before_x;
    let exists = x < vec4<u32>(pooled_size().z);
    var source = first + min(x, vec4<u32>(pooled_size().z - 1u));
    if !ONE_ELEMENT_PER_PIXEL {
        source = source * params.inner + inner;
    }
    let taps = select(vec4<u32>(NONE), load_taps(source), vec4<bool>(row_exists) & exists);
    return pooled(load(source), taps);
}

// For each lane the tap on x of its cell in that window, or NO_TAP.
fn tap_of_lanes(cell_x: vec4<u32>, before_x: u32) -> vec4<u32> {
    let offset = cell_x % STRIDE_X + before_x * STRIDE_X;
    if DILATION_X == 1u && (before_x + 1u) * STRIDE_X <= KERNEL_X {
        return offset;
    }
    let tap = offset / DILATION_X;
    let is_offset = offset % DILATION_X == vec4<u32>(0u);
    return select(vec4<u32>(NO_TAP), tap, is_offset & (tap < vec4<u32>(KERNEL_X)));
}
