//! An event file, and what can be put into it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use prost::Message;

use crate::histogram::Histogram;
use crate::proto::{
    AttrList, AttrValue, Content, Dim, Event, GraphDef, Image, Metadata, NodeDef, PluginData,
    STRING, Summary, Tensor, TensorShape, Value, Versions, What,
};
use crate::record::record;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be made or written.
    #[error("{}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A picture's extents are not those of a picture.
    #[error("picture {tag:?} has {width}×{height} pixels; 1×1 to {largest}×{largest} are allowed", largest = i32::MAX)]
    Size {
        /// The tag it was to be written under.
        tag: String,
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
    },
    /// Pictures of one batch differ in size.
    #[error("picture {index} of {tag:?} has {found:?} pixels; the first has {allowed:?}")]
    Batch {
        /// The tag of the batch.
        tag: String,
        /// The picture.
        index: usize,
        /// Its width and height.
        found: (u32, u32),
        /// Those of the first.
        allowed: (u32, u32),
    },
}

/// A picture that is encoded already.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// The bytes of a PNG, JPEG or GIF file.
    pub encoded: &'a [u8],
}

/// A node of a graph to be drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// Its name; `a/b` is drawn inside a box `a`.
    pub name: String,
    /// Its operator.
    pub operator: String,
    /// The names of the nodes it reads.
    pub inputs: Vec<String>,
    /// Extents of what it makes.
    pub shape: Vec<usize>,
}

/// An event file being written.
///
/// ```
/// use unpool_tensorboard::{Histogram, Writer};
///
/// let dir = std::env::temp_dir().join("unpool-tensorboard-example");
/// let mut writer = Writer::create(&dir)?;
/// for step in 0..10 {
///     writer.scalar("loss", step, 1.0 / (step + 1) as f32)?;
/// }
/// writer.histogram("weights", 0, Histogram::of(&[0.1, -0.2, 0.3]))?;
/// writer.text("note", 0, "*Markdown* is shown.")?;
/// writer.finish()?;
/// # std::fs::remove_dir_all(dir).ok();
/// # Ok::<(), unpool_tensorboard::Error>(())
/// ```
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Writer {
    /// Creates a directory if it does not exist, and a new event file in it.
    ///
    /// # Errors
    ///
    /// If that is not allowed.
    pub fn create(dir: impl AsRef<Path>) -> Result<Self, Error> {
        let dir = dir.as_ref();
        let told = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::File { path, source }
        };
        fs::create_dir_all(dir).map_err(told(dir))?;
        let since = now();
        // Files of one directory are read in the order of their names; a number distinguishes those
        // that one process makes in one second.
        let mut number = 0;
        let (path, file) = loop {
            let name = format!(
                "events.out.tfevents.{:010}.unpool.{}.{number}",
                since as u64,
                std::process::id()
            );
            let path = dir.join(name);
            match File::create_new(&path) {
                Ok(file) => break (path, file),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(told(&path)(error)),
            }
        };
        let mut writer = Self { path, file: BufWriter::new(file) };
        writer.event(0, What::FileVersion("brain.Event:2".into()))?;
        Ok(writer)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A number.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn scalar(&mut self, tag: &str, step: i64, value: f32) -> Result<(), Error> {
        self.summary(tag, step, Content::Scalar(value), None)
    }

    /// A picture.
    ///
    /// # Errors
    ///
    /// If it has no pixels, or the file cannot be written.
    pub fn image(&mut self, tag: &str, step: i64, picture: Picture<'_>) -> Result<(), Error> {
        let [width, height] = size(tag, &picture)?;
        let image =
            Image { height, width, colorspace: 3, encoded_image_string: picture.encoded.to_vec() };
        self.summary(tag, step, Content::Image(image), None)
    }

    /// Pictures of one size under one tag, shown in a row.
    ///
    /// # Errors
    ///
    /// If one has no pixels or another size than the first, or the file cannot be written.
    pub fn images(&mut self, tag: &str, step: i64, pictures: &[Picture<'_>]) -> Result<(), Error> {
        let Some(first) = pictures.first() else { return Ok(()) };
        let allowed = (first.width, first.height);
        let [width, height] = size(tag, first)?;
        for (index, picture) in pictures.iter().enumerate() {
            let found = (picture.width, picture.height);
            if found != allowed {
                return Err(Error::Batch { tag: tag.into(), index, found, allowed });
            }
        }
        let mut strings = vec![width.to_string().into_bytes(), height.to_string().into_bytes()];
        strings.extend(pictures.iter().map(|picture| picture.encoded.to_vec()));
        let shape = vec![Dim { size: strings.len() as i64 }];
        self.summary(tag, step, tensor(shape, strings), Some("images"))
    }

    /// How values are spread.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn histogram(&mut self, tag: &str, step: i64, histogram: Histogram) -> Result<(), Error> {
        self.summary(tag, step, Content::Histogram(histogram.into_proto()), None)
    }

    /// Text, shown as Markdown.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn text(&mut self, tag: &str, step: i64, text: &str) -> Result<(), Error> {
        let strings = vec![text.as_bytes().to_vec()];
        self.summary(tag, step, tensor(Vec::new(), strings), Some("text"))
    }

    /// A graph. TensorBoard shows one for each directory.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn graph(&mut self, nodes: &[Node]) -> Result<(), Error> {
        let node = nodes.iter().map(definition).collect();
        // Any producer that knows what a graph is.
        let graph = GraphDef { node, versions: Some(Versions { producer: 22 }) };
        self.event(0, What::Graph(graph.encode_to_vec()))
    }

    /// Writes what is still in memory.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.file.flush().map_err(|source| Error::File { path: self.path.clone(), source })
    }

    /// Writes what is still in memory and closes the file. Dropping a writer does the same and
    /// says nothing of what goes wrong.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn finish(mut self) -> Result<(), Error> {
        self.flush()
    }

    fn summary(
        &mut self,
        tag: &str,
        step: i64,
        content: Content,
        plugin: Option<&str>,
    ) -> Result<(), Error> {
        let metadata = plugin.map(|name| Metadata {
            plugin_data: Some(PluginData { plugin_name: name.into() }),
            description: String::new(),
        });
        let value = Value { tag: tag.into(), metadata, content: Some(content) };
        self.event(step, What::Summary(Summary { value: vec![value] }))
    }

    fn event(&mut self, step: i64, what: What) -> Result<(), Error> {
        let event = Event { wall_time: now(), step, what: Some(what) };
        self.file
            .write_all(&record(&event.encode_to_vec()))
            .map_err(|source| Error::File { path: self.path.clone(), source })
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

fn size(tag: &str, picture: &Picture<'_>) -> Result<[i32; 2], Error> {
    let (width, height) = (picture.width, picture.height);
    let refused = || Error::Size { tag: tag.into(), width, height };
    let side = |n: u32| i32::try_from(n).ok().filter(|&n| n > 0).ok_or_else(refused);
    Ok([side(width)?, side(height)?])
}

fn tensor(dim: Vec<Dim>, string_val: Vec<Vec<u8>>) -> Content {
    let tensor_shape = Some(TensorShape { dim });
    Content::Tensor(Tensor { dtype: STRING, tensor_shape, string_val })
}

fn definition(node: &Node) -> NodeDef {
    let dim = node.shape.iter().map(|&n| Dim { size: n as i64 }).collect();
    let list = AttrList { shape: vec![TensorShape { dim }] };
    let attr = HashMap::from([("_output_shapes".into(), AttrValue { list: Some(list) })]);
    NodeDef { name: node.name.clone(), op: node.operator.clone(), input: node.inputs.clone(), attr }
}
