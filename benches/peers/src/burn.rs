//! Burn's side: its wgpu backend, on a device that it makes for itself.

use anyhow::{Context, Result};
use burn_backend::ops::{FloatTensorOps, IntTensorOps, MaxPool2dWithIndices, ModuleOps};
use burn_backend::tensor::FloatTensor;
use burn_backend::{Backend, IntDType, TensorData};
use burn_wgpu::graphics::AutoGraphicsApi;
use burn_wgpu::{RuntimeOptions, Wgpu, WgpuBackend, WgpuDevice, try_init_setup};
use cubecl_wgpu::WgpuDeviceKind;
use unpool::{Layout, Padding, wgpu};
use unpool_bench::Case;

/// As in `Cargo.toml`; nothing tells it at run time.
pub(crate) const VERSION: &str = "Burn 0.22.1";

type Device = burn_backend::cubecl::Device;

/// Burn on an adapter.
pub(crate) struct Burn {
    device: Device,
    info: wgpu::AdapterInfo,
}

impl Burn {
    /// Burn's own device on the adapter that unpool has.
    pub(crate) fn on(wanted: &wgpu::AdapterInfo) -> Result<Self> {
        let mut found = Vec::new();
        for nth in 0.. {
            let Some(device) = nth_like(wanted, nth)? else { break };
            let Ok(setup) = try_init_setup::<AutoGraphicsApi>(&device, RuntimeOptions::default())
            else {
                break;
            };
            let info = setup.adapter.get_info();
            if describe(&info) == describe(wanted) {
                return Ok(Self { device: device.into(), info });
            }
            found.push(describe(&info));
        }
        anyhow::bail!("unpool is on {}, Burn finds only {found:?}", describe(wanted))
    }

    /// Backend, name and driver.
    pub(crate) fn description(&self) -> String {
        describe(&self.info)
    }

    /// The tensors of a case, whose numbers are in the case's memory order.
    pub(crate) fn operands(&self, case: &Case, input: &[f32], grad: &[f32]) -> Result<Operands> {
        let window = case.geometry.window();
        let padding = match window.padding() {
            Padding::Valid => [0; 2],
            Padding::Explicit(pads) if pads.as_slice().iter().all(|(before, after)| before == after) => {
                [pads[0].0, pads[1].0]
            }
            other => anyhow::bail!("Burn has no padding {other:?}"),
        };
        let pair = |sizes: &[usize]| -> Result<[usize; 2]> { Ok(sizes.try_into()?) };
        let layout = case.geometry.input_shape().layout();
        let tensor = |numbers: &[f32], dims: &[usize]| {
            let data = TensorData::new(numbers.to_vec(), dims.to_vec());
            as_nchw(layout, Wgpu::float_from_data(data, &self.device))
        };
        Ok(Operands {
            input: tensor(input, case.geometry.input_shape().dims()),
            grad: tensor(grad, case.geometry.pooled_shape().dims()),
            device: self.device.clone(),
            layout,
            kernel: pair(window.kernel().as_slice())?,
            stride: pair(window.stride().as_slice())?,
            dilation: pair(window.dilation().as_slice())?,
            padding,
        })
    }
}

/// Operands and window of a case. Burn's shapes are `[batch, channels, height, width]`; channels
/// that are last in memory are so by strides, and need no copy before Burn's kernels.
pub(crate) struct Operands {
    device: Device,
    layout: Layout,
    input: FloatTensor<Wgpu>,
    grad: FloatTensor<Wgpu>,
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    padding: [usize; 2],
}

impl Operands {
    /// Values and 32-bit indices, which are what Burn takes by default.
    pub(crate) fn pool(&self) -> MaxPool2dWithIndices<Wgpu> {
        let Self { input, kernel, stride, padding, dilation, .. } = self;
        let input = input.clone();
        let indices = IntDType::I32;
        Wgpu::max_pool2d_with_indices(input, *kernel, *stride, *padding, *dilation, false, indices)
    }

    /// The gradient of the input.
    pub(crate) fn backward(&self, pooled: &MaxPool2dWithIndices<Wgpu>) -> FloatTensor<Wgpu> {
        let (input, grad, indices) =
            (self.input.clone(), self.grad.clone(), pooled.indices.clone());
        let Self { kernel, stride, padding, dilation, .. } = *self;
        Wgpu::max_pool2d_with_indices_backward(
            input, kernel, stride, padding, dilation, false, grad, indices,
        )
        .x_grad
    }

    pub(crate) fn pool_and_sync(&self) {
        let pooled = self.pool();
        self.sync();
        drop(pooled);
    }

    pub(crate) fn backward_and_sync(&self, pooled: &MaxPool2dWithIndices<Wgpu>) {
        let gradient = self.backward(pooled);
        self.sync();
        drop(gradient);
    }

    /// Values and indices in the case's memory order.
    pub(crate) fn read(&self, pooled: &MaxPool2dWithIndices<Wgpu>) -> Result<(Vec<f32>, Vec<i32>)> {
        let mut indices = pooled.indices.clone();
        if self.layout == Layout::ChannelsLast {
            indices = Wgpu::int_permute(indices, &[0, 2, 3, 1]);
        }
        let indices = pollster::block_on(Wgpu::int_into_data(indices))?;
        let values = self.read_gradient(pooled.output.clone())?;
        Ok((values, indices.try_into_vec().ok().context("the indices are not i32")?))
    }

    /// A tensor in the case's memory order.
    pub(crate) fn read_gradient(&self, mut tensor: FloatTensor<Wgpu>) -> Result<Vec<f32>> {
        if self.layout == Layout::ChannelsLast {
            tensor = Wgpu::float_permute(tensor, &[0, 2, 3, 1]);
        }
        let data = pollster::block_on(Wgpu::float_into_data(tensor))?;
        data.try_into_vec().ok().context("the tensor is not f32")
    }

    fn sync(&self) {
        // What goes wrong here shows in the results, which are compared.
        let _ = Wgpu::sync(&self.device);
    }
}

fn as_nchw(layout: Layout, tensor: FloatTensor<Wgpu>) -> FloatTensor<Wgpu> {
    match layout {
        Layout::ChannelsLast => Wgpu::float_permute(tensor, &[0, 3, 1, 2]),
        _ => tensor,
    }
}

/// Burn's name for the `nth` adapter of that kind and backend.
fn nth_like(wanted: &wgpu::AdapterInfo, nth: usize) -> Result<Option<WgpuDevice>> {
    let kind = match wanted.device_type {
        wgpu::DeviceType::DiscreteGpu => WgpuDeviceKind::DiscreteGpu(nth),
        wgpu::DeviceType::IntegratedGpu => WgpuDeviceKind::IntegratedGpu(nth),
        wgpu::DeviceType::VirtualGpu => WgpuDeviceKind::VirtualGpu(nth),
        wgpu::DeviceType::Other => WgpuDeviceKind::Other(nth),
        // Burn knows only the first.
        wgpu::DeviceType::Cpu if nth > 0 => return Ok(None),
        wgpu::DeviceType::Cpu => WgpuDeviceKind::Cpu,
    };
    let backend = match wanted.backend {
        wgpu::Backend::Vulkan => WgpuBackend::Vulkan,
        wgpu::Backend::Metal => WgpuBackend::Metal,
        wgpu::Backend::Dx12 => WgpuBackend::Dx12,
        wgpu::Backend::Gl => WgpuBackend::Gl,
        other => anyhow::bail!("Burn has no backend {other}"),
    };
    Ok(Some(WgpuDevice::new(kind).on(backend)))
}

fn describe(info: &wgpu::AdapterInfo) -> String {
    format!("{}: {}, {} {}", info.backend, info.name, info.driver, info.driver_info)
}
