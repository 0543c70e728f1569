//! One operation, checked and bound to buffers.

/// One operation bound to its buffers, ready to be recorded as often as you like.
///
/// A step exists only if it is valid, so recording cannot fail. It keeps its buffers alive, and
/// holds no other state: what it computes depends on nothing but the buffers' contents when the
/// commands run.
#[derive(Clone, Debug)]
pub struct Step {
    pub(crate) label: String,
    pub(crate) dispatches: Vec<Dispatch>,
}

#[derive(Clone, Debug)]
pub(crate) struct Dispatch {
    pub(crate) pipeline: wgpu::ComputePipeline,
    pub(crate) bind_group: wgpu::BindGroup,
    pub(crate) workgroups: [u32; 2],
}

impl Step {
    /// Records the operation into a compute pass: one dispatch, or a few for a tensor that passes
    /// the device's binding limit. Sets pipeline and bind group 0; submits, allocates and waits for
    /// nothing. Steps recorded one after another see each other's results.
    pub fn record(&self, pass: &mut wgpu::ComputePass<'_>) {
        for dispatch in &self.dispatches {
            pass.set_pipeline(&dispatch.pipeline);
            pass.set_bind_group(0, &dispatch.bind_group, &[]);
            pass.dispatch_workgroups(dispatch.workgroups[0], dispatch.workgroups[1], 1);
        }
    }

    /// Records the operation into a compute pass of its own, labelled as the step, with timestamps
    /// around it if given.
    pub fn record_pass(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        timestamp_writes: Option<wgpu::ComputePassTimestampWrites<'_>>,
    ) {
        let descriptor = wgpu::ComputePassDescriptor { label: Some(&self.label), timestamp_writes };
        self.record(&mut encoder.begin_compute_pass(&descriptor));
    }

    /// The label of the step's objects, such as `unpool max_pool`.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Dispatches that recording makes: 1, more for a tensor that was cut, 0 for an empty batch.
    pub fn dispatches(&self) -> usize {
        self.dispatches.len()
    }
}
