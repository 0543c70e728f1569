//! Max pooling that remembers where each maximum was, and unpooling that puts values back there: on
//! the CPU, and on any GPU through [wgpu].
//!
//! Visualising a convolutional network (Zeiler and Fergus's deconvnet), DeconvNet and SegNet undo
//! max pooling with the recorded argmax. This crate does the pooling, the unpooling, and the gradients
//! of both.
//!
//! # What a tap is
//!
//! Max pooling picks one cell of each window. A *tap* is the number of that cell inside its own
//! window, in raster order. Here an input of 4×4 cells is pooled by windows of 2×2 cells:
//!
//! ```text
//!      input           cells of a window       values       taps
//!  ┌───────┬───────┐       ┌───┬───┐
//!  │ 1   9 │ 2   0 │       │ 0 │ 1 │
//!  │ 3   4 │ 5   8 │       ├───┼───┤         ┌───┬───┐   ┌───┬───┐
//!  ├───────┼───────┤       │ 2 │ 3 │         │ 9 │ 8 │   │ 1 │ 3 │
//!  │ 6   6 │ 0   0 │       └───┴───┘         ├───┼───┤   ├───┼───┤
//!  │ 5   2 │ 7   1 │                         │ 6 │ 7 │   │ 0 │ 2 │
//!  └───────┴───────┘                         └───┴───┘   └───┴───┘
//! ```
//!
//! 9 is cell 1 of the first window, 8 is cell 3 of the second. Of the two 6 the first one wins.
//! Unpooling reads the taps and puts each value back where it came from:
//!
//! ```text
//!      output
//!  ┌───────┬───────┐
//!  │ 0   9 │ 0   0 │
//!  │ 0   0 │ 0   8 │
//!  ├───────┼───────┤
//!  │ 6   0 │ 0   0 │
//!  │ 0   0 │ 7   0 │
//!  └───────┴───────┘
//! ```
//!
//! A tap takes one byte (two if the window has more than 255 cells), and it depends on neither width,
//! channels nor batch. The [`Geometry`], which is a window together with the shape of an input, says
//! which cell of the tensor a tap names. It also restores the shape: a pooled tensor of 2×2 comes from
//! inputs of 4×4, 5×4 and 5×5 alike.
//!
//! # On slices
//!
//! [`Engine`] takes slices and returns vectors, on a GPU or on the CPU:
//!
//! ```
//! # #[cfg(not(target_arch = "wasm32"))] {
//! use unpool::{Engine, Geometry, IndexSpace, Overlap, Shape, Window};
//!
//! let geometry = Geometry::new(&Window::new(2), Shape::nchw([1, 1, 4, 4]))?;
//! let input: [f32; 16] = [
//!     1.0, 9.0, 2.0, 0.0, //
//!     3.0, 4.0, 5.0, 8.0, //
//!     6.0, 6.0, 0.0, 0.0, //
//!     5.0, 2.0, 7.0, 1.0,
//! ];
//!
//! let engine = Engine::detect(); // a GPU if there is one, else the CPU
//! let pooled = engine.max_pool(&geometry, &input)?;
//! assert_eq!(pooled.values, [9.0, 8.0, 6.0, 7.0]);
//! assert_eq!(pooled.taps.as_bytes(), [1, 3, 0, 2]);
//!
//! let output = engine.max_unpool(&geometry, &pooled.values, &pooled.taps, Overlap::Last)?;
//! assert_eq!(output[..8], [0.0, 9.0, 0.0, 0.0, 0.0, 0.0, 0.0, 8.0]);
//!
//! // The indices that PyTorch would return.
//! let indices: Vec<i64> = pooled.taps.to_indices(&geometry, IndexSpace::Plane)?;
//! assert_eq!(indices, [1, 7, 8, 14]);
//! # }
//! # Ok::<(), unpool::Error>(())
//! ```
//!
//! # On arrays
//!
//! With the feature `ndarray`, [`Engine`] takes arrays and views in any memory order:
//!
//! ```
//! # #[cfg(all(feature = "ndarray", not(target_arch = "wasm32")))] {
//! use ndarray::Array4;
//! use unpool::{Engine, Geometry, Overlap, Padding, Shape, Window};
//!
//! let input = Array4::from_shape_fn((8, 13, 11, 3), |(n, y, x, c)| (n + 5 * y + 3 * x + c) as f32);
//! let window = Window::new(3).with_stride(2).with_padding(Padding::Same);
//! let geometry = Geometry::new(&window, Shape::channels_last(input.shape()))?;
//!
//! let engine = Engine::Cpu;
//! let pooled = engine.max_pool_array(&geometry, &input)?;
//! assert_eq!(pooled.values.dim(), (8, 7, 6, 3));
//! let output =
//!     engine.max_unpool_array(&geometry, &pooled.values, &pooled.taps, Overlap::Last)?;
//! assert_eq!(output.dim(), input.dim());
//! # }
//! # Ok::<(), unpool::Error>(())
//! ```
//!
//! # On your own device and buffers
//!
//! A program that keeps its tensors on the GPU makes a [`Gpu`] of its own device, a [`Pooling`] for
//! each geometry, and a [`Step`] for each operation on buffers. A step is recorded into the program's
//! own compute pass, every frame anew; recording cannot fail, and neither allocates, submits nor
//! waits.
//!
//! ```
//! # #[cfg(not(target_arch = "wasm32"))] {
//! use unpool::operands::{MaxPool, MaxUnpool};
//! use unpool::{Element, Geometry, Gpu, Overlap, Shape, Window, wgpu};
//!
//! # fn main() -> Result<(), unpool::Error> {
//! # let own = match pollster::block_on(Gpu::request()) {
//! #     // A machine without an adapter has nothing to run this on.
//! #     Err(unpool::Error::NoAdapter { .. }) => return Ok(()),
//! #     other => other?,
//! # };
//! # let (device, queue) = (own.device().clone(), own.queue().clone());
//! // `device` and `queue` are the program's.
//! let gpu = Gpu::from_device(&device, &queue);
//! let geometry = Geometry::new(&Window::new(2), Shape::nchw([1, 1, 4, 4]))?;
//! let pooling = gpu.pooling(&geometry, Element::F32)?;
//!
//! // Buffers of the program's, with at least these sizes and the usage STORAGE: COPY_DST beside it to write to
//! // them, COPY_SRC to read them back …
//! let storage = |label, size| {
//!     device.create_buffer(&wgpu::BufferDescriptor {
//!         label: Some(label),
//!         size,
//!         usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
//!         mapped_at_creation: false,
//!     })
//! };
//! let input = storage("input", pooling.input_bytes());
//! // … or buffers that the pooling makes.
//! let buffers = pooling.create_buffers()?;
//!
//! // Once: the steps, which do not depend on the frame.
//! let pool = pooling.max_pool(MaxPool {
//!     input: &input,
//!     values: &buffers.values,
//!     taps: &buffers.taps,
//! })?;
//! let unpool = pooling.max_unpool(
//!     MaxUnpool { values: &buffers.values, taps: &buffers.taps, output: &buffers.output },
//!     Overlap::Last,
//! )?;
//!
//! // Every frame: the program's encoder, pass and submission.
//! let cells: Vec<f32> = (0..16).map(|i| i as f32).collect();
//! queue.write_buffer(&input, 0, bytemuck::cast_slice(&cells));
//! let mut encoder = device.create_command_encoder(&Default::default());
//! let mut pass = encoder.begin_compute_pass(&Default::default());
//! pool.record(&mut pass);
//! unpool.record(&mut pass);
//! drop(pass);
//! queue.submit([encoder.finish()]);
//!
//! // Reading back: a future, or a call that waits.
//! let output: Vec<f32> = gpu.read(&buffers.output)?.wait()?;
//! assert_eq!(output[..8], [0.0, 0.0, 0.0, 0.0, 0.0, 5.0, 0.0, 7.0]);
//! # Ok(())
//! # }
//! # main().unwrap();
//! # }
//! ```
//!
//! # When to use what
//!
//! | tensors | use |
//! |---|---|
//! | slices or arrays, on a GPU if there is one | [`Engine`] |
//! | slices, on the CPU, also into slices that exist | the functions of [`cpu`] |
//! | buffers of a wgpu device | [`Gpu`], [`Pooling`], [`Step`], [`operands`] |
//! | values alone, without taps | `max_pool_values` of [`Engine`], [`cpu`] and [`Pooling`] |
//! | values with indices that no window made | [`Scatter`] with [`cpu::scatter`], [`Engine::scatter`] or [`Gpu::scattering`] |
//!
//! | to | see |
//! |---|---|
//! | describe kernel, stride, dilation, padding, rounding | [`Window`], [`Padding`], [`PerAxis`] |
//! | describe a tensor | [`Shape`], [`Layout`], [`Element`] |
//! | unpool to a size of which only the pooled shape is known | [`Geometry::for_pooled`] |
//! | convert to and from the indices of PyTorch, TensorFlow and ONNX | [`Taps::to_indices`], [`Taps::from_indices`], [`IndexSpace`] |
//! | choose the value of a cell to which several pooled values go | [`Overlap`] |
//! | compare with the definition | [`mod@cpu::reference`] |
//!
//! # Features
//!
//! No feature changes a result.
//!
//! - **`backends`** (default): wgpu's choice of backends for each platform. Without it the application
//!   chooses.
//! - **`ndarray`**: the operations on arrays of ndarray 0.17.
//! - **`serde`**: `Serialize` and `Deserialize` for the types that describe windows, tensors and scatters. A
//!   [`Geometry`] and a [`Scatter`] are checked when they are read.
//!
//! # Guarantees
//!
//! - **The same bits everywhere.** Every operation gives the same bits on the CPU and on every GPU, on
//!   every run. Sums of floats rely on rounding to nearest even; a device that rounds otherwise is
//!   refused ([`Gpu::check_sums`]). Sums of integers are exact; where one does not fit its type, the
//!   CPU returns an error and a GPU saturates.
//! - **Values are moved, not computed.** NaN payloads, subnormals and −0 come out as they went in.
//! - **Ties** go to the first cell in raster order; −0 and +0 tie. **NaN** always wins, as in PyTorch.
//! - **Padding is not a value.** A window of −∞ returns −∞ and its first cell.
//! - **No panics.** Whatever the numbers, an operation returns a result or an [`Error`] that says what
//!   was found and what is allowed. Indexing a [`PerAxis`] past its end panics, as indexing a slice
//!   does.

#![deny(missing_docs)]

mod argmax;
#[cfg(feature = "ndarray")]
mod arrays;
mod cell;
pub mod cpu;
mod element;
#[cfg(not(target_arch = "wasm32"))]
mod engine;
mod error;
mod geometry;
mod gpu;
mod index_space;
mod name;
mod per_axis;
mod scatter;
#[cfg(feature = "serde")]
mod serde;
mod shape;
mod window;

pub use argmax::{Index, Overlap, Pooled, Taps};
#[cfg(feature = "ndarray")]
pub use arrays::PooledArray;
pub use cell::Cell;
pub use element::Element;
#[cfg(not(target_arch = "wasm32"))]
pub use engine::Engine;
pub use error::{Error, GeometryError, WgpuError};
#[doc(hidden)]
pub use geometry::Axis;
pub use geometry::Geometry;
#[doc(hidden)]
pub use gpu::Kernel;
pub use gpu::{
    Gpu, IndexReport, Operand, Pooling, PoolingBuffers, Readback, RefusedIndex, Scattering, Step,
    operands,
};
pub use index_space::IndexSpace;
pub use name::UnknownName;
#[cfg(feature = "ndarray")]
pub use ndarray;
pub use per_axis::PerAxis;
pub use scatter::{IndicesIn, Scatter};
pub use shape::{Layout, Shape};
pub use wgpu;
pub use window::{Padding, Window};

/// The code of the README is compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
