//! The grid of a dispatch, within the limits of a device.

use crate::error::{Error, check_limit};

/// The limits of a device for a dispatch, and the size of its workgroups.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) binding_bytes: u64,
    /// Every binding starts at a multiple of this many bytes.
    pub(crate) alignment: u64,
    /// Workgroups in one dimension of a grid.
    pub(crate) workgroups: u32,
    pub(crate) workgroup_size: u32,
}

impl Limits {
    pub(crate) fn new(device: &wgpu::Limits, workgroup_size: u32) -> Self {
        Self {
            binding_bytes: device.max_storage_buffer_binding_size,
            alignment: device.min_storage_buffer_offset_alignment.into(),
            workgroups: device.max_compute_workgroups_per_dimension,
            workgroup_size,
        }
    }

    /// The most invocations of one dispatch, in a grid of two dimensions.
    pub(crate) fn most_invocations(&self) -> u64 {
        u64::from(self.workgroups).pow(2).saturating_mul(self.workgroup_size.into())
    }

    /// Refuses more invocations than one dispatch can have.
    pub(crate) fn check_invocations(&self, invocations: u64) -> Result<(), Error> {
        // The side of the smallest square grid with so many workgroups.
        let workgroups = invocations.div_ceil(self.workgroup_size.into());
        let side = workgroups.isqrt() + u64::from(workgroups.isqrt().pow(2) < workgroups);
        check_limit("max_compute_workgroups_per_dimension", side, self.workgroups.into())
    }

    /// A grid of at least so many invocations, and of few more: its width and height in workgroups.
    pub(crate) fn grid(&self, invocations: u64) -> [u32; 2] {
        let workgroups = invocations.div_ceil(self.workgroup_size.into()).max(1);
        let height = workgroups.div_ceil(self.workgroups.into());
        [workgroups.div_ceil(height) as u32, height as u32]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_invocations_of_the_widest_grid_are_counted_without_overflow() {
        let (binding_bytes, alignment) = (1 << 30, 256);
        for (workgroups, invocations) in [
            (65_535, 65_535 * 65_535 * 128),
            (1 << 28, 1 << 63),
            (1 << 30, u64::MAX),
            (i32::MAX as u32, u64::MAX),
            (u32::MAX, u64::MAX),
        ] {
            let limits = Limits { binding_bytes, alignment, workgroups, workgroup_size: 128 };
            assert_eq!(limits.most_invocations(), invocations, "{workgroups}");
        }
    }
}
