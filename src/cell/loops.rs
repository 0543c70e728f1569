//! The operations on the CPU, on slices of an element type.

use crate::argmax::{Overlap, Taps};
use crate::geometry::Geometry;

/// The operations on the CPU, as functions of one element type each, which are compiled with this crate; as
/// generic functions they would be compiled again in every crate that calls them, in minutes. Lengths and
/// the width of taps are those of the geometry.
///
/// A supertrait of [`Cell`](super::Cell) in a private module, which keeps these functions out of the
/// public interface.
pub trait Loops: Sized {
    /// [`cpu::max_pool_into`](crate::cpu::max_pool_into).
    fn max_pool(geometry: &Geometry, input: &[Self], values: &mut [Self], taps: &mut Taps);

    /// [`cpu::max_pool_values_into`](crate::cpu::max_pool_values_into).
    fn max_pool_values(geometry: &Geometry, input: &[Self], values: &mut [Self]);

    /// [`cpu::max_unpool_into`](crate::cpu::max_unpool_into). Returns `false` if a sum does not fit, or nothing was
    /// unpooled.
    fn max_unpool(
        geometry: &Geometry,
        values: &[Self],
        taps: &Taps,
        overlap: Overlap,
        output: &mut [Self],
    ) -> bool;

    /// [`cpu::max_unpool_backward_into`](crate::cpu::max_unpool_backward_into).
    fn max_unpool_backward(
        geometry: &Geometry,
        grad_output: &[Self],
        taps: &Taps,
        grad_input: &mut [Self],
    );
}
