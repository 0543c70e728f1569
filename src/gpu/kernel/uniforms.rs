//! The uniforms of the kernels, field for field as the shaders declare them.

use crate::argmax::IndexStrides as Strides;

/// The uniforms of one dispatch of a kernel on windows: `Params` of `shaders/prelude/tensor.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
pub(crate) struct Params {
    pub(crate) input: [u32; 3],
    pub(crate) inner: u32,
    pub(crate) pooled: [u32; 3],
    pub(crate) first_item: u32,
    pub(crate) pad_before: [u32; 3],
    pub(crate) items: u32,
    pub(crate) extents: [u32; 3],
    pub(crate) grid_width: u32,
    pub(crate) first_block: [u32; 3],
    pub(crate) elements: u32,
    pub(crate) input_base: u32,
    pub(crate) output_base: u32,
    pub(crate) taps_base: u32,
    pub(crate) row_elements: u32,
    pub(crate) inverses: [f32; 4],
}

/// Rows, and elements of a row, up to which shaders find quotients in `f32`.
pub(crate) const FEW: u64 = 1 << 20;

/// The inverse by which a shader multiplies in place of a division: `quotient` of
/// `shaders/max_unpool_flat.wgsl`.
///
/// It is 1.5 · 2^-22 of itself too large, give or take 2^-24 for its own rounding. A device converts a number to
/// `f32`, which is exact below 2^24 and else at most 2^-23 of it too small or too large, and multiplies, with as
/// much of an error, however it rounds. So the product is never below the quotient. Of a number below 2^20 it is
/// less than 1 / divisor above it, and its whole part is the whole part of the quotient. Of a larger number whose
/// quotient is below 2^20 it is less than 1 above it, and its whole part at most one too large.
pub(crate) fn inverse(divisor: u64) -> f32 {
    ((1.0 + 1.5 / f64::from(1 << 22)) / divisor as f64) as f32
}

/// The strides of an index space: `IndexStrides` of `shaders/indices.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
pub(crate) struct IndexStrides {
    pub(crate) spatial: [u32; 3],
    pub(crate) batch: u32,
    pub(crate) channel: u32,
    pub(crate) planes: u32,
    pub(crate) end: [u32; 2],
}

impl IndexStrides {
    /// The strides of a space whose indices fit a `u32`.
    pub(crate) fn new(strides: &Strides) -> Self {
        Self {
            spatial: strides.strides.map(|s| s as u32),
            batch: strides.batch_stride as u32,
            channel: strides.channel_stride as u32,
            planes: strides.planes_per_image,
            end: [0; 2],
        }
    }
}

/// The uniforms of one pass of unpooling by arbitrary indices: `ScatterParams` of `shaders/scatter.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
pub(crate) struct ScatterParams {
    pub(crate) extents: [u32; 3],
    pub(crate) channels: u32,
    pub(crate) strides: [u32; 3],
    pub(crate) batch: u32,
    pub(crate) output: [u32; 3],
    pub(crate) batch_stride: u32,
    pub(crate) channel_stride: u32,
    pub(crate) pooled_stride: u32,
    pub(crate) inner: u32,
    pub(crate) planes: u32,
    pub(crate) pooled: u32,
    pub(crate) cells: u32,
    pub(crate) grid_width: u32,
    pub(crate) shift: u32,
    pub(crate) segment: u32,
    pub(crate) end: [u32; 3],
}

#[cfg(test)]
mod tests {
    use super::{FEW, IndexStrides, Params, ScatterParams, inverse};
    use crate::argmax::Overlap;
    use crate::gpu::IndexReport;
    use crate::gpu::kernel::layout::{assert_layout, members, roundings, scatter_source};
    use crate::gpu::kernel::{Kernel, Operation, ScatterPass};
    use crate::{Geometry, IndexSpace, Shape, Window};

    #[test]
    fn products_with_an_inverse_are_quotients_however_they_are_rounded() {
        let check = |number: u64, divisor: u64| {
            let quotient = number / divisor;
            if number > u32::MAX.into() || quotient >= FEW {
                return;
            }
            let excess = if number < FEW { 0 } else { 1 };
            // A device may round to either.
            for float in roundings(number as f64) {
                for product in roundings(f64::from(float) * f64::from(inverse(divisor))) {
                    let found = product as u64;
                    assert!(
                        (quotient..=quotient + excess).contains(&found),
                        "{number} / {divisor} is {found}"
                    );
                }
            }
        };
        for divisor in (1..300).chain((300..FEW).step_by(4_999)).chain([FEW - 1]) {
            let most = u64::from(u32::MAX) / divisor;
            let all = (0..64).map(|i| most * i / 63).chain((0..64).map(|i| FEW / divisor * i / 63));
            for quotient in all.chain((0..33).map(|power| 1 << power)) {
                for number in (quotient * divisor).saturating_sub(2)..quotient * divisor + 3 {
                    check(number, divisor);
                }
            }
        }
    }

    #[test]
    fn uniforms_and_report_lie_as_the_shaders_say() {
        for shape in [Shape::channels_last([1, 4, 4, 4]), Shape::channels_first([1, 3, 4, 4])] {
            let geometry = Geometry::new(&Window::new([2, 2]), shape).expect("it is one");
            let kernel = Kernel::of_indices(&geometry, Operation::TapsToIndices, IndexSpace::Plane);
            let source = &kernel.source(64);
            assert_layout! { Params, "Params", source, [
                input, inner, pooled, first_item, pad_before, items, extents, grid_width,
                first_block, elements, input_base, output_base, taps_base, row_elements,
                inverses
            ] };
            assert_layout! { IndexStrides, "IndexStrides", source, [
                spatial, batch, channel, planes
            ] };
        }
        let source = &scatter_source(ScatterPass::Locate, Overlap::Last);
        assert_layout! { ScatterParams, "ScatterParams", source, [
            extents, channels, strides, batch, output, batch_stride, channel_stride,
            pooled_stride, inner, planes, pooled, cells, grid_width, shift, segment
        ] };
        let (members, span) = members(source, "Report");
        let offsets: Vec<usize> = members.iter().map(|member| member.1).collect();
        assert_eq!((offsets, span), (vec![0, 4, 8], size_of::<IndexReport>()));
    }
}
