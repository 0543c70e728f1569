//! Error scopes around calls of `wgpu`.

use crate::error::Error;
#[cfg(not(target_arch = "wasm32"))]
use crate::error::WgpuError;

/// Runs `make` inside error scopes, and returns any error of `wgpu` instead of passing it to the device's
/// uncaptured-error handler.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn scoped<T>(device: &wgpu::Device, make: impl FnOnce() -> T) -> Result<T, Error> {
    use std::task::{Context, Poll, Waker};

    let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
    let made = make();
    let now = |scope: wgpu::ErrorScopeGuard| {
        let answer = std::pin::pin!(scope.pop());
        match answer.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(error) => error,
            Poll::Pending => None,
        }
    };
    // Innermost first, and every scope is popped.
    let errors = [now(internal), now(validation), now(memory)];
    match errors.into_iter().flatten().next() {
        None => Ok(made),
        Some(wgpu::Error::OutOfMemory { .. }) => Err(Error::OutOfMemory),
        Some(error) => Err(WgpuError::new(error).into()),
    }
}

/// Runs `make`. In a browser an error arrives later, so that this function cannot wait for it, and a scope
/// would swallow it: without a scope it reaches the application's handler.
#[cfg(target_arch = "wasm32")]
pub(crate) fn scoped<T>(_device: &wgpu::Device, make: impl FnOnce() -> T) -> Result<T, Error> {
    Ok(make())
}
