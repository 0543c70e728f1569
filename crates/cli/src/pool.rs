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
    override_usage = "unpool pool IN.npy --kernel NxN --values V.npy [--argmax A.npy] [OPTIONS]"
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
    /// File for the argmax: taps as uint8 or uint16, indices as int64. Without it, values alone are
    /// pooled.
    #[arg(long, value_name = "A.npy")]
    argmax: Option<Sink>,
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
    pub(crate) fn outputs(&self) -> Vec<(&'static str, &Sink)> {
        let argmax = self.argmax.iter().map(|argmax| ("--argmax", argmax));
        [("--values", &self.values)].into_iter().chain(argmax).collect()
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
    let space = args.argmax.as_ref().map(|_| args.index_space);
    let (values, indices) = for_element!(input, args.input, T => {
        pool::<T>(&engine, &geometry, &input, space, &pooled)
    })?;
    let argmax = args.argmax.as_ref().zip(indices.as_ref());
    let mut written = vec![(args.values.clone(), values.to_file()?)];
    if let Some((file, indices)) = argmax {
        written.push((file.clone(), indices.to_file()?));
    }
    files::write(&written)?;
    writeln!(out, "device  {}", engine.description())?;
    let (from, to, kind) = (extents(&input.shape), extents(&pooled), input.number.name());
    writeln!(out, "pooled  {from} to {to}, {kind}")?;
    writeln!(out, "wrote   {}", args.values)?;
    if let Some((file, indices)) = argmax {
        let (kind, space) = (indices.number.name(), args.index_space.name());
        writeln!(out, "        {file}: {space}, {kind}")?;
    }
    Ok(Outcome::Agrees)
}

/// Values and, in a space if one is given, argmax, as arrays of the given extents.
fn pool<T: Cell>(
    engine: &Engine,
    geometry: &Geometry,
    input: &Array,
    space: Option<ArgmaxSpace>,
    extents: &[usize],
) -> Result<(Array, Option<Array>)> {
    let input = input.numbers::<T>();
    let array = |values: &[T]| Array::new(Number::Element(T::ELEMENT), extents.to_vec(), values);
    let Some(space) = space else {
        return Ok((array(&engine.max_pool_values(geometry, &input)?), None));
    };
    let pooled = engine.max_pool(geometry, &input)?;
    let argmax = argmax::to_array(geometry, &pooled.taps, space, extents.to_vec())?;
    Ok((array(&pooled.values), Some(argmax)))
}
