//! Values between the cells of an image: a sum over the cells around a point, each weighted by its distance.
//!
//! Cells are taken at computed positions, and weights are functions of each element, so that the way back to image
//! and points is theirs.

use crate::error::Fault;
use crate::kernel::{Function, Kernel, Pair, Take};
use crate::onnx::graph::Node;
use crate::plan::builder::Builder;
use crate::plan::refusal::Refusal;
use crate::plan::value::Tensor;

/// Cells of a plane that an f32 can number.
pub(super) const CELLS: usize = 1 << 24;

/// The factor of cubic interpolation.
const CUBIC: f32 = -0.75;

/// How values between cells are made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Between {
    Nearest,
    Linear,
    Cubic,
}

/// What lies outside the image.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outside {
    Zeros,
    Border,
    Reflection,
}

/// How points on an axis are read.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    pub(super) between: Between,
    pub(super) outside: Outside,
    /// Where the image begins and ends, for reflection.
    pub(super) ends: (f32, f32),
    pub(super) extent: usize,
}

/// The cells of an axis at one distance from the points, and their weights; none where all are 1.
pub(super) struct Neighbours {
    pub(super) cells: Tensor,
    pub(super) weights: Option<Tensor>,
}

impl Builder<'_> {
    pub(super) fn number(&mut self, value: f32) -> Tensor {
        self.numbers(vec![value], &[1])
    }

    /// `x·factor + shift`.
    pub(super) fn scaled_and_shifted(
        &mut self,
        node: &Node,
        x: &Tensor,
        (factor, shift): (f32, f32),
    ) -> Result<Tensor, Refusal> {
        let (factor, shift) = (self.number(factor), self.number(shift));
        let scaled = self.combined(node, Pair::Mul, x, &factor)?;
        self.combined(node, Pair::Add, &scaled, &shift)
    }

    /// Points mirrored at both ends of an axis, as often as it takes.
    fn reflected(
        &mut self,
        node: &Node,
        x: &Tensor,
        (low, high): (f32, f32),
    ) -> Result<Tensor, Refusal> {
        let span = high - low;
        if span <= 0.0 {
            return self.mapped(node, Function::Clip { low, high: low }, x);
        }
        // A period is there and back: its distance from the far end is the same both ways.
        let from_low = self.scaled_and_shifted(node, x, (1.0, -low))?;
        let from_low = self.mapped(node, Function::Abs, &from_low)?;
        let period = self.number(2.0 * span);
        let within = self.combined(node, Pair::Fmod, &from_low, &period)?;
        let from_high = self.scaled_and_shifted(node, &within, (1.0, -span))?;
        let from_high = self.mapped(node, Function::Abs, &from_high)?;
        self.scaled_and_shifted(node, &from_high, (-1.0, high))
    }

    /// A polynomial of each element, the coefficient of the highest power first.
    fn polynomial(
        &mut self,
        node: &Node,
        x: &Tensor,
        [first, rest @ ..]: [f32; 4],
    ) -> Result<Tensor, Refusal> {
        let mut y = self.scaled_and_shifted(node, x, (first, rest[0]))?;
        for shift in &rest[1..] {
            let shift = self.number(*shift);
            y = self.combined(node, Pair::Mul, &y, x)?;
            y = self.combined(node, Pair::Add, &y, &shift)?;
        }
        Ok(y)
    }

    /// The cells of an axis around points on it.
    pub(super) fn neighbours(
        &mut self,
        node: &Node,
        points: &Tensor,
        reading: Reading,
    ) -> Result<Vec<Neighbours>, Refusal> {
        let Reading { between, outside, ends, extent } = reading;
        let last = extent as f32 - 1.0;
        let mut points = points.clone();
        if between == Between::Nearest {
            points = self.mapped(node, Function::Round, &points)?;
        }
        points = match outside {
            Outside::Zeros => points,
            Outside::Border => {
                self.mapped(node, Function::Clip { low: 0.0, high: last }, &points)?
            }
            Outside::Reflection => self.reflected(node, &points, ends)?,
        };
        let (first, offsets) = match between {
            Between::Nearest => (points.clone(), 0..1),
            Between::Linear => (self.mapped(node, Function::Floor, &points)?, 0..2),
            Between::Cubic => (self.mapped(node, Function::Floor, &points)?, -1..3),
        };
        let mut all = Vec::new();
        for offset in offsets {
            let weights = match between {
                Between::Nearest => None,
                _ => {
                    // The distance from the cell.
                    let from_first = self.combined(node, Pair::Sub, &points, &first)?;
                    let side = if offset > 0 { -1.0 } else { 1.0 };
                    let distance = (side, -side * offset as f32);
                    let distance = self.scaled_and_shifted(node, &from_first, distance)?;
                    let a = CUBIC;
                    Some(match (between, offset) {
                        (Between::Linear, _) => {
                            self.scaled_and_shifted(node, &distance, (-1.0, 1.0))?
                        }
                        (_, 0 | 1) => {
                            self.polynomial(node, &distance, [a + 2.0, -a - 3.0, 0.0, 1.0])?
                        }
                        _ => {
                            let far = [a, -5.0 * a, 8.0 * a, -4.0 * a];
                            self.polynomial(node, &distance, far)?
                        }
                    })
                }
            };
            let cells = self.scaled_and_shifted(node, &first, (1.0, offset as f32))?;
            let cells = match outside {
                // A reflection of a cell may lie between two, whose nearest is meant.
                Outside::Reflection => self.reflected(node, &cells, ends)?,
                _ => cells,
            };
            let inside = self.mapped(node, Function::Clip { low: 0.0, high: last }, &cells)?;
            let weights = match outside {
                // A cell that is moved into the image is none of it.
                Outside::Zeros => {
                    let is_inside = self.combined(node, Pair::Equal, &cells, &inside)?;
                    Some(match weights {
                        Some(weights) => self.combined(node, Pair::Keep, &weights, &is_inside)?,
                        None => is_inside,
                    })
                }
                _ => weights,
            };
            let cells = self.mapped(node, Function::Round, &inside)?;
            all.push(Neighbours { cells, weights });
        }
        Ok(all)
    }

    /// Samples of planes, `[lists, planes of each, cells]`, at as many points for each list, given by the cells
    /// around them on each axis: `[lists, planes of each, points]`.
    pub(super) fn sampled(
        &mut self,
        node: &Node,
        planes: &Tensor,
        extents: &[usize],
        axes: &[Vec<Neighbours>],
    ) -> Result<Tensor, Refusal> {
        let &[lists, repeats, cells] = &planes.shape[..] else {
            return Err(Fault::new("planes of other axes", "three are needed").into());
        };
        let mut sum: Option<Tensor> = None;
        for number in 0..axes.iter().map(Vec::len).product() {
            let (mut rest, mut step) = (number, 1);
            let mut at: Option<Tensor> = None;
            let mut weights: Option<Tensor> = None;
            for (neighbours, &extent) in axes.iter().zip(extents).rev() {
                let own = &neighbours[rest % neighbours.len()];
                rest /= neighbours.len();
                let stepped = self.scaled_and_shifted(node, &own.cells, (step as f32, 0.0))?;
                at = Some(match at {
                    Some(at) => self.combined(node, Pair::Add, &at, &stepped)?,
                    None => stepped,
                });
                weights = match (weights, &own.weights) {
                    (Some(a), Some(b)) => Some(self.combined(node, Pair::Mul, &a, b)?),
                    (a, b) => a.or_else(|| b.clone()),
                };
                step *= extent;
            }
            let Some(at) = at else { continue };
            let points = at.shape[1];
            let take = Take {
                outer: lists as u32,
                repeats: repeats as u32,
                from: cells as u32,
                to: points as u32,
                inner: 1,
            };
            let shape = [lists, repeats, points];
            let mut part = self.by(node, &shape, Kernel::Take(take), &[planes, &at])?;
            if let Some(weights) = weights {
                let weights = Tensor { shape: vec![lists, 1, points], slot: weights.slot };
                part = self.combined(node, Pair::Mul, &part, &weights)?;
            }
            sum = Some(match sum {
                Some(sum) => self.combined(node, Pair::Add, &sum, &part)?,
                None => part,
            });
        }
        sum.ok_or_else(|| Fault::new("an image without axes", "at least one is needed").into())
    }
}
