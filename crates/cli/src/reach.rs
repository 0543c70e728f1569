//! Windows that reach far: an engine against the definition, bit for bit, where the cells of a window lie
//! thousands of cells from each other or a cell has tens of thousands of windows. No vectors of other frameworks
//! go there.

use anyhow::Result;
use unpool::cpu::reference;
use unpool::{Engine, Geometry, Overlap, Padding, Shape, Window};

use crate::check::Check;
use crate::reference::{floats, gradient, numbers};

/// A window over a batch of one image with one channel.
pub(crate) struct Case {
    /// Such as `400x400 k2x2 s1 d300 same, channels first`.
    name: String,
    geometry: Geometry,
}

/// Every case, in both layouts.
pub(crate) fn cases() -> Result<Vec<Case>> {
    let symmetric = |cells: &[usize]| Padding::from(cells);
    let before = Padding::from(vec![(65_535, 0); 2]);
    let windows: [(&[usize], &[usize], usize, Padding); 7] = [
        (&[1, 1], &[3, 3], 181, symmetric(&[181, 181])),
        (&[257, 257], &[2, 2], 255, Padding::Valid),
        (&[400, 400], &[2, 2], 300, Padding::Same),
        (&[65_543], &[2], 65_535, Padding::Valid),
        (&[44, 44, 44], &[2, 2, 2], 40, Padding::Valid),
        (&[1, 1], &[255, 255], 2, symmetric(&[254, 254])),
        (&[8, 8], &[2, 2], 65_535, before),
    ];
    let mut cases = Vec::new();
    for (spatial, kernel, dilation, padding) in windows {
        let axes = kernel.len();
        let window = Window::new(kernel)
            .with_stride(vec![1; axes])
            .with_dilation(vec![dilation; axes])
            .with_padding(padding);
        let first = Shape::channels_first([&[1, 1], spatial].concat());
        let last = Shape::channels_last([&[1], spatial, &[1]].concat());
        for (shape, layout) in [(first, "first"), (last, "last")] {
            let geometry = Geometry::new(&window, shape)?;
            let by_x = |numbers: &[usize]| {
                numbers.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
            };
            let padding = match &padding {
                Padding::Explicit(pads) => format!("padding {}:{}", pads[0].0, pads[0].1),
                Padding::Same => "same".into(),
                _ => "valid".into(),
            };
            let (input, kernel) = (by_x(spatial), by_x(kernel));
            let name = format!("{input} k{kernel} s1 d{dilation} {padding}, channels {layout}");
            cases.push(Case { name, geometry });
        }
    }
    Ok(cases)
}

impl Case {
    /// The first element in which an engine differs from the definition, if any.
    fn difference(&self, engine: &Engine) -> Result<Option<String>, unpool::Error> {
        let geometry = &self.geometry;
        let input = gradient(geometry.input_len());
        let expected = reference::max_pool(geometry, &input)?;
        let found = engine.max_pool(geometry, &input)?;
        let (pooled, taps) = (gradient(geometry.pooled_len()), &expected.taps);
        let unpooled = |overlap| {
            let found = engine.max_unpool(geometry, &pooled, taps, overlap)?;
            let expected = reference::max_unpool(geometry, &pooled, taps, overlap)?;
            Ok::<_, unpool::Error>(floats(&found, &expected))
        };
        let gathered = engine.max_unpool_backward(geometry, &input, taps)?;
        let differences = [
            ("max_pool, values", floats(&found.values, &expected.values)),
            ("max_pool, argmax", numbers(&found.taps, taps)),
            ("max_unpool, last", unpooled(Overlap::Last)?),
            ("max_unpool, sum", unpooled(Overlap::Sum)?),
            (
                "max_unpool_backward",
                floats(&gathered, &reference::max_unpool_backward(geometry, &input, taps)?),
            ),
        ];
        let first = differences.into_iter().find_map(|(output, difference)| {
            let (element, found, expected) = difference?;
            Some(format!("{output}: element {element}: found {found}, expected {expected}"))
        });
        Ok(first)
    }
}

impl Check for Case {
    fn title(&self) -> String {
        format!("{} (the definition)", self.name)
    }

    fn check(&self, engine: &Engine) -> Result<(), String> {
        match self.difference(engine) {
            Ok(None) => Ok(()),
            Ok(Some(difference)) => Err(difference),
            Err(error) => Err(error.to_string()),
        }
    }
}
