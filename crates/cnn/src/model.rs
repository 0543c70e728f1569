//! A trained network, read from a file.

use std::path::Path;

use bytes::Bytes;
use unpool::Layout;

use crate::error::Error;
use crate::onnx::graph::{Graph, Node};
use crate::onnx::mapped;
use crate::operators;
use crate::plan::{self, Plan};

/// Bytes that the tensors of a run may need in total, unless another limit is set.
const MEMORY: u64 = 8 << 30;

/// An ONNX model, its nodes in the order in which they run. Its shapes are known once it meets an input, in
/// [`Model::plan`].
///
/// ```no_run
/// use unpool_cnn::Model;
///
/// let plan = Model::open("digits.onnx")?.plan(&[1, 1, 32, 32])?;
/// for layer in plan.layers() {
///     println!("{} {} {:?}", layer.name(), layer.operator(), layer.shape());
/// }
/// # Ok::<(), unpool_cnn::Error>(())
/// ```
#[derive(Debug)]
pub struct Model {
    graph: Graph,
    memory: u64,
}

impl Model {
    /// Reads a file, and the files in the same directory that hold its weights, if there are any.
    ///
    /// The files are mapped into memory, and weights read when a [`Session`](crate::Session) gives them to a device:
    /// they must not be changed or shortened as long as the model, or a plan of it, is in use.
    ///
    /// # Errors
    ///
    /// If it cannot be read, is no ONNX model, has a cycle, incomplete weights, more or
    /// less than one input, or an operator set older than 7.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let bytes = mapped::open(path).map_err(|error| Error::File {
            path: path.display().to_string(),
            message: error.to_string(),
        })?;
        let dir = match path.parent() {
            Some(dir) if !dir.as_os_str().is_empty() => dir,
            _ => Path::new("."),
        };
        Self::checked(Graph::decode(bytes, Some(dir))?)
    }

    /// Reads a model that holds all its weights.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Model::open`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Self::checked(Graph::decode(Bytes::copy_from_slice(bytes), None)?)
    }

    fn checked(graph: Graph) -> Result<Self, Error> {
        operators::check(&graph)?;
        Ok(Self { graph, memory: MEMORY })
    }

    /// The operators of ONNX that a model may use, in alphabetical order.
    pub fn operators() -> Vec<&'static str> {
        operators::supported()
    }

    /// Sets the limit of bytes that the tensors of a run may need in total; 8 GiB by default. A plan that
    /// needs more is refused before anything is allocated.
    #[must_use]
    pub fn with_memory_limit(mut self, bytes: u64) -> Self {
        self.memory = bytes;
        self
    }

    /// The extents of the input in the file, `[batch, channels, height, width]`, or with the channels
    /// last where [`input_layout`](Self::input_layout) says so: `None` where any extent is allowed, or
    /// where the file does not state them. The batch is always free.
    pub fn input_dims(&self) -> Option<Vec<Option<usize>>> {
        let dims = self.graph.input_dims.clone()?;
        Some(dims.into_iter().enumerate().map(|(i, dim)| dim.filter(|_| i > 0)).collect())
    }

    /// Whether the file's images have their channels before the spatial axes, or after them as those of
    /// Keras and TensorFlow.
    pub fn input_layout(&self) -> Layout {
        let stated = self.graph.input_dims.iter().flatten().map(|dim| dim.unwrap_or(0));
        plan::layout_of(&self.graph, &stated.collect::<Vec<_>>())
    }

    /// What the file says of itself under a key of its `metadata_props`, such as ONNX's
    /// `Image.NominalPixelRange`.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.graph.metadata.get(key).map(String::as_str)
    }

    /// The largest value of the images that the file reads, 255 or 1, where its type or its first arithmetic tells:
    /// bytes, a division by 255, say, or a mean that is subtracted.
    pub fn largest_pixel(&self) -> Option<f32> {
        if self.graph.reads_bytes {
            return Some(255.0);
        }
        let mut name = &self.graph.input;
        loop {
            let reads = |node: &&Node| node.inputs.iter().any(|input| input == name);
            let node = self.graph.nodes.iter().find(reads)?;
            let other = node.inputs.iter().find(|input| *input != name);
            let weights = other.and_then(|other| self.graph.weights.get(other));
            let largest = || {
                let all = weights?.to_floats().1;
                Some(all.iter().fold(0.0f32, |largest, x| largest.max(x.abs())))
            };
            return match node.operator.as_str() {
                "Transpose" | "Cast" | "Identity" | "Reshape" => {
                    name = node.outputs.first()?;
                    continue;
                }
                "Div" => largest().filter(|&x| x > 64.0).map(|_| 255.0),
                "Mul" => largest().filter(|&x| x > 0.0 && x < 1.0 / 64.0).map(|_| 255.0),
                "Sub" | "Add" => match largest()? {
                    x if x <= 2.0 => Some(1.0),
                    x if x <= 255.0 => Some(255.0),
                    _ => None,
                },
                _ => None,
            };
        }
    }

    /// Every layer's shape and kernels for an input of these extents.
    ///
    /// # Errors
    ///
    /// If the file does not allow them; if a node's operator is not supported, or its operands or
    /// attributes do not fit each other; or if it would need more memory than is allowed.
    pub fn plan(&self, input_shape: &[usize]) -> Result<Plan, Error> {
        Plan::new(&self.graph, input_shape, self.memory)
    }
}
