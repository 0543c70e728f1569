//! The wgpu devices of Burn's on which unpool's steps run.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock};

use burn::backend::DispatchDevice;
use burn::tensor::Device;
use burn::tensor::wgpu::{WgpuInitError, WgpuOptions, WgpuSetup};
use burn_cubecl::cubecl::wgpu::{AutoCompiler, WgpuServer};
use cubecl::client::Client;
use cubecl::device::DeviceId;
use unpool::{Element, Geometry, Gpu, Pooling};

use crate::error::Error;

/// Poolings that a device keeps: those of a network, and no more where every batch has another size.
const MOST_POOLINGS: usize = 256;

/// A device, by Burn's name and as unpool's, with the poolings that ran on it.
#[derive(Clone)]
pub(crate) struct Attached {
    id: DeviceId,
    gpu: Gpu,
    poolings: Arc<Mutex<HashMap<(Geometry, Element), Pooling>>>,
}

impl Attached {
    pub(crate) fn id(&self) -> DeviceId {
        self.id
    }

    pub(crate) fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// The pooling of a geometry, with what its earlier steps have made.
    pub(crate) fn pooling(
        &self,
        geometry: &Geometry,
        element: Element,
    ) -> Result<Pooling, unpool::Error> {
        let mut poolings = self.poolings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pooling) = poolings.get(&(*geometry, element)) {
            return Ok(pooling.clone());
        }
        let pooling = self.gpu.pooling(geometry, element)?;
        if poolings.len() == MOST_POOLINGS {
            poolings.clear();
        }
        poolings.insert((*geometry, element), pooling.clone());
        Ok(pooling)
    }
}

/// The server of Burn's wgpu devices.
pub(crate) type Server = WgpuServer<AutoCompiler>;

static DEVICES: LazyLock<RwLock<HashMap<DeviceId, Attached>>> = LazyLock::new(Default::default);

/// Initialises a wgpu device of Burn's on which this crate's operations run.
///
/// Does what [`WgpuOptions::init`] does, and [`attach`]es the device.
///
/// ```no_run
/// use burn::tensor::Device;
///
/// let device = unpool_burn::init_wgpu(Device::wgpu_options())?;
/// # Ok::<(), burn::tensor::wgpu::WgpuInitError>(())
/// ```
///
/// # Errors
///
/// Those of [`WgpuOptions::init`]: no such adapter, or a device that Burn has already initialised.
pub fn init_wgpu(options: WgpuOptions) -> Result<Device, WgpuInitError> {
    let (device, setup) = options.init_with_setup()?;
    attach(&device, &setup).expect("Burn has just made this device");
    Ok(device)
}

/// Lets this crate's operations run on a wgpu device of Burn's: that of
/// [`WgpuOptions::init_with_setup`], or an application's own that Burn was given by
/// [`WgpuOptions::setup`].
///
/// Burn does not tell the queue of a device that it has made by itself, so this has to be said once,
/// before the first operation. Pipelines are compiled once for each device.
///
/// # Errors
///
/// [`Error::NotWgpu`] if the device is not one of Burn's wgpu devices.
pub fn attach(device: &Device, setup: &WgpuSetup) -> Result<(), Error> {
    let not_wgpu = || Error::NotWgpu { device: format!("{device:?}") };
    let inner = device.clone().inner();
    #[allow(irrefutable_let_patterns, reason = "it may be the only backend")]
    let DispatchDevice::Cube(cube) = inner.as_dispatch() else {
        return Err(not_wgpu());
    };
    let client = cube.client();
    let id = wgpu_device(&client).ok_or_else(not_wgpu)?;
    let gpu = Gpu::from_device(&setup.device, &setup.queue);
    let attached = Attached { id, gpu, poolings: Arc::default() };
    DEVICES.write().unwrap_or_else(PoisonError::into_inner).insert(id, attached);
    Ok(())
}

/// The device behind a client, if it is one of wgpu's.
pub(crate) fn wgpu_device(client: &Client) -> Option<DeviceId> {
    let service = client.service_id();
    (service.service == TypeId::of::<Server>()).then_some(service.device)
}

/// The device of a client, if it was attached.
pub(crate) fn attached(client: &Client) -> Option<Attached> {
    let id = wgpu_device(client)?;
    DEVICES.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
}
