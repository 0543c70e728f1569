//! The measured cases: one table for `cargo bench` and `unpool bench`.

use unpool::{Element, Geometry, GeometryError, Padding, Shape, Window};

use crate::op::Op;

/// A geometry and an element type, with the name that results are listed under.
#[derive(Clone, Debug)]
pub struct Case {
    /// Such as `nhwc_2x2`.
    pub name: &'static str,
    /// Window and input.
    pub geometry: Geometry,
    /// f32 or f16.
    pub element: Element,
}

impl Case {
    /// Bytes of the tensor that is pooled.
    pub fn input_bytes(&self) -> u64 {
        (self.geometry.input_len() * self.element.bytes()) as u64
    }

    /// Bytes that an operation must move: each operand once. The gradient of unpooling reads only the
    /// winning cells of its large operand.
    pub fn bytes(&self, op: Op) -> u64 {
        let values = (self.geometry.pooled_len() * self.element.bytes()) as u64;
        let taps = self.geometry.taps_bytes();
        match op {
            Op::MaxUnpoolBackward => 2 * values + taps,
            Op::MaxPool | Op::MaxUnpool | Op::MaxPoolBackward => self.input_bytes() + values + taps,
        }
    }
}

/// Every case, the `huge` one last.
///
/// # Errors
///
/// Never: the table is fixed.
pub fn cases() -> Result<Vec<Case>, GeometryError> {
    let (nhwc, nchw) =
        (Shape::channels_last([8, 112, 112, 64]), Shape::channels_first([8, 64, 112, 112]));
    let two = Window::new([2, 2]);
    let stem = Window::new([3, 3]).with_stride([2, 2]).with_padding([1, 1]);
    let same = Window::new([2, 2]).with_padding(Padding::Same);
    let (f32, f16) = (Element::F32, Element::F16);
    [
        ("nhwc_2x2", &two, nhwc, f32),
        ("nchw_2x2", &two, nchw, f32),
        ("nhwc_3x3s2", &stem, nhwc, f32),
        ("nchw_3x3s2", &stem, nchw, f32),
        ("nhwc_odd", &same, Shape::channels_last([4, 113, 111, 67]), f32),
        ("nchw_3d", &Window::new([2, 2, 2]), Shape::channels_first([2, 32, 16, 56, 56]), f32),
        ("ncl_1d", &Window::new([4]), Shape::channels_first([32, 64, 16384]), f32),
        ("nhwc_2x2_f16", &two, nhwc, f16),
        ("nchw_2x2_f16", &two, nchw, f16),
        ("tiny", &two, Shape::channels_last([1, 8, 8, 4]), f32),
        ("huge", &two, Shape::channels_last([90, 224, 224, 64]), f32),
    ]
    .into_iter()
    .map(|(name, window, shape, element)| {
        Ok(Case { name, geometry: Geometry::new(window, shape)?, element })
    })
    .collect()
}

/// 2×2 pooling of tensors from 4 KiB to over 1 GiB, to show how time grows with bytes.
///
/// # Errors
///
/// Never: the table is fixed.
pub fn growth() -> Result<Vec<Case>, GeometryError> {
    let sides = (2..=11).map(|power| (1 << power, 1 << power));
    sides
        .chain([(2048, 2304)])
        .map(|(height, width)| {
            let shape = Shape::channels_last([1, height, width, 64]);
            let geometry = Geometry::new(&Window::new([2, 2]), shape)?;
            Ok(Case { name: "growth", geometry, element: Element::F32 })
        })
        .collect()
}
