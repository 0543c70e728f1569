// The taps of the cells of four lanes in windows that each lane finds by itself.

// A number that is larger than every tap, also when it is multiplied and added to others.
const NO_TAP: u32 = 0x10000u;

// The taps, on one axis, of cells in the windows that are `before` windows before those that start their stride
// blocks, or NO_TAP.
fn taps_of_cells(cell: vec4<u32>, before: u32, stride: u32, kernel: u32, dilation: u32) -> vec4<u32> {
    let offset = cell % stride + before * stride;
    if dilation == 1u && (before + 1u) * stride <= kernel {
        return offset;
    }
    let tap = offset / dilation;
    let is_offset = offset % dilation == vec4<u32>(0u);
    return select(vec4<u32>(NO_TAP), tap, is_offset & (tap < vec4<u32>(kernel)));
}
