//! Tiles: windows that lie side by side without gaps.

use super::simd::LANES;
use crate::geometry::Geometry;

/// Windows of a row that are adjacent, so that each cell is in one.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Tiles {
    /// Of two to four cells of one element.
    SingleElements,
    /// Of cells of at least [`LANES`] elements.
    Channels,
}

impl Tiles {
    /// The tiles that the windows of a row are, if they are.
    pub(super) fn of(geometry: &Geometry) -> Option<Self> {
        let x = &geometry.axes[2];
        match (geometry.inner as usize, x.kernel) {
            _ if x.kernel != x.stride || x.dilation != 1 => None,
            (1, 2..=4) => Some(Self::SingleElements),
            (LANES.., _) => Some(Self::Channels),
            _ => None,
        }
    }
}
