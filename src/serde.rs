//! With the feature `serde`: how [`PerAxis`], [`Shape`], [`Geometry`] and [`Scatter`] are written and read.
//!
//! The other types derive both traits. Values are checked: a list or a shape that is too long to be stored whole
//! is refused, and so are a geometry whose shapes do not fit its window and a scatter whose shapes do not fit
//! each other.

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Error as _, Serialize, Serializer};

use crate::error::GeometryError;
use crate::geometry::Geometry;
use crate::index_space::IndexSpace;
use crate::per_axis::{MAX_AXES, PerAxis};
use crate::scatter::Scatter;
use crate::shape::{Layout, Shape};
use crate::window::Window;

/// A [`PerAxis`] in formats for people: `3` or `[3, 3]`.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
enum Plain<T> {
    Each(Vec<T>),
    All(T),
}

/// A [`PerAxis`] in formats that do not describe themselves.
#[derive(serde::Serialize, serde::Deserialize)]
enum Tagged<T> {
    Each(Vec<T>),
    All(T),
}

impl<T: Copy + Serialize> Serialize for PerAxis<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let values = self.as_slice();
        match (self.axes(), serializer.is_human_readable()) {
            (Some(axes), _) if axes > MAX_AXES => {
                Err(S::Error::custom(format!("a list of {axes} axes is not kept whole")))
            }
            (Some(_), true) => Plain::Each(values.to_vec()).serialize(serializer),
            (Some(_), false) => Tagged::Each(values.to_vec()).serialize(serializer),
            (None, true) => Plain::All(values[0]).serialize(serializer),
            (None, false) => Tagged::All(values[0]).serialize(serializer),
        }
    }
}

impl<'de, T: Copy + Default + Deserialize<'de>> Deserialize<'de> for PerAxis<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(if deserializer.is_human_readable() {
            match Plain::deserialize(deserializer)? {
                Plain::Each(list) => Self::from(list),
                Plain::All(value) => Self::from(value),
            }
        } else {
            match Tagged::deserialize(deserializer)? {
                Tagged::Each(list) => Self::from(list),
                Tagged::All(value) => Self::from(value),
            }
        })
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "Shape")]
struct WrittenShape {
    layout: Layout,
    dims: Vec<usize>,
}

impl Serialize for Shape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let dims = self.dims().to_vec();
        if dims.len() < self.rank() {
            let message = format!("a shape of {} dimensions is not kept whole", self.rank());
            return Err(S::Error::custom(message));
        }
        WrittenShape { layout: self.layout(), dims }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let WrittenShape { layout, dims } = WrittenShape::deserialize(deserializer)?;
        Ok(Self::new(layout, dims))
    }
}

/// The pooled shape does not follow from window and input where [`Geometry::for_pooled`] was given a
/// size that pooling rounds another way.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "Geometry")]
struct WrittenGeometry {
    window: Window,
    input_shape: Shape,
    pooled_shape: Shape,
}

impl Serialize for Geometry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (input_shape, pooled_shape) = (*self.input_shape(), *self.pooled_shape());
        WrittenGeometry { window: *self.window(), input_shape, pooled_shape }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Geometry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        WrittenGeometry::deserialize(deserializer)?.checked().map_err(D::Error::custom)
    }
}

impl WrittenGeometry {
    fn checked(self) -> Result<Geometry, GeometryError> {
        let Self { window, input_shape, pooled_shape } = self;
        if let Ok(geometry) = Geometry::new(&window, input_shape)
            && *geometry.pooled_shape() == pooled_shape
        {
            return Ok(geometry);
        }
        let geometry = Geometry::for_pooled(&window, pooled_shape, Some(input_shape.spatial()))?;
        if *geometry.input_shape() != input_shape {
            let (found, allowed) = (pooled_shape.to_string(), input_shape.to_string());
            return Err(GeometryError::Mismatch { found, allowed });
        }
        Ok(geometry)
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "Scatter")]
struct WrittenScatter {
    pooled_shape: Shape,
    output_shape: Shape,
    index_shape: Shape,
    index_space: IndexSpace,
}

impl Serialize for Scatter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = WrittenScatter {
            pooled_shape: *self.pooled_shape(),
            output_shape: *self.output_shape(),
            index_shape: *self.index_shape(),
            index_space: self.index_space(),
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Scatter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = WrittenScatter::deserialize(deserializer)?;
        Self::new(written.pooled_shape, written.output_shape, written.index_space)
            .and_then(|scatter| scatter.with_index_shape(written.index_shape))
            .map_err(D::Error::custom)
    }
}
