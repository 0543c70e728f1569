//! `unpool unpool`: pooled values put back at the positions of an argmax.

use std::io::Write;

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use unpool::{Cell, Engine, Error, Geometry, IndexSpace, Overlap, Scatter, Shape, Taps};

use crate::axes::{axes, extents};
use crate::element::for_element;
use crate::npy::{Array, ArraySource, Needed, Number};
use crate::options::{ArgmaxSpace, Extents, Sizes, WindowArgs};
use crate::outcome::Outcome;
use crate::sink::Sink;
use crate::source::Source;
use crate::{argmax, files, source};

#[derive(clap::Args)]
#[command(
    group = clap::ArgGroup::new("size"),
    override_usage = "unpool unpool V.npy A.npy --index-space SPACE --kernel NxN --out X.npy \
        [--like IN.npy | --output-shape N,C,H,W] [OPTIONS]"
)]
pub(crate) struct Args {
    /// The pooled values; .npy or .npz, and - for standard input.
    #[arg(value_name = "V.npy")]
    values: Source,
    /// The argmax of the values.
    #[arg(value_name = "A.npy")]
    argmax: Source,
    /// The array of values in an .npz of several arrays.
    #[arg(long, value_name = "NAME")]
    array: Option<String>,
    /// The array of the argmax in an .npz of several arrays.
    #[arg(long, value_name = "NAME")]
    argmax_array: Option<String>,
    /// The array of --like in an .npz of several arrays.
    #[arg(long, value_name = "NAME", requires = "like")]
    like_array: Option<String>,
    /// The format of the argmax: taps, plane (PyTorch), image, batch (TensorFlow), tensor,
    /// tensor-column-major (ONNX).
    #[arg(long, value_name = "SPACE")]
    index_space: ArgmaxSpace,
    /// Unpool to the shape of this array, the input of the pooling. Without it and
    /// --output-shape, to the default size of PyTorch and ONNX.
    #[arg(long, value_name = "IN.npy", group = "size")]
    like: Option<Source>,
    /// Unpool to this shape.
    #[arg(long, value_name = "N,C,H,W", group = "size", allow_hyphen_values = true)]
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
    /// Cells per spatial axis, such as 3x2; 2 is 2 on each.
    #[arg(
        long,
        value_name = "NxN",
        required_unless_present = "scatter",
        allow_hyphen_values = true
    )]
    kernel: Option<Sizes>,
    #[command(flatten)]
    window: WindowArgs,
    /// The value of a cell that several windows chose: the last in raster order, or the sum.
    #[arg(long, value_enum, default_value = "last", value_name = "RULE")]
    overlap: OverlapRule,
    /// Scatter by arbitrary indices, which may lie outside their windows.
    #[arg(long)]
    scatter: bool,
    /// File for the result; - for standard output.
    #[arg(long, value_name = "X.npy")]
    out: Sink,
    /// auto, cpu, gpu, or part of the name of an adapter or backend.
    #[arg(long, default_value = "auto", value_name = "NAME")]
    device: String,
}

impl Args {
    /// The file it writes, with its option.
    pub(crate) fn outputs(&self) -> [(&'static str, &Sink); 1] {
        [("--out", &self.out)]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum IndicesIn {
    Given,
    Inferred,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OverlapRule {
    Last,
    Sum,
}

impl From<OverlapRule> for Overlap {
    fn from(rule: OverlapRule) -> Self {
        match rule {
            OverlapRule::Last => Self::Last,
            OverlapRule::Sum => Self::Sum,
        }
    }
}

/// The context of an error about a shape that only the window determines.
const BY_DEFAULT: &str = "the default size, which --like or --output-shape changes";

/// The cells that the values go to.
enum Target {
    /// Each into its window.
    Windows(Box<Geometry>, Taps),
    /// Anywhere in a shape.
    Cells(Scatter, Vec<i64>),
}

impl Target {
    fn output(&self) -> &Shape {
        match self {
            Self::Windows(geometry, _) => geometry.input_shape(),
            Self::Cells(scatter, _) => scatter.output_shape(),
        }
    }
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome> {
    let mut inputs = vec![("V.npy", &args.values), ("A.npy", &args.argmax)];
    inputs.extend(args.like.as_ref().map(|like| ("--like", like)));
    source::check(inputs.iter().copied())?;
    let inputs: Vec<_> = inputs.into_iter().map(|(_, source)| source).collect();
    files::check_outputs(&args.outputs(), &inputs)?;
    let (of_values, of_argmax) = (&args.values, &args.argmax);
    let source = ArraySource { source: of_values, array: args.array.as_deref(), option: "--array" };
    let values = Array::open(source, Needed::Elements)?;
    let (array, option) = (args.argmax_array.as_deref(), "--argmax-array");
    let indices = Array::open(ArraySource { source: of_argmax, array, option }, Needed::Argmax)?;
    ensure!(
        indices.shape == values.shape,
        "{of_argmax} has shape {}, {of_values} {}",
        extents(&indices.shape),
        extents(&values.shape)
    );
    let order = args.window.layout();
    let pooled = order.shape(&values.shape).with_context(|| of_values.to_string())?;
    let target = target(args, &pooled, &indices)?;
    check_memory(target.output(), values.number)?;
    let engine = Engine::named(&args.device)?;
    let output = order.extents(target.output());
    let restored = for_element!(values, args.values, T => {
        unpool::<T>(&engine, &target, &values, args.overlap.into(), &output)
    });
    let restored = restored.map_err(|error| match error.downcast_ref() {
        Some(Error::Overflow { .. }) => error.context("--overlap sum"),
        Some(Error::IndexOutOfRange { .. }) => error.context(of_argmax.to_string()),
        _ => error,
    })?;
    files::write(&[(args.out.clone(), restored.to_file()?)])?;
    writeln!(out, "device    {}", engine.description())?;
    let (from, to, kind) = (extents(&values.shape), extents(&output), values.number.name());
    writeln!(out, "unpooled  {from} to {to}, {kind}")?;
    writeln!(out, "wrote     {}", args.out)?;
    Ok(Outcome::Agrees)
}

/// The shape that --like or --output-shape gives, if any.
fn output_shape(args: &Args, pooled: &Shape) -> Result<Option<Shape>> {
    let order = args.window.layout();
    let (output, named) = match (&args.like, &args.output_shape) {
        (Some(like), _) => {
            let (array, option) = (args.like_array.as_deref(), "--like-array");
            (ArraySource { source: like, array, option }.shape()?, format!("--like {like}"))
        }
        (None, Some(Extents(extents))) => (extents.clone(), "--output-shape".into()),
        (None, None) => return Ok(None),
    };
    let of_values = order.extents(pooled).len();
    ensure!(
        output.len() == of_values,
        "{named}: {} has {}; {} has {of_values}",
        extents(&output),
        axes(output.len()),
        args.values
    );
    Ok(Some(order.shape(&output).context(named)?))
}

/// The output shape and the checked indices, from the arguments.
fn target(args: &Args, pooled: &Shape, indices: &Array) -> Result<Target> {
    let asked = output_shape(args, pooled)?;
    let window =
        args.kernel.as_ref().map(|kernel| args.window.window(kernel, pooled.spatial().len()));
    let window = window.transpose().with_context(|| args.values.to_string())?;
    let inferred = args.indices_in == IndicesIn::Inferred;
    if inferred && window.is_none() {
        bail!("--indices-in inferred needs --kernel: the shape is inferred from the window");
    }
    // The shape that the window gives, which is PyTorch's and ONNX's default.
    let default = window.as_ref().map(|window| Geometry::unpooled_shape(window, pooled));
    let output = match (&asked, &default) {
        (Some(asked), _) => *asked,
        (None, Some(default)) => default.clone().context(BY_DEFAULT)?,
        (None, None) => bail!("--like, --output-shape or --kernel is needed: each says a shape"),
    };
    let in_argmax = || args.argmax.to_string();
    // The shape the indices count in, where the window says it.
    let frame = if inferred { default.transpose()? } else { None };
    let mut taps = None;
    if let (Some(window), false) = (&window, args.scatter) {
        let geometry = match (&args.like, &asked) {
            (Some(_), _) => Geometry::new(window, output)?,
            (None, Some(_)) if !inferred => {
                Geometry::for_pooled(window, *pooled, Some(output.spatial()))
                    .context("--output-shape")?
            }
            (None, _) => Geometry::for_pooled(window, *pooled, None).context(BY_DEFAULT)?,
        };
        if geometry.pooled_shape() != pooled || !inferred && geometry.input_shape() != &output {
            let order = args.window.layout();
            let shown = |shape: &Shape| extents(&order.extents(shape));
            bail!(
                "{} has shape {}; this window pools {} to {}",
                args.values,
                shown(pooled),
                shown(&output),
                shown(Geometry::new(window, output)?.pooled_shape())
            );
        }
        let found = argmax::to_taps(&geometry, indices, args.index_space);
        taps = Some((geometry, found.with_context(in_argmax)?));
    }
    let (space, indices) = match (taps, args.index_space) {
        (Some((geometry, taps)), _) if !inferred => {
            return Ok(Target::Windows(Box::new(geometry), taps));
        }
        (Some((geometry, taps)), _) => {
            (IndexSpace::Plane, taps.to_indices(&geometry, IndexSpace::Plane)?)
        }
        (None, ArgmaxSpace::Indices(space)) => {
            (space, argmax::indices(indices).with_context(in_argmax)?)
        }
        (None, ArgmaxSpace::Taps) => bail!("taps are of a window: --scatter takes indices only"),
    };
    let mut scatter = Scatter::new(*pooled, output, space)?;
    if let Some(frame) = frame {
        scatter = scatter.with_index_shape(frame)?;
    }
    Ok(Target::Cells(scatter, indices))
}

/// Refuses an output that cannot be allocated: a later failure would abort the program.
fn check_memory(output: &Shape, number: Number) -> Result<()> {
    /// Bytes of a sum.
    const SUM: usize = 8;
    let bytes = output.len().and_then(|n| n.checked_mul(number.bytes() + SUM));
    let room = bytes.and_then(|bytes| Vec::<u8>::new().try_reserve_exact(bytes).ok());
    room.with_context(|| format!("no memory for an output of {output}"))
}

/// The result, as an array of the given extents.
fn unpool<T: Cell>(
    engine: &Engine,
    target: &Target,
    values: &Array,
    overlap: Overlap,
    extents: &[usize],
) -> Result<Array> {
    let values = values.numbers::<T>();
    let restored = match target {
        Target::Windows(geometry, taps) => engine.max_unpool(geometry, &values, taps, overlap)?,
        Target::Cells(scatter, indices) => engine.scatter(scatter, &values, indices, overlap)?,
    };
    Ok(Array::new(Number::Element(T::ELEMENT), extents.to_vec(), &restored))
}
