//! One case: a window over an input, and the results of a framework.
//!
//! The fields are those of the files, under the same names. A [`Case`] that came from
//! [`Case::parse`] is consistent: its geometry is accepted and every list is as long as its shape
//! says. Whether the numbers are right is the question of [`Case::check`].

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use unpool::{Geometry, GeometryError, IndexSpace, Layout, Overlap, Padding, Shape, Window};

use crate::number::numbers;

/// One case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// A readable name, such as `torch_2d_negative_k1x2_s1x2_d1x1_p0x1_2x4x6x6`.
    pub name: String,
    /// The framework and its version.
    pub source: String,
    /// Where the channels stand.
    #[serde(deserialize_with = "layout")]
    pub layout: Layout,
    /// Extents of the input, in the order of the layout.
    pub input_shape: Vec<usize>,
    /// Extents of the pooled values, in the order of the layout.
    pub pooled_shape: Vec<usize>,
    /// Cells per spatial axis.
    pub kernel: Vec<usize>,
    /// Cells from one window to the next, per spatial axis.
    pub stride: Vec<usize>,
    /// Cells from one cell of the window to the next, per spatial axis.
    pub dilation: Vec<usize>,
    /// How the input is extended.
    #[serde(deserialize_with = "padding")]
    pub padding: Padding,
    /// Whether a last, partial window counts.
    pub ceil: bool,
    /// How `indices` are flattened.
    #[serde(deserialize_with = "index_space")]
    pub index_space: IndexSpace,
    /// Whether the window's stride is such that windows can overlap or interleave, even where there
    /// is only one.
    pub overlapping: bool,
    /// What is pooled, row-major.
    #[serde(deserialize_with = "numbers")]
    pub input: Vec<f32>,
    /// The maxima, row-major.
    #[serde(deserialize_with = "numbers")]
    pub values: Vec<f32>,
    /// Where each maximum was.
    pub indices: Vec<i64>,
    /// The gradient of the pooling.
    pub pool_grad: Option<PoolGrad>,
    /// An unpooling.
    pub unpool: Option<Unpool>,
    /// The gradient of the unpooling.
    pub unpool_grad: Option<UnpoolGrad>,
}

/// The gradient of a pooling: from the pooled values to the input.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolGrad {
    /// Of the pooled shape.
    #[serde(deserialize_with = "numbers")]
    pub grad_output: Vec<f32>,
    /// Of the input's shape.
    #[serde(deserialize_with = "numbers")]
    pub grad_input: Vec<f32>,
}

/// An unpooling of other values to the cells of the same maxima.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unpool {
    /// Of the pooled shape.
    #[serde(deserialize_with = "numbers")]
    pub updates: Vec<f32>,
    /// Of the input's shape.
    #[serde(deserialize_with = "numbers")]
    pub output: Vec<f32>,
    /// What a cell gets that several windows chose.
    pub rule: Rule,
}

/// What a cell gets that several windows chose, in the words of the files.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The last value in raster order.
    Assign,
    /// The sum.
    Sum,
}

impl From<Rule> for Overlap {
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::Assign => Self::Last,
            Rule::Sum => Self::Sum,
        }
    }
}

/// The gradient of an unpooling: from the input's shape to the pooled one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnpoolGrad {
    /// Of the input's shape.
    #[serde(deserialize_with = "numbers")]
    pub grad_output: Vec<f32>,
    /// Of the pooled shape.
    #[serde(deserialize_with = "numbers")]
    pub grad_updates: Vec<f32>,
}

/// Why a line is not a case.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are the numbers of the message, under its own names")]
pub enum Malformed {
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("name or source has a control character")]
    Name,
    #[error("{0}")]
    Geometry(#[from] GeometryError),
    #[error("{field} has {found} elements; {shape_field} {shape} has {}", count(*.allowed))]
    Length {
        field: &'static str,
        found: usize,
        shape_field: &'static str,
        shape: Shape,
        allowed: Option<usize>,
    },
}

fn count(elements: Option<usize>) -> String {
    elements.map_or("more than can be addressed".into(), |n| n.to_string())
}

impl Case {
    /// The case on one line of a file.
    ///
    /// # Errors
    ///
    /// If it is not JSON of this form, the window does not go with the shape, or a list is not as
    /// long as its shape says.
    pub fn parse(line: &[u8]) -> Result<Self, Malformed> {
        let case: Self = serde_json::from_slice(line)?;
        // Both are printed, so they must not move the cursor.
        if case.name.contains(char::is_control) || case.source.contains(char::is_control) {
            return Err(Malformed::Name);
        }
        case.geometry()?;
        let input = ("input_shape", case.input_shape.as_slice());
        let pooled = ("pooled_shape", case.pooled_shape.as_slice());
        case.check_len("input", case.input.len(), input)?;
        case.check_len("values", case.values.len(), pooled)?;
        case.check_len("indices", case.indices.len(), pooled)?;
        if let Some(grad) = &case.pool_grad {
            case.check_len("pool_grad.grad_output", grad.grad_output.len(), pooled)?;
            case.check_len("pool_grad.grad_input", grad.grad_input.len(), input)?;
        }
        if let Some(unpool) = &case.unpool {
            case.check_len("unpool.updates", unpool.updates.len(), pooled)?;
            case.check_len("unpool.output", unpool.output.len(), input)?;
        }
        if let Some(grad) = &case.unpool_grad {
            case.check_len("unpool_grad.grad_output", grad.grad_output.len(), input)?;
            case.check_len("unpool_grad.grad_updates", grad.grad_updates.len(), pooled)?;
        }
        Ok(case)
    }

    /// The window over the shape of the input.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Geometry::new`].
    pub fn geometry(&self) -> Result<Geometry, GeometryError> {
        let window = Window::new(self.kernel.as_slice())
            .with_stride(self.stride.as_slice())
            .with_dilation(self.dilation.as_slice())
            .with_padding(self.padding)
            .with_ceil_mode(self.ceil);
        Geometry::new(&window, Shape::new(self.layout, self.input_shape.as_slice()))
    }

    fn check_len(
        &self,
        field: &'static str,
        found: usize,
        (shape_field, dims): (&'static str, &[usize]),
    ) -> Result<(), Malformed> {
        let shape = Shape::new(self.layout, dims);
        let allowed = shape.len();
        if allowed == Some(found) {
            return Ok(());
        }
        Err(Malformed::Length { field, found, shape_field, shape, allowed })
    }
}

fn layout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Layout, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "NHWC" => Ok(Layout::ChannelsLast),
        "NCHW" => Ok(Layout::ChannelsFirst),
        other => Err(D::Error::unknown_variant(other, &["NHWC", "NCHW"])),
    }
}

fn index_space<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IndexSpace, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

fn padding<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Padding, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "padding is neither a name nor [[before, after], …] per axis")]
    enum Written {
        Named(String),
        Explicit(Vec<(usize, usize)>),
    }
    match Written::deserialize(deserializer)? {
        Written::Explicit(pads) => Ok(Padding::from(pads)),
        Written::Named(name) => match name.as_str() {
            "valid" => Ok(Padding::Valid),
            "same" => Ok(Padding::Same),
            "same_lower" => Ok(Padding::SameLower),
            other => Err(D::Error::unknown_variant(other, &["valid", "same", "same_lower"])),
        },
    }
}
