//! `Network`: a trained network, forward to its layers and back to its input.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use unpool_cnn::{Activation, Ascent, Error, Keep, Model, Plan, Projection, Session, Strongest};

use crate::attribution::attribution;
use crate::engines::engine;
use crate::errors::{network_refused, refused};
use crate::target::{cam, rule, target};

/// A network. Its session is made for the shape of the images that it meets, and made anew when the
/// shape changes.
#[pyclass(frozen, module = "unpool._unpool")]
pub(crate) struct Network {
    model: Arc<Model>,
    device: String,
    /// The layers to keep; all if `None`.
    keep: Option<Vec<String>>,
    relevance: bool,
    session: Mutex<Option<Session>>,
}

/// A tensor as its elements and its shape.
type Tensor<'py> = (Bound<'py, PyArray1<f32>>, Bound<'py, PyTuple>);

/// A unit as channel, position and response.
type Unit = Option<(usize, usize, f32)>;

fn tensor<'py>(py: Python<'py>, activation: Activation) -> PyResult<Tensor<'py>> {
    let Activation { shape, data } = activation;
    Ok((PyArray1::from_vec(py, data), PyTuple::new(py, shape)?))
}

fn projected<'py>(py: Python<'py>, projection: Projection) -> PyResult<(Tensor<'py>, Vec<Unit>)> {
    let Projection { map, units } = projection;
    let units = units.into_iter().map(|unit| unit.map(|u| (u.channel, u.position, u.value)));
    Ok((tensor(py, map)?, units.collect()))
}

impl Network {
    /// The model, for what draws it.
    pub(crate) fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// The device that was asked for.
    pub(crate) fn device(&self) -> &str {
        &self.device
    }

    fn lock(&self) -> MutexGuard<'_, Option<Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a session for images of a shape, unless there is one.
    fn prepare<'a>(
        &self,
        session: &'a mut Option<Session>,
        shape: &[usize],
    ) -> PyResult<&'a mut Session> {
        if session.as_ref().is_none_or(|session| session.plan().input_shape() != shape) {
            let plan = self.model.plan(shape).map_err(network_refused)?;
            // Its memory is free before the next one takes as much.
            *session = None;
            let engine = engine(&self.device).map_err(refused)?;
            let names: Vec<_> = self.keep.iter().flatten().map(String::as_str).collect();
            let keep = match (&self.keep, self.relevance) {
                (None, _) => Keep::All,
                (Some(_), false) => Keep::Layers(&names),
                (Some(_), true) => Keep::Relevance(&names),
            };
            *session = Some(Session::new(&engine, plan, keep).map_err(network_refused)?);
        }
        session.as_mut().ok_or_else(not_run)
    }

    /// Runs `f` on the session of the last images, without the interpreter's lock.
    fn on_session<T: Send>(
        &self,
        py: Python<'_>,
        f: impl FnOnce(&mut Session) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        py.detach(|| {
            let mut session = self.lock();
            f(session.as_mut().ok_or_else(not_run)?).map_err(network_refused)
        })
    }

    /// A plan for a shape, or for that of the last images, or for the file's own.
    fn with_plan<T: Send>(
        &self,
        py: Python<'_>,
        shape: Option<Vec<usize>>,
        f: impl FnOnce(&Plan) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        py.detach(|| {
            if shape.is_none()
                && let Some(session) = self.lock().as_ref()
            {
                return f(session.plan()).map_err(network_refused);
            }
            let plan = self.model.plan(&self.usual_shape(shape)?).map_err(network_refused)?;
            f(&plan).map_err(network_refused)
        })
    }

    fn usual_shape(&self, shape: Option<Vec<usize>>) -> PyResult<Vec<usize>> {
        if let Some(shape) = shape {
            return Ok(shape);
        }
        let dims = self.model.input_dims().unwrap_or_default();
        let known: Option<Vec<_>> = dims.iter().skip(1).copied().collect();
        match known {
            Some(known) if !known.is_empty() => Ok([vec![1], known].concat()),
            _ => Err(PyValueError::new_err(
                "the file leaves extents of its input open; input_shape says them",
            )),
        }
    }
}

fn not_run() -> PyErr {
    PyValueError::new_err("no images were run; forward runs them")
}

/// A layer: name, operator, shape, channels, parameters, inputs, layout, whether it has maps.
type LayerParts = (String, String, Vec<usize>, usize, usize, Vec<String>, &'static str, bool);

#[pymethods]
impl Network {
    #[new]
    #[pyo3(signature = (path, content, keep, relevance, memory_limit, device))]
    fn new(
        py: Python<'_>,
        path: Option<std::path::PathBuf>,
        content: Option<&[u8]>,
        keep: Option<Vec<String>>,
        relevance: bool,
        memory_limit: Option<u64>,
        device: String,
    ) -> PyResult<Self> {
        let model = py.detach(|| {
            engine(&device).map_err(refused)?;
            match (path, content) {
                (Some(path), _) => Model::open(path).map_err(network_refused),
                (None, content) => {
                    Model::from_bytes(content.unwrap_or_default()).map_err(network_refused)
                }
            }
        })?;
        let model = match memory_limit {
            Some(bytes) => model.with_memory_limit(bytes),
            None => model,
        };
        Ok(Self { model: model.into(), device, keep, relevance, session: Mutex::new(None) })
    }

    /// The operators of ONNX that a network may use.
    #[staticmethod]
    fn operators() -> Vec<&'static str> {
        Model::operators()
    }

    /// The extents of the input in the file.
    fn input_dims(&self) -> Option<Vec<Option<usize>>> {
        self.model.input_dims()
    }

    /// Whether channels come first or last in the input.
    fn input_layout(&self) -> &'static str {
        self.model.input_layout().name()
    }

    /// The largest value of an image, if the file tells.
    fn largest_pixel(&self) -> Option<f32> {
        self.model.largest_pixel()
    }

    /// What the file says of itself under a key.
    fn metadata(&self, key: &str) -> Option<&str> {
        self.model.metadata(key)
    }

    /// The parts of each layer.
    fn layers(&self, py: Python<'_>, shape: Option<Vec<usize>>) -> PyResult<Vec<LayerParts>> {
        self.with_plan(py, shape, |plan| {
            let layers = plan.layers().iter().map(|layer| {
                (
                    layer.name().to_owned(),
                    layer.operator().to_owned(),
                    layer.shape().to_vec(),
                    layer.channels(),
                    layer.parameters(),
                    layer.inputs().to_vec(),
                    layer.layout().name(),
                    plan.has_maps(layer),
                )
            });
            Ok(layers.collect())
        })
    }

    /// The names of the output layer, of that of the class scores, and of the last one with maps.
    fn ends(
        &self,
        py: Python<'_>,
        shape: Option<Vec<usize>>,
    ) -> PyResult<(String, String, Option<String>)> {
        self.with_plan(py, shape, |plan| {
            let maps = plan.last_maps().map(|layer| layer.name().to_owned());
            Ok((plan.output().name().to_owned(), plan.scores().name().to_owned(), maps))
        })
    }

    /// The first and the last cell on each axis that a unit depends on, and whether it is all.
    fn receptive_field(
        &self,
        py: Python<'_>,
        layer: &str,
        position: usize,
        shape: Option<Vec<usize>>,
    ) -> PyResult<(Vec<(i64, i64)>, bool)> {
        self.with_plan(py, shape, |plan| {
            let layer = plan.layer(layer)?;
            if position >= layer.positions() {
                return Err(Error::Target {
                    layer: layer.name().into(),
                    found: format!("position {position}"),
                    allowed: format!("0 to {} are allowed", layer.positions().max(1) - 1),
                });
            }
            let region = plan.receptive_field(layer, position);
            Ok((region.axes, region.whole))
        })
    }

    /// Bytes of the weights and of the tensors of the session.
    fn memory(&self) -> Option<(u64, u64)> {
        let memory = self.lock().as_ref()?.memory();
        Some((memory.weights, memory.tensors))
    }

    /// Runs images of a shape, and returns the output.
    fn forward<'py>(
        &self,
        py: Python<'py>,
        images: PyReadonlyArray1<'py, f32>,
        shape: Vec<usize>,
    ) -> PyResult<Tensor<'py>> {
        let images = images.as_slice().map_err(|e| PyValueError::new_err(e.to_string()))?;
        let output = py.detach(|| {
            let mut session = self.lock();
            let session = self.prepare(&mut session, &shape)?;
            session.forward(images).map_err(network_refused)?;
            session.output().map_err(network_refused)
        })?;
        tensor(py, output)
    }

    /// The responses of a layer to the last images.
    fn activation<'py>(&self, py: Python<'py>, layer: &str) -> PyResult<Tensor<'py>> {
        tensor(py, self.on_session(py, |session| session.activation(layer))?)
    }

    /// Looks back from a layer to the input or to another layer.
    fn look_back<'py>(
        &self,
        py: Python<'py>,
        layer: &str,
        at: &Bound<'py, PyAny>,
        by: &str,
        end: Option<&str>,
    ) -> PyResult<(Tensor<'py>, Vec<Unit>)> {
        let (target, rule) = (target(at)?, rule(by)?);
        let projection = self.on_session(py, |session| match end {
            Some(end) => session.look_back_to(layer, target, rule, end),
            None => session.look_back(layer, target, rule),
        })?;
        projected(py, projection)
    }

    /// A class activation map in the maps of a layer.
    fn class_activation<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        layer: &str,
        of: &Bound<'py, PyAny>,
        at: &str,
    ) -> PyResult<Tensor<'py>> {
        let (cam, target) = (cam(method)?, target(of)?);
        let map = self.on_session(py, |s| s.class_activation(cam, layer, target, at))?;
        tensor(py, map)
    }

    /// How much each element of images counts for a target.
    #[allow(clippy::too_many_arguments, reason = "the images, the target and the method")]
    fn attribute<'py>(
        &self,
        py: Python<'py>,
        images: PyReadonlyArray1<'py, f32>,
        shape: Vec<usize>,
        layer: &str,
        of: &Bound<'py, PyAny>,
        method: &str,
        parameters: &Bound<'py, PyDict>,
    ) -> PyResult<(Tensor<'py>, Vec<Unit>)> {
        let (target, method) = (target(of)?, attribution(method, parameters)?);
        let images = images.as_slice().map_err(|e| PyValueError::new_err(e.to_string()))?;
        let projection = py.detach(|| {
            let mut session = self.lock();
            let session = self.prepare(&mut session, &shape)?;
            session.attribute(&method, images, layer, target).map_err(network_refused)
        })?;
        projected(py, projection)
    }

    /// Images for which a target responds strongly, one for each image of a batch of a shape.
    #[allow(clippy::too_many_arguments, reason = "the target, and the parameters of the ascent")]
    fn maximize<'py>(
        &self,
        py: Python<'py>,
        shape: Option<Vec<usize>>,
        layer: &str,
        of: &Bound<'py, PyAny>,
        range: Vec<(f32, f32)>,
        counts: (usize, u64, bool),
        rates: (f32, f32, f32),
    ) -> PyResult<Tensor<'py>> {
        let target = target(of)?;
        let ((steps, seed, shifts), (rate, decay, blur)) = (counts, rates);
        let ascent = Ascent { steps, rate, decay, blur, shifts, range, seed };
        let images = py.detach(|| {
            let shape = self.usual_shape(shape)?;
            let mut session = self.lock();
            let session = self.prepare(&mut session, &shape)?;
            session.maximize(layer, target, &ascent).map_err(network_refused)
        })?;
        tensor(py, images)
    }

    /// The strongest units of a channel over images: image, channel, position and response of each.
    fn strongest<'py>(
        &self,
        py: Python<'py>,
        images: PyReadonlyArray1<'py, f32>,
        shape: Vec<usize>,
        layer: &str,
        channel: usize,
        count: usize,
    ) -> PyResult<Vec<(usize, usize, usize, f32)>> {
        let images = images.as_slice().map_err(|e| PyValueError::new_err(e.to_string()))?;
        let activation = py.detach(|| {
            let mut session = self.lock();
            let session = self.prepare(&mut session, &shape)?;
            let planned = session.plan().layer(layer).map_err(network_refused)?;
            let (channels, layout) = (planned.channels(), planned.layout());
            if channel >= channels {
                return Err(network_refused(Error::Target {
                    layer: layer.into(),
                    found: format!("channel {channel}"),
                    allowed: format!("0 to {} are allowed", channels.max(1) - 1),
                }));
            }
            session.forward(images).map_err(network_refused)?;
            let activation = session.activation(layer).map_err(network_refused)?;
            Ok(activation.channels_first(layout))
        })?;
        let batch = activation.shape.first().copied().unwrap_or(1);
        let mut strongest = Strongest::new(channel, count, batch);
        for image in 0..batch {
            strongest.offer(image, &activation, image);
        }
        let found = strongest.found().iter();
        Ok(found.map(|f| (f.image, f.unit.channel, f.unit.position, f.unit.value)).collect())
    }

    /// Sends any signal of a layer's shape back to the input.
    fn vector_jacobian<'py>(
        &self,
        py: Python<'py>,
        layer: &str,
        signal: PyReadonlyArray1<'py, f32>,
        by: &str,
    ) -> PyResult<Tensor<'py>> {
        let rule = rule(by)?;
        let signal = signal.as_slice().map_err(|e| PyValueError::new_err(e.to_string()))?;
        tensor(py, self.on_session(py, |session| session.vector_jacobian(layer, signal, rule))?)
    }
}
