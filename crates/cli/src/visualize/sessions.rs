//! The session of a network, kept between images of one size, and the layers to explain.

use anyhow::{Result, bail};
use indicatif::ProgressBar;
use unpool_cnn::{Engine, Keep, Layer, Plan, Session};

use crate::network::{Fitted, Labels, Network, Preprocessing};
use crate::options::distinct;
use crate::terminal::progress;
use crate::visualize::args::Args;
use crate::visualize::batch::Batch;
use crate::visualize::method::Method;

/// Number of layers that are shown if none is named.
const LAYERS: usize = 6;

/// Operators after which a layer is shown by default.
const ACTIVATIONS: [&str; 12] = [
    "Relu",
    "LeakyRelu",
    "PRelu",
    "Clip",
    "Elu",
    "Selu",
    "Gelu",
    "HardSwish",
    "Swish",
    "Mish",
    "Softplus",
    "Sigmoid",
];

/// What is asked of a network.
pub(crate) struct Request<'a> {
    pub(crate) args: &'a Args,
    pub(crate) network: &'a Network,
    pub(crate) preprocessing: Preprocessing,
    pub(crate) methods: Vec<Method>,
    /// Whether a terminal gets bars.
    shows_bars: bool,
}

impl<'a> Request<'a> {
    pub(crate) fn new(args: &'a Args, network: &'a Network, shows_bars: bool) -> Self {
        let asks_for_units = args.asks_for_units() || args.top.is_some();
        let usual: &[_] = if asks_for_units { &Method::OF_UNITS } else { &Method::OF_A_CLASS };
        let preprocessing = args.preprocessing.chosen(&network.model);
        Self { args, network, preprocessing, methods: args.methods_or(usual), shows_bars }
    }

    /// A progress bar of some steps; `of` names what is counted.
    pub(crate) fn progress(&self, steps: usize, of: &str) -> Result<ProgressBar> {
        if self.shows_bars { progress(steps, of) } else { Ok(ProgressBar::hidden()) }
    }
}

/// The session for images of one size, reused for the next image where it has the same size.
pub(crate) struct Sessions<'a> {
    pub(crate) request: &'a Request<'a>,
    engine: &'a Engine,
    open: Option<Opened>,
}

/// A session, and what belongs to its plan.
pub(crate) struct Opened {
    input: [usize; 4],
    pub(crate) session: Session,
    /// The layers to explain.
    pub(crate) names: Vec<String>,
    /// The layer of the class scores.
    pub(crate) scores: String,
    pub(crate) labels: Labels,
}

impl<'a> Sessions<'a> {
    pub(crate) fn new(request: &'a Request<'a>, engine: &'a Engine) -> Self {
        Self { request, engine, open: None }
    }

    /// The session, once an image has run.
    pub(crate) fn opened(&self) -> Option<&Opened> {
        self.open.as_ref()
    }

    /// Runs images, and returns their session and their tensors, one after the other.
    pub(crate) fn forward(&mut self, batch: &Batch<'_>) -> Result<(&mut Opened, Vec<f32>)> {
        let network = self.request.network;
        let [first, others @ ..] = batch.images else { bail!("no image") };
        let [_, rest @ ..] = network.shape(first.size());
        let input = [batch.size, rest[0], rest[1], rest[2]];
        if self.open.as_ref().is_none_or(|open| open.input != input) {
            self.open = None;
            self.open = Some(self.opening(input)?);
        }
        let mut tensors = Vec::with_capacity(input.iter().product());
        let last = others.last().unwrap_or(first);
        let fill = std::iter::repeat_n(last, batch.size - batch.images.len());
        for image in batch.images.iter().chain(fill) {
            tensors.extend(network.tensor(image, &self.request.preprocessing)?);
        }
        let Some(open) = &mut self.open else { bail!("no session") };
        open.session.forward(&tensors).map_err(|error| network.refused(error))?;
        network.check_finite(&open.session.activation(&open.scores)?)?;
        Ok((open, tensors))
    }

    /// The images in the order given, in batches of one size that a device has room for; single ones if
    /// the model has no batches.
    pub(crate) fn batches<'b>(&self, images: &'b [Fitted]) -> Result<Vec<Batch<'b>>> {
        let network = self.request.network;
        let mut batches = Vec::new();
        for alike in images.chunk_by(|a, b| a.size() == b.size()) {
            let one = network.model.plan(&network.shape(alike[0].size()));
            let one = one.map_err(|error| network.refused(error))?;
            let mut names = chosen(self.request.args, &one)?;
            names.extend([one.scores().name().to_owned()]);
            names.extend(one.last_maps().map(|layer| layer.name().to_owned()));
            batches.extend(Batch::all(alike, &network.model, &one, &names));
        }
        Ok(batches)
    }

    fn opening(&self, input: [usize; 4]) -> Result<Opened> {
        let Request { args, network, methods, .. } = self.request;
        let refused = |error| network.refused(error);
        let plan = network.model.plan(&input).map_err(refused)?;
        let names = chosen(args, &plan)?;
        let scores = plan.scores().name().to_owned();
        let labels = Labels::of(&args.labels, &network.model, plan.scores().channels())?;
        let mut kept: Vec<_> = names.iter().map(String::as_str).collect();
        kept.push(&scores);
        kept.extend(plan.last_maps().map(Layer::name));
        let keep = match methods.iter().any(|method| method.is_relevance()) {
            true => Keep::Relevance(&kept),
            false => Keep::Layers(&kept),
        };
        let session = Session::new(self.engine, plan.clone(), keep).map_err(refused)?;
        Ok(Opened { input, session, names, scores, labels })
    }
}

/// The layers to explain.
fn chosen(args: &Args, plan: &Plan) -> Result<Vec<String>> {
    if args.all {
        return Ok(plan.layers().iter().map(|l| l.name().to_owned()).collect());
    }
    if !args.layer.is_empty() {
        let named = args.layer.iter().map(|name| Ok(plan.layer(name)?.name().to_owned()));
        return Ok(distinct(named.collect::<Result<Vec<_>>>()?));
    }
    let scores = plan.scores().name().to_owned();
    let with_maps = || plan.layers().iter().filter(|layer| plan.has_maps(layer));
    let activations = with_maps().filter(|layer| ACTIVATIONS.contains(&layer.operator()));
    let mut names: Vec<_> = activations.map(|l| unbounded(plan, l).name().to_owned()).collect();
    if names.is_empty() {
        names = with_maps().map(|l| l.name().to_owned()).collect();
    }
    names.retain(|name| *name != scores);
    // The last activation, and others at even distances before it.
    let (count, keep) = (names.len(), LAYERS - 1);
    if count > keep {
        names = (1..=keep).map(|i| names[i * count / keep - 1].clone()).collect();
    }
    names.push(scores);
    Ok(names)
}

/// The layer itself, or if its function has a largest value, the one that it reads: nothing goes back
/// from a unit that has reached that value, and many do.
fn unbounded<'a>(plan: &'a Plan, layer: &'a Layer) -> &'a Layer {
    let bounded = ["Clip", "Sigmoid", "HardSigmoid"].contains(&layer.operator());
    let input = layer.inputs().first().filter(|_| bounded);
    let read = input.and_then(|name| plan.layers().iter().find(|l| l.output() == name));
    read.unwrap_or(layer)
}
