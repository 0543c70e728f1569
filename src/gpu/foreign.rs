//! Unpooling by foreign indices on a device: `shaders/foreign.wgsl`.

use crate::argmax::Overlap;
use crate::element::Element;
use crate::error::Error;
use crate::gpu::Gpu;
use crate::gpu::binder::{Binder, Role};
use crate::gpu::operand::Operand;
use crate::gpu::operation::{ForeignPass, Slot};
use crate::gpu::program::Program;
use crate::gpu::report::IndexReport;
use crate::gpu::step::Step;
use crate::scatter::Scatter;

/// A [`Scatter`] and an [`Element`] on a device: makes [`Step`]s that unpool by indices that no
/// window of ours made.
///
/// A step keeps a scratch buffer: a word for each cell of the output, and for [`Overlap::Sum`] some
/// three words for each value. Sums of more than 65,536 values to one cell are accumulated over several
/// dispatches.
///
/// # Determinism
///
/// The last value of a cell is found by an atomic maximum of element numbers; for sums, values are
/// sorted by cell, stably and without atomics. The same bits on every run and device, and those of
/// [`cpu::scatter`](crate::cpu::scatter); for sums of floats the device must round to nearest even, which
/// `Gpu::check_sums` tells.
#[derive(Clone, Debug)]
pub struct ForeignUnpooling {
    gpu: Gpu,
    placement: Scatter,
    element: Element,
}

/// The uniforms: `Foreign` of `shaders/foreign.wgsl`, field for field.
#[repr(C)]
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
struct Uniforms {
    extents: [u32; 3],
    channels: u32,
    strides: [u32; 3],
    batch: u32,
    output: [u32; 3],
    batch_stride: u32,
    channel_stride: u32,
    pooled_around: u32,
    inner: u32,
    planes: u32,
    pooled: u32,
    cells: u32,
    grid_width: u32,
    shift: u32,
    segment: u32,
    end: [u32; 3],
}

/// `DIGIT_BITS`, `RUN` and `SEGMENT` of `shaders/foreign_sum.wgsl`.
const DIGIT_BITS: u32 = 4;
const RUN: u64 = 16;
const SEGMENT: u64 = 1 << 16;

/// A dispatch of a step: threads, the lowest bit of the digit that a sort has come to, and the segment
/// of long runs that is added.
struct Pass {
    pass: ForeignPass,
    threads: u64,
    shift: u32,
    segment: u32,
}

/// Words of the scratch buffer of an unpooling of so many `pooled` values into so many `cells`: what
/// `shaders/foreign_last.wgsl` and `shaders/foreign_sum.wgsl` keep there.
fn scratch_words(overlap: Overlap, pooled: u64, cells: u64, tiles: u64) -> u64 {
    let sorting = match overlap {
        Overlap::Last => 0,
        Overlap::Sum => 3 * pooled + (tiles << DIGIT_BITS) + 2 * long_runs(pooled),
    };
    (cells + sorting).max(1)
}

/// The bytes of a scratch buffer of so many words, if a binding holds it and the shaders can count its
/// words, which they do in 32 bits.
fn check_scratch(words: u64, binding_bytes: u64) -> Result<u64, Error> {
    let (bytes, most_words) = (words * 4, u32::MAX.into());
    if bytes > binding_bytes {
        let limit = "max_storage_buffer_binding_size";
        return Err(Error::Limit { limit, needed: bytes, allowed: binding_bytes });
    }
    if words > most_words {
        return Err(Error::ScratchTooLarge { needed: words, allowed: most_words });
    }
    Ok(bytes)
}

/// The most runs of more than a segment that so many values have, each of which holds a multiple of
/// the segment's length; and the most segments of one run, where there can be such.
fn long_runs(pooled: u64) -> u64 {
    if pooled > SEGMENT { pooled.div_ceil(SEGMENT) } else { 0 }
}

impl ForeignUnpooling {
    pub(crate) fn new(gpu: Gpu, placement: &Scatter, element: Element) -> Self {
        Self { gpu, placement: *placement, element }
    }

    /// Bytes of a buffer of values, in whole words.
    pub fn values_bytes(&self) -> u64 {
        self.bytes(self.placement.pooled_len())
    }

    /// Bytes of a buffer of indices: a `u32` for each value.
    pub fn indices_bytes(&self) -> u64 {
        self.placement.pooled_len() as u64 * 4
    }

    /// Bytes of a buffer of the output, in whole words.
    pub fn output_bytes(&self) -> u64 {
        self.bytes(self.placement.output_len())
    }

    fn bytes(&self, elements: usize) -> u64 {
        (elements as u64 * self.element.bytes() as u64).next_multiple_of(4)
    }

    /// Unpooling: reads `values` and `indices`, writes every cell of `output`, and an
    /// [`IndexReport`] of the indices that name no cell; their values go nowhere.
    ///
    /// As [`cpu::scatter`](crate::cpu::scatter), which refuses such an index instead; a sum of integers saturates.
    ///
    /// # Errors
    ///
    /// As the steps of [`Pooling`](crate::Pooling); and if the index space has more indices than a
    /// `u32` counts, a tensor or the scratch buffer passes the device's binding limit, the scratch buffer
    /// has more words than a `u32` counts, or a grid passes the device's limit of workgroups.
    pub fn max_unpool<'a>(
        &self,
        values: impl Into<Operand<'a>>,
        indices: impl Into<Operand<'a>>,
        output: impl Into<Operand<'a>>,
        report: impl Into<Operand<'a>>,
        overlap: Overlap,
    ) -> Result<Step, Error> {
        let frame = self.placement.index_strides();
        frame.check_fits::<u32>()?;
        let (pooled, cells) = (self.placement.pooled_len(), self.placement.output_len());
        let threads = u64::from(self.gpu.workgroup_size().max(1));
        let tiles = (pooled as u64).div_ceil(RUN * threads);
        let scratch_words = scratch_words(overlap, pooled as u64, cells as u64, tiles);
        let binding_bytes = self.gpu.limits().max_storage_buffer_binding_size;
        let scratch_bytes = check_scratch(scratch_words, binding_bytes)?;
        let roles = [
            Role::new(Slot::In, "values", values, self.values_bytes()),
            Role::new(Slot::Indices, "indices", indices, self.indices_bytes()),
            Role::new(Slot::Out, "output", output, self.output_bytes()),
            Role::new(Slot::Report, "report", report, IndexReport::BYTES),
        ];
        let binder = Binder::new(&self.gpu, self.gpu.workgroup_size(), &roles)?;
        binder.check_bindings()?;
        let label = "unpool foreign".to_owned();

        let (extents, inner) = self.placement.output_extents();
        let passes = self.passes(overlap, tiles * threads);
        for pass in &passes {
            binder.allowed.check_grid(pass.threads)?;
        }
        let usage = wgpu::BufferUsages::STORAGE;
        let scratch = self.gpu.buffer("unpool foreign scratch", usage, scratch_bytes, &[])?;
        let uniforms = Uniforms {
            extents: frame.extents,
            channels: self.placement.pooled_shape().channels() as u32,
            strides: frame.strides.map(|s| s as u32),
            batch: frame.batch,
            output: extents,
            batch_stride: frame.batch_stride as u32,
            channel_stride: frame.channel_stride as u32,
            pooled_around: self.placement.pooled_shape().spatial().iter().product::<usize>() as u32
                * inner,
            inner,
            planes: frame.planes_per_image,
            pooled: pooled as u32,
            cells: cells as u32,
            grid_width: 0,
            shift: 0,
            segment: 0,
            end: [0; 3],
        };
        // One buffer, with the uniforms of each pass.
        let stride = size_of::<Uniforms>()
            .next_multiple_of(self.gpu.limits().min_uniform_buffer_offset_alignment as usize);
        let mut bytes = vec![0; stride * passes.len()];
        for (pass, bytes) in passes.iter().zip(bytes.chunks_mut(stride)) {
            let grid_width = binder.allowed.grid(pass.threads)[0];
            let Pass { shift, segment, .. } = *pass;
            let of_pass = Uniforms { grid_width, shift, segment, ..uniforms };
            bytes[..size_of::<Uniforms>()].copy_from_slice(bytemuck::bytes_of(&of_pass));
        }
        let usage = wgpu::BufferUsages::UNIFORM;
        let uniforms = self.gpu.buffer(&label, usage, bytes.len() as u64, &bytes)?;
        let dispatches = passes.iter().enumerate().map(|(i, pass)| {
            let program = Program::foreign(&self.placement, self.element, overlap, pass.pass);
            let workgroups = binder.allowed.grid(pass.threads);
            let own = (i * stride) as u64..(i * stride + size_of::<Uniforms>()) as u64;
            binder.dispatch(&program, workgroups, |slot| match slot {
                Slot::Foreign => Operand::from(&uniforms).binding(&own),
                Slot::Scratch => Operand::from(&scratch).binding(&(0..scratch_bytes)),
                _ => binder.binding(slot, None),
            })
        });
        Ok(Step { label, dispatches: dispatches.collect::<Result<_, _>>()? })
    }

    /// The passes in their order; `tiled` is the threads of a pass over tiles.
    fn passes(&self, overlap: Overlap, tiled: u64) -> Vec<Pass> {
        let (pooled, cells) =
            (self.placement.pooled_len() as u64, self.placement.output_len() as u64);
        let at = |shift, pass, threads| Pass { pass, threads, shift, segment: 0 };
        let mut passes = vec![at(0, ForeignPass::Clear, cells)];
        if cells == 0 {
            // An empty batch has a report too.
            return passes;
        }
        passes.push(at(0, ForeignPass::Place, pooled));
        let mut shift = 0;
        if overlap == Overlap::Sum {
            // Keys go up to the number of cells, which stands for none.
            while cells >> shift > 0 {
                passes.push(at(shift, ForeignPass::Count, tiled));
                passes.push(at(shift, ForeignPass::Scan, 1));
                passes.push(at(shift, ForeignPass::Move, tiled));
                shift += DIGIT_BITS;
            }
            passes.push(at(shift, ForeignPass::Mark, pooled));
            let long = long_runs(pooled);
            passes.extend(
                (0..long as u32)
                    .map(|segment| Pass { segment, ..at(shift, ForeignPass::Accumulate, long) }),
            );
        }
        passes.push(at(0, ForeignPass::Close, 1));
        passes.push(at(shift, ForeignPass::Gather, cells.div_ceil(4)));
        passes
    }
}

#[cfg(test)]
mod tests {
    use super::{DIGIT_BITS, RUN, SEGMENT, Scatter, Uniforms, check_scratch, scratch_words};
    use crate::gpu::IndexReport;
    use crate::gpu::layout::{assert_layout, constant};
    use crate::gpu::operation::ForeignPass;
    use crate::gpu::program::Program;
    use crate::{Element, IndexSpace, Shape};
    use crate::{Error, Overlap};

    #[test]
    fn a_sort_has_the_digits_and_runs_of_the_shader() {
        let shape = Shape::channels_first([1, 1, 2]);
        let placement = Scatter::new(shape, shape, IndexSpace::Plane).expect("it is one");
        let pass = ForeignPass::Count;
        let source = Program::foreign(&placement, Element::F32, Overlap::Sum, pass).source();
        assert_eq!(DIGIT_BITS, constant(&source, "DIGIT_BITS"));
        assert_eq!(1 << DIGIT_BITS, constant(&source, "DIGITS"));
        assert_eq!(RUN, constant(&source, "RUN").into());
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

    #[test]
    fn uniforms_and_report_lie_as_the_shader_says() {
        let shape = Shape::channels_first([1, 1, 2]);
        let placement = Scatter::new(shape, shape, IndexSpace::Plane).expect("it is one");
        let pass = ForeignPass::Place;
        let program = Program::foreign(&placement, Element::F32, Overlap::Last, pass);
        let source = &program.source();
        assert_layout!(
            Uniforms,
            "Foreign",
            source,
            [
                extents,
                channels,
                strides,
                batch,
                output,
                batch_stride,
                channel_stride,
                pooled_around,
                inner,
                planes,
                pooled,
                cells,
                grid_width,
                shift,
                segment,
            ]
        );
        let (members, span) = crate::gpu::layout::members(source, "Report");
        let offsets: Vec<usize> = members.iter().map(|member| member.1).collect();
        let ours = [
            std::mem::offset_of!(IndexReport, wrong),
            std::mem::offset_of!(IndexReport, element),
            std::mem::offset_of!(IndexReport, index),
        ];
        assert_eq!((&offsets[..], span), (&ours[..], size_of::<IndexReport>()));
    }
}
