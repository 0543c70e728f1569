//! One unit of a layer, with its response.

/// A unit of a layer, in one image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// Its channel.
    pub channel: usize,
    /// Its position in that channel, flattened.
    pub position: usize,
    /// Its response.
    pub value: f32,
}
