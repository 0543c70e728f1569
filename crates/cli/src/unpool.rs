//! `unpool unpool`: pooled values put back where an argmax says.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use unpool::{Cell, Engine, Error, Geometry, IndexSpace, Overlap, Placement, Shape, Taps};

use crate::element::for_element;
use crate::npy::{self, Array, Number};
use crate::options::{ArgmaxSpace, Extents, Sizes, WindowArgs};
use crate::{Outcome, argmax, files};

#[derive(clap::Args)]
#[command(
    group = clap::ArgGroup::new("size").required(true),
    override_usage = "unpool unpool V.npy A.npy --index-space SPACE --kernel NxN\n       \
        (--like IN.npy | --output-shape N,C,H,W) --out X.npy [OPTIONS]"
)]
pub(crate) struct Args {
    /// The pooled values.
    #[arg(value_name = "V.npy")]
    values: PathBuf,
    /// Where each came from.
    #[arg(value_name = "A.npy")]
    argmax: PathBuf,
    /// How that is written: taps, plane (PyTorch), image, batch (TensorFlow), tensor,
    /// tensor-column-major (ONNX).
    #[arg(long, value_name = "SPACE")]
    index_space: ArgmaxSpace,
    /// Unpool to the shape of this array: the one that was pooled.
    #[arg(long, value_name = "IN.npy", group = "size")]
    like: Option<PathBuf>,
    /// Unpool to this shape.
    #[arg(long, value_name = "N,C,H,W", group = "size")]
    output_shape: Option<Extents>,
    /// Whether the indices count in the output shape (ONNX Runtime), or in the one that the
    /// window gives (the ONNX reference).
    #[arg(
        long,
        value_enum,
        default_value = "given",
        value_name = "SHAPE",
        conflicts_with = "like"
    )]
    indices_in: IndicesIn,
    /// Cells per spatial axis: 2 (1-D), 2x2, 2x2x2.
    #[arg(long, value_name = "NxN", required_unless_present = "foreign")]
    kernel: Option<Sizes>,
    #[command(flatten)]
    window: WindowArgs,
    /// What a cell gets that several windows chose: the last value in raster order, or the sum.
    #[arg(long, value_enum, default_value = "last", value_name = "RULE")]
    overlap: Meeting,
    /// Take indices that point outside their window too.
    #[arg(long)]
    foreign: bool,
    /// Where the result goes.
    #[arg(long, value_name = "X.npy")]
    out: PathBuf,
    /// auto, cpu, gpu, or part of the name of an adapter or backend.
    #[arg(long, default_value = "auto", value_name = "NAME")]
    device: String,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum IndicesIn {
    Given,
    Inferred,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Meeting {
    Last,
    Sum,
}

impl From<Meeting> for Overlap {
    fn from(meeting: Meeting) -> Self {
        match meeting {
            Meeting::Last => Self::Last,
            Meeting::Sum => Self::Sum,
        }
    }
}

/// Where the values go.
enum Target {
    /// Each into its window.
    Windows(Geometry, Taps),
    /// Anywhere in a shape.
    Cells(Placement, Vec<i64>),
}

impl Target {
    fn output(&self) -> &Shape {
        match self {
            Self::Windows(geometry, _) => geometry.input_shape(),
            Self::Cells(placement, _) => placement.output_shape(),
        }
    }
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome> {
    let mut inputs = vec![args.values.as_path(), &args.argmax];
    inputs.extend(args.like.as_deref());
    files::check_outputs(&[("--out", &args.out)], &inputs)?;
    let values = Array::open(&args.values, npy::ELEMENTS)?;
    let indices = Array::open(&args.argmax, npy::ARGMAX)?;
    let pooled = values.shape(args.window.layout());
    let shape = indices.shape(args.window.layout());
    let (of_values, of_argmax) = (args.values.display(), args.argmax.display());
    ensure!(shape == pooled, "{of_argmax} has shape {shape}, {of_values} {pooled}");
    let target = target(args, &pooled, &indices)?;
    check_memory(target.output(), values.number)?;
    let engine = Engine::named(&args.device)?;
    let restored = for_element!(values, args.values, T => {
        unpool::<T>(&engine, &target, &values, args.overlap.into())
    });
    let restored = restored.map_err(|error| match error.downcast_ref() {
        Some(Error::Overflow { .. }) => error.context("--overlap sum"),
        Some(Error::IndexOutOfRange { .. }) => error.context(of_argmax.to_string()),
        _ => error,
    })?;
    files::write(&[(args.out.clone(), restored.to_file()?)])?;
    writeln!(out, "device    {}", engine.description())?;
    let (output, kind) = (target.output(), values.number.name());
    writeln!(out, "unpooled  {pooled} to {output}, {kind}")?;
    writeln!(out, "wrote     {}", args.out.display())?;
    Ok(Outcome::Agrees)
}

/// Reads the question: which shape, which indices, checked against what.
fn target(args: &Args, pooled: &Shape, indices: &Array) -> Result<Target> {
    let layout = args.window.layout();
    let output = match (&args.like, &args.output_shape) {
        (Some(like), _) => Shape::new(layout, npy::shape(like)?),
        (None, Some(Extents(extents))) => Shape::new(layout, extents.as_slice()),
        (None, None) => bail!("--like or --output-shape is needed"),
    };
    let axes = pooled.dims().len();
    ensure!(
        output.dims().len() == axes,
        "{} {output} has {} axes; {} has {axes}",
        match &args.like {
            Some(like) => format!("--like {}:", like.display()),
            None => "--output-shape".into(),
        },
        output.dims().len(),
        args.values.display()
    );
    let window = args.kernel.as_ref().map(|kernel| args.window.window(kernel, axes));
    let window = window.transpose().with_context(|| args.values.display().to_string())?;
    let inferred = args.indices_in == IndicesIn::Inferred;
    if inferred && window.is_none() {
        bail!("--indices-in inferred needs --kernel: the shape is inferred from the window");
    }
    let in_argmax = || args.argmax.display().to_string();
    // The shape the indices count in, where the window says it.
    let frame = match &window {
        Some(window) if inferred => Some(Geometry::unpooled_shape(window, pooled)?),
        _ => None,
    };
    let mut taps = None;
    if let (Some(window), false) = (&window, args.foreign) {
        let geometry = match (&args.like, &frame) {
            (Some(_), _) => Geometry::new(window, output.clone())?,
            (None, Some(_)) => Geometry::for_pooled(window, pooled.clone(), None)?,
            (None, None) => Geometry::for_pooled(window, pooled.clone(), Some(output.spatial()))
                .context("--output-shape")?,
        };
        if geometry.pooled_shape() != pooled || !inferred && geometry.input_shape() != &output {
            bail!(
                "{} has shape {pooled}; this window pools {output} to {}",
                args.values.display(),
                Geometry::new(window, output.clone())?.pooled_shape()
            );
        }
        let found = argmax::to_taps(&geometry, indices, args.index_space);
        taps = Some((geometry, found.with_context(in_argmax)?));
    }
    let (space, indices) = match (taps, args.index_space) {
        (Some((geometry, taps)), _) if !inferred => return Ok(Target::Windows(geometry, taps)),
        (Some((geometry, taps)), _) => {
            (IndexSpace::Plane, taps.to_indices(&geometry, IndexSpace::Plane)?)
        }
        (None, ArgmaxSpace::Indices(space)) => {
            (space, argmax::indices(indices).with_context(in_argmax)?)
        }
        (None, ArgmaxSpace::Taps) => bail!("taps are of a window: --foreign takes indices only"),
    };
    let mut placement = Placement::new(pooled.clone(), output, space)?;
    if let Some(frame) = frame {
        placement = placement.flattened_in(frame)?;
    }
    Ok(Target::Cells(placement, indices))
}

/// Whether the output can be had: an allocation that fails later would end the program.
fn check_memory(output: &Shape, number: Number) -> Result<()> {
    /// Bytes of a sum.
    const SUM: usize = 8;
    let bytes = output.len().and_then(|n| n.checked_mul(number.bytes() + SUM));
    let room = bytes.and_then(|bytes| Vec::<u8>::new().try_reserve_exact(bytes).ok());
    room.with_context(|| format!("no memory for an output of {output}"))
}

fn unpool<T: Cell>(
    engine: &Engine,
    target: &Target,
    values: &Array,
    overlap: Overlap,
) -> Result<Array> {
    let values = values.numbers::<T>();
    let restored = match target {
        Target::Windows(geometry, taps) => engine.max_unpool(geometry, &values, taps, overlap)?,
        Target::Cells(placement, indices) => {
            engine.max_unpool_foreign(placement, &values, indices, overlap)?
        }
    };
    Ok(Array::new(Number::Element(T::ELEMENT), target.output(), &restored))
}
