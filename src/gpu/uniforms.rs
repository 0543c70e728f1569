//! What the kernels of a window are told, field for field as the shaders declare it.

use crate::argmax::IndexStrides;

/// The uniforms of one dispatch: `Params` of `shaders/grid.wgsl`, field for field.
#[repr(C)]
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
pub(crate) struct Params {
    pub(crate) by_inner: Divisor,
    pub(crate) by_z: Divisor,
    pub(crate) by_y: Divisor,
    pub(crate) by_x: Divisor,
    pub(crate) input: [u32; 3],
    pub(crate) inner: u32,
    pub(crate) pooled: [u32; 3],
    pub(crate) first: u32,
    pub(crate) before: [u32; 3],
    pub(crate) threads: u32,
    pub(crate) blocks: [u32; 3],
    pub(crate) grid_width: u32,
    pub(crate) first_block: [u32; 3],
    pub(crate) elements: u32,
    pub(crate) in_base: u32,
    pub(crate) out_base: u32,
    pub(crate) taps_base: u32,
    pub(crate) end: u32,
}

/// A divisor prepared for `quotient` of `shaders/grid.wgsl`: division by multiplication, exact for
/// every `u32` (Granlund and Montgomery, "Division by invariant integers using multiplication",
/// 1994, figure 4.1).
#[repr(C)]
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
pub(crate) struct Divisor {
    pub(crate) by: u32,
    pub(crate) magic: u32,
    pub(crate) shift: u32,
    pub(crate) then: u32,
}

impl Divisor {
    pub(crate) fn new(by: u32) -> Self {
        let bits = u32::BITS - (by - 1).leading_zeros();
        let magic = ((1u64 << bits) - u64::from(by)) * (1 << 32) / u64::from(by) + 1;
        Self { by, magic: magic as u32, shift: bits.min(1), then: bits.saturating_sub(1) }
    }
}

/// The uniforms of an index space: `Frame` of `shaders/indices.wgsl`, field for field.
#[repr(C)]
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
pub(crate) struct FrameParams {
    pub(crate) strides: [u32; 3],
    pub(crate) batch_stride: u32,
    pub(crate) channel_stride: u32,
    pub(crate) planes: u32,
    pub(crate) end: [u32; 2],
}

impl FrameParams {
    /// Of a frame whose indices fit a `u32`.
    pub(crate) fn new(frame: &IndexStrides) -> Self {
        Self {
            strides: frame.strides.map(|s| s as u32),
            batch_stride: frame.batch_stride as u32,
            channel_stride: frame.channel_stride as u32,
            planes: frame.planes_per_image,
            end: [0; 2],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Divisor, FrameParams, Params};
    use crate::gpu::layout::assert_layout;
    use crate::gpu::operation::Operation;
    use crate::gpu::program::Program;
    use crate::index_space::IndexSpace;
    use crate::{Geometry, Shape, Window};

    /// What the shader computes.
    fn quotient(n: u32, d: Divisor) -> u32 {
        let high = ((u64::from(n) * u64::from(d.magic)) >> 32) as u32;
        (high + ((n - high) >> d.shift)) >> d.then
    }

    #[test]
    fn a_prepared_divisor_divides_exactly() {
        let near = |n: u32| (0..5u32).map(move |i| n.wrapping_add(i).wrapping_sub(2));
        let divisors = (1..200).chain((3..32).flat_map(|bit| near(1 << bit))).chain(near(u32::MAX));
        for by in divisors.filter(|&by| by > 0) {
            let divisor = Divisor::new(by);
            let multiples = [1, 2, 3, 1000, u32::MAX / by].map(|m| by.wrapping_mul(m));
            let numbers = multiples.into_iter().chain([0, 1 << 16, 1 << 31, u32::MAX]);
            for n in numbers.flat_map(near) {
                assert_eq!(quotient(n, divisor), n / by, "{n} / {by}");
            }
        }
    }

    #[test]
    fn uniforms_lie_as_the_shaders_say() {
        for shape in [Shape::channels_last([1, 4, 4, 4]), Shape::channels_first([1, 3, 4, 4])] {
            let geometry = Geometry::new(&Window::new([2, 2]), shape).expect("it is one");
            let program =
                Program::of_indices(&geometry, Operation::TapsToIndices, IndexSpace::Plane);
            let source = &program.source();
            assert_layout!(Divisor, "Divisor", source, [by, magic, shift, then]);
            assert_layout!(
                Params,
                "Params",
                source,
                [
                    by_inner,
                    by_z,
                    by_y,
                    by_x,
                    input,
                    inner,
                    pooled,
                    first,
                    before,
                    threads,
                    blocks,
                    grid_width,
                    first_block,
                    elements,
                    in_base,
                    out_base,
                    taps_base,
                ]
            );
            assert_layout!(
                FrameParams,
                "Frame",
                source,
                [strides, batch_stride, channel_stride, planes]
            );
        }
    }
}
