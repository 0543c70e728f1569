//! `unpool pool`: max pooling of an array of NumPy.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use unpool::{Cell, Engine, Geometry};

use crate::element::for_element;
use crate::npy::{self, Array, Number};
use crate::options::{ArgmaxSpace, Sizes, WindowArgs};
use crate::{Outcome, argmax, files};

#[derive(clap::Args)]
#[command(
    override_usage = "unpool pool IN.npy --kernel NxN --values V.npy --argmax A.npy [OPTIONS]"
)]
pub(crate) struct Args {
    /// What is pooled: batch, channels and one to three spatial axes.
    #[arg(value_name = "IN.npy")]
    input: PathBuf,
    /// Cells per spatial axis: 2 (1-D), 2x2, 2x2x2.
    #[arg(long, value_name = "NxN")]
    kernel: Sizes,
    #[command(flatten)]
    window: WindowArgs,
    /// Where the maxima go.
    #[arg(long, value_name = "V.npy")]
    values: PathBuf,
    /// Where the argmax goes: taps as uint8 or uint16, indices as int64.
    #[arg(long, value_name = "A.npy")]
    argmax: PathBuf,
    /// taps, plane (PyTorch), image (TensorFlow), batch (TensorFlow with
    /// include_batch_in_index), tensor (ONNX), tensor-column-major (ONNX, storage_order 1).
    #[arg(long, default_value = "taps", value_name = "SPACE")]
    index_space: ArgmaxSpace,
    /// auto, cpu, gpu, or part of the name of an adapter or backend.
    #[arg(long, default_value = "auto", value_name = "NAME")]
    device: String,
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome> {
    let outputs = [("--values", args.values.as_path()), ("--argmax", &args.argmax)];
    files::check_outputs(&outputs, &[&args.input])?;
    let input = Array::open(&args.input, npy::ELEMENTS)?;
    let in_input = || args.input.display().to_string();
    let window = args.window.window(&args.kernel, input.shape.len()).with_context(in_input)?;
    let shape = input.shape(args.window.layout());
    let geometry = Geometry::new(&window, shape).with_context(in_input)?;
    let engine = Engine::named(&args.device)?;
    let [values, argmax] = for_element!(input, args.input, T => {
        pool::<T>(&engine, &geometry, &input, args.index_space)
    })?;
    files::write(&[
        (args.values.clone(), values.to_file()?),
        (args.argmax.clone(), argmax.to_file()?),
    ])?;
    writeln!(out, "device  {}", engine.description())?;
    let pooled = geometry.pooled_shape();
    writeln!(out, "pooled  {} to {pooled}, {}", geometry.input_shape(), input.number.name())?;
    writeln!(out, "wrote   {}", args.values.display())?;
    let (kind, space) = (argmax.number.name(), args.index_space.name());
    writeln!(out, "        {}: {space}, {kind}", args.argmax.display())?;
    Ok(Outcome::Agrees)
}

fn pool<T: Cell>(
    engine: &Engine,
    geometry: &Geometry,
    input: &Array,
    space: ArgmaxSpace,
) -> Result<[Array; 2]> {
    let pooled = engine.max_pool(geometry, &input.numbers::<T>())?;
    let values = Array::new(Number::Element(T::ELEMENT), geometry.pooled_shape(), &pooled.values);
    Ok([values, argmax::to_array(geometry, &pooled.taps, space)?])
}
