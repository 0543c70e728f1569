//! The session of a network, kept between images of one size, and the layers to look back from.

use anyhow::{Result, bail};
use unpool_cnn::{Engine, Keep, Layer, Plan, Rule, Session};

use crate::network::{Fitted, Network};
use crate::visualize::args::Args;

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

/// The session for images of one size, reused for the next image where it has the same size.
pub(crate) struct Sessions<'a> {
    pub(crate) args: &'a Args,
    pub(crate) network: &'a Network,
    pub(crate) engine: &'a Engine,
    pub(crate) open: Option<([usize; 4], Session)>,
}

impl Sessions<'_> {
    /// The rules that the arguments name.
    pub(crate) fn rules(&self) -> &'static [Rule] {
        self.args.rule.rules()
    }

    /// Runs an image, and returns the session and the names of the layers to look back from.
    pub(crate) fn forward(&mut self, image: &Fitted) -> Result<(&mut Session, Vec<String>)> {
        let input = self.network.shape(image.size());
        if self.open.as_ref().is_none_or(|(size, _)| *size != input) {
            self.open = None;
            let refused = |error| self.network.refused(error);
            let plan = self.network.model.plan(&input).map_err(refused)?;
            let names = chosen(self.args, &plan)?;
            let mut kept: Vec<_> = names.iter().map(String::as_str).collect();
            let scores = plan.scores().name().to_owned();
            kept.push(&scores);
            kept.extend(plan.last_maps().map(Layer::name));
            let session = Session::new(self.engine, plan.clone(), Keep::Layers(&kept));
            self.open = Some((input, session.map_err(refused)?));
        }
        let Some((_, session)) = &mut self.open else { bail!("no session") };
        let tensor = self.network.tensor(image, &self.args.preprocessing)?;
        session.forward(&tensor).map_err(|error| self.network.refused(error))?;
        let scores = session.plan().scores().name().to_owned();
        self.network.check_finite(&session.activation(&scores)?)?;
        let names = chosen(self.args, session.plan())?;
        Ok((session, names))
    }
}

/// The layers to look back from.
fn chosen(args: &Args, plan: &Plan) -> Result<Vec<String>> {
    if args.all {
        return Ok(plan.layers().iter().map(|l| l.name().to_owned()).collect());
    }
    if !args.layer.is_empty() {
        let mut names: Vec<String> = Vec::new();
        for name in &args.layer {
            let name = plan.layer(name)?.name();
            if !names.iter().any(|other| other == name) {
                names.push(name.to_owned());
            }
        }
        return Ok(names);
    }
    let scores = plan.scores().name().to_owned();
    if args.class.is_some() {
        return Ok(vec![scores]);
    }
    let is_activation =
        |layer: &&Layer| ACTIVATIONS.contains(&layer.operator()) && layer.positions() > 1;
    let mut names: Vec<_> =
        plan.layers().iter().filter(is_activation).map(|l| l.name().to_owned()).collect();
    if names.is_empty() {
        names = plan.layers().iter().map(|l| l.name().to_owned()).collect();
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
