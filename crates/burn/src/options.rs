//! [`PoolOptions`]: what describes a window here.

use burn::tensor::ops::MaxPoolOptions;
use unpool::Window;

/// What describes the window of a pooling: unpool's [`Window`], Burn's [`MaxPoolOptions`], or the
/// size of the kernel alone.
///
/// A [`Window`] has all that this library knows: [`Padding::Same`](unpool::Padding::Same) and its
/// kin, explicit padding on each side, dilation, ceil mode.
pub trait PoolOptions {
    /// The window.
    fn window(&self) -> Window;
}

impl PoolOptions for Window {
    fn window(&self) -> Window {
        *self
    }
}

impl<const N: usize> PoolOptions for MaxPoolOptions<N> {
    fn window(&self) -> Window {
        Window::new(self.kernel_size)
            .with_stride(self.stride)
            .with_dilation(self.dilation)
            .with_padding(self.padding)
            .with_ceil_mode(self.ceil_mode)
    }
}

/// The same size along every axis; the stride equals the kernel.
impl PoolOptions for usize {
    fn window(&self) -> Window {
        Window::new(*self)
    }
}

/// A size per axis; the stride equals the kernel.
impl<const N: usize> PoolOptions for [usize; N] {
    fn window(&self) -> Window {
        Window::new(*self)
    }
}

impl<O: PoolOptions + ?Sized> PoolOptions for &O {
    fn window(&self) -> Window {
        (**self).window()
    }
}
