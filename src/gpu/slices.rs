//! The operations on slices: upload, one submission, and the readback of its results.

use crate::argmax::Index;
use crate::argmax::{Overlap, Pooled, Taps, check_len};
use crate::cell::Cell;
use crate::element::Element;
use crate::error::Error;
use crate::geometry::Geometry;
use crate::gpu::operands::{self, MaxPool, MaxPoolValues, MaxUnpool, MaxUnpoolBackward};
use crate::gpu::{Gpu, IndexReport, Readback, Step};
use crate::scatter::Scatter;

/// The usages of a tensor's buffer.
const TENSOR: wgpu::BufferUsages = wgpu::BufferUsages::STORAGE.union(wgpu::BufferUsages::COPY_SRC);

/// The readbacks of a pooling's values and taps.
pub(crate) struct PooledReadback<T> {
    pub(crate) values: Readback<T>,
    pub(crate) taps: Readback<u8>,
}

impl<T: Cell> PooledReadback<T> {
    /// The values and taps that were read.
    pub(crate) fn finish(
        geometry: &Geometry,
        mut values: Vec<T>,
        taps: &[u8],
    ) -> Result<Pooled<T>, Error> {
        values.truncate(geometry.pooled_len());
        Ok(Pooled { values, taps: Taps::from_bytes(geometry, taps)? })
    }
}

impl Gpu {
    pub(crate) fn start_max_pool<T: Cell>(
        &self,
        geometry: &Geometry,
        input: &[T],
    ) -> Result<PooledReadback<T>, Error> {
        check_len("input", input.len(), geometry.input_len())?;
        let pooling = self.pooling(geometry, T::ELEMENT)?;
        let input = self.upload("input", bytemuck::cast_slice(input))?;
        let values = self.storage("values", pooling.values_bytes())?;
        let taps = self.storage("taps", pooling.taps_bytes())?;
        self.run(&pooling.max_pool(MaxPool { input: &input, values: &values, taps: &taps })?)?;
        Ok(PooledReadback { values: self.read(&values)?, taps: self.read(&taps)? })
    }

    pub(crate) fn start_max_pool_values<T: Cell>(
        &self,
        geometry: &Geometry,
        input: &[T],
    ) -> Result<Readback<T>, Error> {
        check_len("input", input.len(), geometry.input_len())?;
        let pooling = self.pooling(geometry, T::ELEMENT)?;
        let input = self.upload("input", bytemuck::cast_slice(input))?;
        let values = self.storage("values", pooling.values_bytes())?;
        self.run(&pooling.max_pool_values(MaxPoolValues { input: &input, values: &values })?)?;
        self.read(&values)
    }

    pub(crate) fn start_max_unpool<T: Cell>(
        &self,
        geometry: &Geometry,
        values: &[T],
        taps: &Taps,
        overlap: Overlap,
    ) -> Result<Readback<T>, Error> {
        check_len("values", values.len(), geometry.pooled_len())?;
        taps.check(geometry)?;
        if geometry.windows_overlap() {
            self.check_sums_of::<T>(overlap)?;
        }
        self.unpool_slices(geometry, values, taps, overlap)
    }

    /// Checks the device's rounding where it matters.
    fn check_sums_of<T: Cell>(&self, overlap: Overlap) -> Result<(), Error> {
        let is_float = matches!(T::ELEMENT, Element::F32 | Element::F16 | Element::BF16);
        if is_float && overlap == Overlap::Sum { self.check_sums() } else { Ok(()) }
    }

    /// Unpools slices of the right lengths.
    pub(crate) fn unpool_slices<T: Cell>(
        &self,
        geometry: &Geometry,
        values: &[T],
        taps: &Taps,
        overlap: Overlap,
    ) -> Result<Readback<T>, Error> {
        let pooling = self.pooling(geometry, T::ELEMENT)?;
        let values = self.upload("values", bytemuck::cast_slice(values))?;
        let taps = self.upload("taps", taps.as_bytes())?;
        let output = self.storage("output", pooling.input_bytes())?;
        let operands = MaxUnpool { values: &values, taps: &taps, output: &output };
        self.run(&pooling.max_unpool(operands, overlap)?)?;
        self.read(&output)
    }

    pub(crate) fn start_max_pool_backward<T: Cell>(
        &self,
        geometry: &Geometry,
        grad_output: &[T],
        taps: &Taps,
    ) -> Result<Readback<T>, Error> {
        check_len("grad_output", grad_output.len(), geometry.pooled_len())?;
        self.start_max_unpool(geometry, grad_output, taps, Overlap::Sum)
    }

    pub(crate) fn start_max_unpool_backward<T: Cell>(
        &self,
        geometry: &Geometry,
        grad_output: &[T],
        taps: &Taps,
    ) -> Result<Readback<T>, Error> {
        check_len("grad_output", grad_output.len(), geometry.input_len())?;
        taps.check(geometry)?;
        let pooling = self.pooling(geometry, T::ELEMENT)?;
        let grad_output = self.upload("grad_output", bytemuck::cast_slice(grad_output))?;
        let taps = self.upload("taps", taps.as_bytes())?;
        let grad_input = self.storage("grad_input", pooling.values_bytes())?;
        let operands =
            MaxUnpoolBackward { grad_output: &grad_output, taps: &taps, grad_input: &grad_input };
        self.run(&pooling.max_unpool_backward(operands)?)?;
        self.read(&grad_input)
    }

    pub(crate) fn start_scatter<T: Cell, I: Index>(
        &self,
        scatter: &Scatter,
        values: &[T],
        indices: &[I],
        overlap: Overlap,
    ) -> Result<Readback<T>, Error> {
        check_len("values", values.len(), scatter.pooled_len())?;
        let indices = scatter.narrowed(indices)?;
        self.check_sums_of::<T>(overlap)?;
        let scattering = self.scattering(scatter, T::ELEMENT)?;
        let values = self.upload("values", bytemuck::cast_slice(values))?;
        let indices = self.upload("indices", bytemuck::cast_slice(&indices))?;
        let output = self.storage("output", scattering.output_bytes())?;
        let report = self.storage("report", IndexReport::BYTES)?;
        let operands = operands::Scatter {
            values: &values,
            indices: &indices,
            output: &output,
            report: &report,
        };
        self.run(&scattering.scatter(operands, overlap)?)?;
        self.read(&output)
    }

    fn run(&self, step: &Step) -> Result<(), Error> {
        self.scoped(|| {
            let mut encoder =
                self.device().create_command_encoder(&wgpu::CommandEncoderDescriptor {
                    label: Some(step.label()),
                });
            step.record_pass(&mut encoder, None);
            self.queue().submit([encoder.finish()]);
        })
    }

    fn upload(&self, label: &str, bytes: &[u8]) -> Result<wgpu::Buffer, Error> {
        self.buffer(label, TENSOR, bytes.len() as u64, bytes)
    }

    fn storage(&self, label: &str, size: u64) -> Result<wgpu::Buffer, Error> {
        self.buffer(label, TENSOR, size, &[])
    }
}
