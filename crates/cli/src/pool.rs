//! `unpool pool`: max pooling of an array of NumPy.

use std::io::Write;

use anyhow::{Context, Result};
use unpool::{Cell, Engine, Geometry};

use crate::axes::extents;
use crate::element::for_element;
use crate::npy::{Array, ArraySource, Needed, Number};
use crate::options::{ArgmaxSpace, Sizes, WindowArgs};
use crate::outcome::Outcome;
use crate::sink::Sink;
use crate::source::Source;
use crate::{argmax, files};

#[derive(clap::Args)]
#[command(
    override_usage = "unpool pool IN.npy --kernel NxN --values V.npy --argmax A.npy [OPTIONS]"
)]
pub(crate) struct Args {
    /// The input: one to three spatial axes, with batch and channels or as --layout says; .npy
    /// or .npz, and - for standard input.
    #[arg(value_name = "IN.npy")]
    input: Source,
    /// The array in an .npz of several arrays.
    #[arg(long, value_name = "NAME")]
    array: Option<String>,
    /// Cells per spatial axis, such as 3x2; 2 is 2 on each.
    #[arg(long, value_name = "NxN", allow_hyphen_values = true)]
    kernel: Sizes,
    #[command(flatten)]
    window: WindowArgs,
    /// File for the maxima; - for standard output.
    #[arg(long, value_name = "V.npy")]
    values: Sink,
    /// File for the argmax: taps as uint8 or uint16, indices as int64.
    #[arg(long, value_name = "A.npy")]
    argmax: Sink,
    /// taps, plane (PyTorch), image (TensorFlow), batch (TensorFlow with
    /// include_batch_in_index), tensor (ONNX), tensor-column-major (ONNX, storage_order 1).
    #[arg(long, default_value = "taps", value_name = "SPACE")]
    index_space: ArgmaxSpace,
    /// auto, cpu, gpu, or part of the name of an adapter or backend.
    #[arg(long, default_value = "auto", value_name = "NAME")]
    device: String,
}

impl Args {
    /// The files it writes, each with its option.
    pub(crate) fn outputs(&self) -> [(&'static str, &Sink); 2] {
        [("--values", &self.values), ("--argmax", &self.argmax)]
    }
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome> {
    files::check_outputs(&args.outputs(), &[&args.input])?;
    let source =
        ArraySource { source: &args.input, array: args.array.as_deref(), option: "--array" };
    let input = Array::open(source, Needed::Elements)?;
    let in_input = || args.input.to_string();
    let axes = args.window.layout();
    let shape = axes.shape(&input.shape).with_context(in_input)?;
    let window = args.window.window(&args.kernel, shape.spatial().len()).with_context(in_input)?;
    let geometry = Geometry::new(&window, shape).with_context(in_input)?;
    let engine = Engine::named(&args.device)?;
    let pooled = axes.extents(geometry.pooled_shape());
    let [values, argmax] = for_element!(input, args.input, T => {
        pool::<T>(&engine, &geometry, &input, args.index_space, &pooled)
    })?;
    files::write(&[
        (args.values.clone(), values.to_file()?),
        (args.argmax.clone(), argmax.to_file()?),
    ])?;
    writeln!(out, "device  {}", engine.description())?;
    let (from, to, kind) = (extents(&input.shape), extents(&pooled), input.number.name());
    writeln!(out, "pooled  {from} to {to}, {kind}")?;
    writeln!(out, "wrote   {}", args.values)?;
    let (kind, space) = (argmax.number.name(), args.index_space.name());
    writeln!(out, "        {}: {space}, {kind}", args.argmax)?;
    Ok(Outcome::Agrees)
}

/// Values and argmax, as arrays of the given extents.
fn pool<T: Cell>(
    engine: &Engine,
    geometry: &Geometry,
    input: &Array,
    space: ArgmaxSpace,
    extents: &[usize],
) -> Result<[Array; 2]> {
    let pooled = engine.max_pool(geometry, &input.numbers::<T>())?;
    let values = Array::new(Number::Element(T::ELEMENT), extents.to_vec(), &pooled.values);
    Ok([values, argmax::to_array(geometry, &pooled.taps, space, extents.to_vec())?])
}
