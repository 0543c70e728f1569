//! Unpooling by arbitrary indices on a device: `shaders/scatter.wgsl`.

use crate::argmax::Overlap;
use crate::element::Element;
use crate::error::{Error, check_limit};
use crate::gpu::Gpu;
use crate::gpu::dispatch::{Argument, Arguments, Uniforms};
use crate::gpu::kernel::uniforms::ScatterParams;
use crate::gpu::kernel::{Binding, Kernel, ScatterPass};
use crate::gpu::operand::Operand;
use crate::gpu::operands;
use crate::gpu::report::IndexReport;
use crate::gpu::step::Step;
use crate::scatter::Scatter;

/// A [`Scatter`] and an [`Element`] on a device: makes [`Step`]s that unpool by arbitrary indices.
///
/// A step keeps a scratch buffer: a word for each cell of the output, and for [`Overlap::Sum`] about
/// three words for each value. Sums of more than 65,536 values to one cell are accumulated over several
/// dispatches.
///
/// # Determinism
///
/// An atomic maximum of element numbers finds the last value of a cell; for sums, values are sorted by cell,
/// stably and without atomics. The bits are those of [`cpu::scatter`](crate::cpu::scatter) on every run and
/// device; for sums of floats the device must round to nearest even; `Gpu::check_sums` checks it.
#[derive(Clone, Debug)]
pub struct Scattering {
    gpu: Gpu,
    scatter: Scatter,
    element: Element,
}

/// `DIGIT_BITS`, `PER_INVOCATION` and `SEGMENT` of `shaders/scatter_sum.wgsl`.
const DIGIT_BITS: u32 = 4;
const PER_INVOCATION: u64 = 16;
const SEGMENT: u64 = 1 << 16;

/// A dispatch of a step.
struct Pass {
    pass: ScatterPass,
    invocations: u64,
    /// The lowest bit of the sort's digit.
    shift: u32,
    /// The segment of each long run that is added.
    segment: u32,
}

/// Words of the scratch buffer of `shaders/scatter_last.wgsl` or `shaders/scatter_sum.wgsl`, for so many
/// `pooled` values and so many `cells`.
fn scratch_words(overlap: Overlap, pooled: u64, cells: u64, tiles: u64) -> u64 {
    let sorting = match overlap {
        Overlap::Last => 0,
        Overlap::Sum => 3 * pooled + (tiles << DIGIT_BITS) + 2 * long_runs(pooled),
    };
    (cells + sorting).max(1)
}

/// The bytes of a scratch buffer of so many words. Refuses a buffer that a binding does not hold, and one whose
/// words a `u32` of the shaders does not count.
fn check_scratch(words: u64, binding_bytes: u64) -> Result<u64, Error> {
    let (bytes, most_words) = (words * 4, u32::MAX.into());
    check_limit("max_storage_buffer_binding_size", bytes, binding_bytes)?;
    if words > most_words {
        return Err(Error::ScratchTooLarge { needed: words, allowed: most_words });
    }
    Ok(bytes)
}

/// The largest number of runs of more than [`SEGMENT`] values among so many values: each contains a multiple of
/// [`SEGMENT`]. It is also the largest number of segments of a run, and 0 where no run can be so long.
fn long_runs(pooled: u64) -> u64 {
    if pooled > SEGMENT { pooled.div_ceil(SEGMENT) } else { 0 }
}

impl Gpu {
    /// Makes an unpooling by arbitrary indices ready on this device. Nothing is compiled yet.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Limit`] if the device cannot run compute shaders.
    pub fn scattering(&self, scatter: &Scatter, element: Element) -> Result<Scattering, Error> {
        self.check_compute()?;
        Ok(Scattering { gpu: self.clone(), scatter: *scatter, element })
    }
}

impl Scattering {
    /// Bytes of a buffer of values, in whole words.
    pub fn values_bytes(&self) -> u64 {
        self.bytes(self.scatter.pooled_len())
    }

    /// Bytes of a buffer of indices: a `u32` for each value.
    pub fn indices_bytes(&self) -> u64 {
        self.scatter.pooled_len() as u64 * 4
    }

    /// Bytes of a buffer of the output, in whole words.
    pub fn output_bytes(&self) -> u64 {
        self.bytes(self.scatter.output_len())
    }

    fn bytes(&self, elements: usize) -> u64 {
        (elements as u64 * self.element.bytes() as u64).next_multiple_of(4)
    }

    /// Unpooling: reads `values` and `indices`, writes every cell of `output`, and an
    /// [`IndexReport`] of the indices that name no cell; their values go nowhere.
    ///
    /// The result is that of [`cpu::scatter`](crate::cpu::scatter), which refuses such an index instead; a sum
    /// of integers saturates.
    ///
    /// # Errors
    ///
    /// - Those of the steps of [`Pooling`](crate::Pooling).
    /// - [`Error::IndexSpaceTooLarge`] if the index space has more indices than a `u32` counts.
    /// - [`Error::Limit`] if a tensor or the scratch buffer passes the device's binding limit, or a grid its
    ///   limit of workgroups.
    /// - [`Error::ScratchTooLarge`] if the scratch buffer has more words than a `u32` counts.
    pub fn scatter<'a, B: Into<Operand<'a>>>(
        &self,
        operands: operands::Scatter<B>,
        overlap: Overlap,
    ) -> Result<Step, Error> {
        let strides = self.scatter.index_strides();
        strides.check_fits::<u32>()?;
        let (pooled, cells) = (self.scatter.pooled_len(), self.scatter.output_len());
        let invocations = u64::from(self.gpu.workgroup_size().max(1));
        let tiles = (pooled as u64).div_ceil(PER_INVOCATION * invocations);
        let scratch_words = scratch_words(overlap, pooled as u64, cells as u64, tiles);
        let binding_bytes = self.gpu.limits().max_storage_buffer_binding_size;
        let scratch_bytes = check_scratch(scratch_words, binding_bytes)?;
        let operands::Scatter { values, indices, output, report } = operands;
        let arguments = [
            Argument::new(Binding::Input, "values", values, self.values_bytes()),
            Argument::new(Binding::Indices, "indices", indices, self.indices_bytes()),
            Argument::new(Binding::Output, "output", output, self.output_bytes()),
            Argument::new(Binding::Report, "report", report, IndexReport::BYTES),
        ];
        let arguments = Arguments::new(&self.gpu, self.gpu.workgroup_size(), &arguments)?;
        arguments.check_bindings()?;
        let passes = self.passes(overlap, tiles * invocations);
        for pass in &passes {
            arguments.limits.check_invocations(pass.invocations)?;
        }

        let label = "unpool scatter".to_owned();
        let usage = wgpu::BufferUsages::STORAGE;
        let scratch = self.gpu.buffer("unpool scatter scratch", usage, scratch_bytes, &[])?;
        let params = self.params();
        let of_pass = |&Pass { invocations, shift, segment, .. }: &Pass| {
            let grid_width = arguments.limits.grid(invocations)[0];
            ScatterParams { grid_width, shift, segment, ..params }
        };
        let params: Vec<_> = passes.iter().map(of_pass).collect();
        let params: Vec<_> = params.iter().map(bytemuck::bytes_of).collect();
        let uniforms = Uniforms::new(&self.gpu, &label, &params)?;
        let dispatches = passes.iter().enumerate().map(|(i, pass)| {
            let kernel = Kernel::of_scatter(&self.scatter, self.element, overlap, pass.pass);
            let workgroups = arguments.limits.grid(pass.invocations);
            arguments.dispatch(kernel, workgroups, |binding| match binding {
                Binding::Params => uniforms.get(i),
                Binding::Scratch => Operand::from(&scratch).binding(&(0..scratch_bytes)),
                _ => arguments.binding(binding, None),
            })
        });
        Ok(Step { label, dispatches: dispatches.collect::<Result<_, _>>()? })
    }

    /// The uniforms that all passes have in common.
    fn params(&self) -> ScatterParams {
        let strides = self.scatter.index_strides();
        let (output, inner) = self.scatter.output_extents();
        let pooled = self.scatter.pooled_shape();
        ScatterParams {
            extents: strides.extents,
            channels: pooled.channels() as u32,
            strides: strides.strides.map(|stride| stride as u32),
            batch: strides.batch,
            output,
            batch_stride: strides.batch_stride as u32,
            channel_stride: strides.channel_stride as u32,
            pooled_stride: pooled.spatial().iter().product::<usize>() as u32 * inner,
            inner,
            planes: strides.planes_per_image,
            pooled: self.scatter.pooled_len() as u32,
            cells: self.scatter.output_len() as u32,
            ..bytemuck::Zeroable::zeroed()
        }
    }

    /// The passes in their order; `tiled` is the invocations of a pass over tiles.
    fn passes(&self, overlap: Overlap, tiled: u64) -> Vec<Pass> {
        let (pooled, cells) = (self.scatter.pooled_len() as u64, self.scatter.output_len() as u64);
        let at = |shift, pass, invocations| Pass { pass, invocations, shift, segment: 0 };
        let mut passes = vec![at(0, ScatterPass::Clear, cells)];
        if cells == 0 {
            // An empty batch has a report too.
            return passes;
        }
        passes.push(at(0, ScatterPass::Locate, pooled));
        let mut shift = 0;
        if overlap == Overlap::Sum {
            // Keys go up to the number of cells, which stands for none.
            while cells >> shift > 0 {
                passes.push(at(shift, ScatterPass::Count, tiled));
                passes.push(at(shift, ScatterPass::Scan, 1));
                passes.push(at(shift, ScatterPass::Reorder, tiled));
                shift += DIGIT_BITS;
            }
            passes.push(at(shift, ScatterPass::MarkRuns, pooled));
            let long = long_runs(pooled);
            passes.extend(
                (0..long as u32)
                    .map(|segment| Pass { segment, ..at(shift, ScatterPass::Accumulate, long) }),
            );
        }
        passes.push(at(0, ScatterPass::CloseReport, 1));
        passes.push(at(shift, ScatterPass::Gather, cells.div_ceil(4)));
        passes
    }
}

#[cfg(test)]
mod tests {
    use super::{DIGIT_BITS, PER_INVOCATION, SEGMENT, check_scratch, scratch_words};
    use crate::gpu::kernel::ScatterPass;
    use crate::gpu::kernel::layout::{constant, scatter_source};
    use crate::{Error, Overlap};

    #[test]
    fn a_sort_has_the_digits_and_runs_of_the_shader() {
        let source = scatter_source(ScatterPass::Count, Overlap::Sum);
        assert_eq!(DIGIT_BITS, constant(&source, "DIGIT_BITS"));
        assert_eq!(1 << DIGIT_BITS, constant(&source, "DIGITS"));
        assert_eq!(PER_INVOCATION, constant(&source, "PER_INVOCATION").into());
        assert_eq!(SEGMENT, constant(&source, "SEGMENT").into());
    }

    #[test]
    fn a_scratch_buffer_past_what_32_bits_count_is_refused() {
        let most = u64::from(u32::MAX);
        assert_eq!(check_scratch(most, u64::MAX), Ok(4 * most));
        let refused = Err(Error::ScratchTooLarge { needed: most + 1, allowed: most });
        assert_eq!(check_scratch(most + 1, u64::MAX), refused);
        assert!(matches!(check_scratch(most + 1, 4 * most), Err(Error::Limit { .. })));
        // A word for each cell, three for each value, 16 counts for each tile, two for each run of
        // 65,536.
        let (values, tiles) = (1 << 31, 1 << 20);
        let words = scratch_words(Overlap::Sum, values, 4096, tiles);
        assert_eq!(words, 4096 + 3 * values + 16 * tiles + 2 * values / 65_536);
        assert_eq!(scratch_words(Overlap::Last, values, 4096, tiles), 4096);
        assert_eq!(scratch_words(Overlap::Sum, 65_536, 1, 32), 1 + 3 * 65_536 + 16 * 32);
    }
}
