//! The operations on slices: upload, one submission, and a wait for the results.

use crate::argmax::{Index, Overlap, Pooled, Taps};
use crate::cell::Cell;
use crate::element::Element;
use crate::error::{Error, check_len};
use crate::geometry::Geometry;
use crate::gpu::operands::{self, MaxPool, MaxPoolValues, MaxUnpool, MaxUnpoolBackward};
use crate::gpu::{Gpu, IndexReport, Step};
use crate::scatter::Scatter;

/// The usages of a tensor's buffer.
const TENSOR: wgpu::BufferUsages = wgpu::BufferUsages::STORAGE.union(wgpu::BufferUsages::COPY_SRC);

impl Gpu {
    pub(crate) fn max_pool_slice<T: Cell>(
        &self,
        geometry: &Geometry,
        input: &[T],
    ) -> Result<Pooled<T>, Error> {
        check_len("input", input.len(), geometry.input_len())?;
        let pooling = self.pooling(geometry, T::ELEMENT)?;
        let input = self.upload("input", input)?;
        let values = self.storage("values", pooling.values_bytes())?;
        let taps = self.storage("taps", pooling.taps_bytes())?;
        self.run(&pooling.max_pool(MaxPool { input: &input, values: &values, taps: &taps })?)?;
        let (values, taps) = (self.read(&values)?, self.read(&taps)?);
        let values = first(values.wait()?, geometry.pooled_len());
        Ok(Pooled { values, taps: Taps::from_bytes(geometry, &taps.wait()?)? })
    }

    pub(crate) fn max_pool_values_slice<T: Cell>(
        &self,
        geometry: &Geometry,
        input: &[T],
    ) -> Result<Vec<T>, Error> {
        check_len("input", input.len(), geometry.input_len())?;
        let pooling = self.pooling(geometry, T::ELEMENT)?;
        let input = self.upload("input", input)?;
        let values = self.storage("values", pooling.values_bytes())?;
        self.run(&pooling.max_pool_values(MaxPoolValues { input: &input, values: &values })?)?;
        Ok(first(self.read(&values)?.wait()?, geometry.pooled_len()))
    }

    /// Unpools `values`, which messages call `operand`.
    pub(crate) fn max_unpool_slices<T: Cell>(
        &self,
        geometry: &Geometry,
        (operand, values): (&'static str, &[T]),
        taps: &Taps,
        overlap: Overlap,
    ) -> Result<Vec<T>, Error> {
        check_len(operand, values.len(), geometry.pooled_len())?;
        taps.check(geometry)?;
        if geometry.windows_overlap() {
            self.check_sums_of::<T>(overlap)?;
        }
        self.unpool_unchecked(geometry, values, taps, overlap)
    }

    /// Checks the device's rounding if floats are summed.
    fn check_sums_of<T: Cell>(&self, overlap: Overlap) -> Result<(), Error> {
        let is_float = matches!(T::ELEMENT, Element::F32 | Element::F16 | Element::BF16);
        if is_float && overlap == Overlap::Sum { self.check_sums() } else { Ok(()) }
    }

    /// Unpools slices of the right lengths, however the device rounds.
    pub(crate) fn unpool_unchecked<T: Cell>(
        &self,
        geometry: &Geometry,
        values: &[T],
        taps: &Taps,
        overlap: Overlap,
    ) -> Result<Vec<T>, Error> {
        let pooling = self.pooling(geometry, T::ELEMENT)?;
        let values = self.upload("values", values)?;
        let taps = self.upload("taps", taps.as_bytes())?;
        let output = self.storage("output", pooling.input_bytes())?;
        let operands = MaxUnpool { values: &values, taps: &taps, output: &output };
        self.run(&pooling.max_unpool(operands, overlap)?)?;
        Ok(first(self.read(&output)?.wait()?, geometry.input_len()))
    }

    pub(crate) fn max_unpool_backward_slices<T: Cell>(
        &self,
        geometry: &Geometry,
        grad_output: &[T],
        taps: &Taps,
    ) -> Result<Vec<T>, Error> {
        check_len("grad_output", grad_output.len(), geometry.input_len())?;
        taps.check(geometry)?;
        let pooling = self.pooling(geometry, T::ELEMENT)?;
        let grad_output = self.upload("grad_output", grad_output)?;
        let taps = self.upload("taps", taps.as_bytes())?;
        let grad_input = self.storage("grad_input", pooling.values_bytes())?;
        let operands =
            MaxUnpoolBackward { grad_output: &grad_output, taps: &taps, grad_input: &grad_input };
        self.run(&pooling.max_unpool_backward(operands)?)?;
        Ok(first(self.read(&grad_input)?.wait()?, geometry.pooled_len()))
    }

    pub(crate) fn scatter_slices<T: Cell, I: Index>(
        &self,
        scatter: &Scatter,
        values: &[T],
        indices: &[I],
        overlap: Overlap,
    ) -> Result<Vec<T>, Error> {
        check_len("values", values.len(), scatter.pooled_len())?;
        let indices = scatter.narrowed(indices)?;
        self.check_sums_of::<T>(overlap)?;
        let scattering = self.scattering(scatter, T::ELEMENT)?;
        let values = self.upload("values", values)?;
        let indices = self.upload("indices", &indices)?;
        let output = self.storage("output", scattering.output_bytes())?;
        let report = self.storage("report", IndexReport::BYTES)?;
        let (values, indices, output, report) = (&values, &indices, &output, &report);
        let operands = operands::Scatter { values, indices, output, report };
        self.run(&scattering.scatter(operands, overlap)?)?;
        Ok(first(self.read(output)?.wait()?, scatter.output_len()))
    }

    fn run(&self, step: &Step) -> Result<(), Error> {
        self.scoped(|| {
            let descriptor = wgpu::CommandEncoderDescriptor { label: Some(step.label()) };
            let mut encoder = self.device().create_command_encoder(&descriptor);
            step.record_pass(&mut encoder, None);
            self.queue().submit([encoder.finish()]);
        })
    }

    fn upload<T: bytemuck::Pod>(&self, label: &str, elements: &[T]) -> Result<wgpu::Buffer, Error> {
        let bytes: &[u8] = bytemuck::cast_slice(elements);
        self.buffer(label, TENSOR, bytes.len() as u64, bytes)
    }

    fn storage(&self, label: &str, size: u64) -> Result<wgpu::Buffer, Error> {
        self.buffer(label, TENSOR, size, &[])
    }
}

/// The first `len` elements of a buffer, whose size is rounded up to whole words.
fn first<T>(mut elements: Vec<T>, len: usize) -> Vec<T> {
    elements.truncate(len);
    elements
}
