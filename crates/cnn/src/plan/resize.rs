//! Resize and Upsample: a sparse matrix along each axis whose size changes. Formulas are those of ONNX's
//! definition of Resize.

use crate::error::Fault;
use crate::kernel::{Pair, Sparse};
use crate::onnx::graph::Node;
use crate::plan::builder::Builder;
use crate::plan::moves::sizes;
use crate::plan::refusal::Refusal;
use crate::plan::shape::{checked_len, resolve_axis};
use crate::plan::value::{Tensor, Value};

/// The attributes of a Resize that all axes share.
struct Resizing<'a> {
    mode: &'a str,
    coordinates: &'a str,
    nearest: &'a str,
    cubic: f32,
    excludes_outside: bool,
    antialias: bool,
}

/// One axis: extents before and after, the ratio of the two, and the part of the axis that a crop
/// takes.
struct AxisSize {
    from: usize,
    to: usize,
    scale: f32,
    region: (f32, f32),
}

impl Builder<'_> {
    pub(super) fn resize(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let x = self.tensor(node, 0, "X")?;
        let attributes = node.attributes();
        let upsample = node.operator == "Upsample";
        // Until operator set 10 there was one transformation of coordinates.
        let old = upsample || self.opset < 11;
        let mode = attributes.string("mode", "nearest")?;
        let resizing = Resizing {
            mode: if mode == "bilinear" { "linear" } else { mode },
            coordinates: if old {
                "asymmetric"
            } else {
                attributes.string("coordinate_transformation_mode", "half_pixel")?
            },
            nearest: if old {
                "floor"
            } else {
                attributes.string("nearest_mode", "round_prefer_floor")?
            },
            cubic: attributes.float("cubic_coeff_a", -0.75)?,
            excludes_outside: attributes.flag("exclude_outside")?,
            antialias: attributes.flag("antialias")?,
        };
        let (axes, all) = self.resized_axes(node, &x.shape, old)?;
        let crops = resizing.coordinates == "tf_crop_and_resize";
        let outside = attributes.float("extrapolation_value", 0.0)?;
        let mut y = x.clone();
        let mut inside = Vec::new();
        // The fewest elements in between, and of those along the last axis, which are the slowest.
        let (enlarged, others): (Vec<_>, Vec<_>) =
            axes.iter().zip(&all).partition(|(_, size)| size.to > size.from);
        for (&axis, size) in others.into_iter().chain(enlarged.into_iter().rev()) {
            let matrix = resizing.matrix(size)?;
            if crops {
                inside.push((axis, resizing.inside(size)));
            }
            y = self.along(node, &y, axis..axis + 1, &matrix)?;
        }
        if crops {
            y = self.extrapolated(node, y, &inside, outside)?;
        }
        Ok(vec![Value::Tensor(y)])
    }

    /// Cells that lie outside on any axis get the value that is asked for.
    fn extrapolated(
        &mut self,
        node: &Node,
        mut y: Tensor,
        inside: &[(usize, Vec<bool>)],
        outside: f32,
    ) -> Result<Tensor, Refusal> {
        let mut weight: Option<Tensor> = None;
        for (axis, inside) in inside {
            let mut wide = vec![1; y.shape.len()];
            wide[*axis] = inside.len();
            let mask = self.numbers(inside.iter().map(|&i| f32::from(i)).collect(), &wide);
            y = self.combined(node, Pair::Keep, &y, &mask)?;
            weight = Some(match weight {
                Some(weight) => self.combined(node, Pair::Mul, &weight, &mask)?,
                None => mask,
            });
        }
        let Some(weight) = weight.filter(|_| outside != 0.0) else { return Ok(y) };
        let value = self.numbers(vec![outside], &[]);
        let value = self.combined(node, Pair::Drop, &value, &weight)?;
        self.combined(node, Pair::Add, &y, &value)
    }

    /// The axes that are resized, and how.
    fn resized_axes(
        &self,
        node: &Node,
        shape: &[usize],
        old: bool,
    ) -> Result<(Vec<usize>, Vec<AxisSize>), Fault> {
        let attributes = node.attributes();
        let axes = match attributes.ints("axes")? {
            Some(axes) => axes
                .iter()
                .map(|&axis| resolve_axis(axis, shape.len(), false))
                .collect::<Result<Vec<_>, _>>()?,
            None => (0..shape.len()).collect(),
        };
        let count = axes.len();
        let floats = |i: usize, name: &str| -> Result<Option<Vec<f32>>, Fault> {
            let constant = self.carried(node, i, name)?;
            Ok(constant.map(|c| c.to_floats().1.to_vec()).filter(|list| !list.is_empty()))
        };
        let stated = if old {
            match attributes.floats("scales")? {
                Some(scales) => Some(scales.to_vec()),
                None => floats(1, "scales")?,
            }
        } else {
            floats(2, "scales")?
        };
        let asked = if old { None } else { self.list(node, 3, "sizes")? };
        let region = if old { None } else { floats(1, "roi")? };
        let region = region.filter(|list| list.len() == 2 * count);
        let refused = |found: String| {
            Fault::new(found, format!("{count} positive scales or {count} sizes are needed"))
        };
        let mut all = Vec::with_capacity(count);
        for (i, &axis) in axes.iter().enumerate() {
            let from = shape[axis];
            let (to, scale) = match (&stated, &asked) {
                (Some(scales), _) if scales.len() == count => {
                    let to = (f64::from(scales[i]) * from as f64).floor();
                    (to, scales[i])
                }
                (None, Some(list)) if list.len() == count => {
                    let to = sizes(list, "sizes")?[i];
                    (to as f64, to as f32 / from as f32)
                }
                _ => return Err(refused(format!("scales {stated:?} and sizes {asked:?}"))),
            };
            if to < 1.0 || checked_len(&[to as usize]).is_err() || scale.is_nan() || from == 0 {
                return Err(refused(format!("axis {axis} would have {to} cells")));
            }
            let region = region.as_ref().map_or((0.0, 1.0), |list| (list[i], list[count + i]));
            all.push(AxisSize { from, to: to as usize, scale, region });
        }
        let policy = attributes.string("keep_aspect_ratio_policy", "stretch")?;
        if asked.is_some() && policy != "stretch" {
            let larger = policy == "not_larger";
            let pick = |a: f32, b: f32| if larger { a.min(b) } else { a.max(b) };
            let scale = all.iter().map(|size| size.scale).reduce(pick).unwrap_or(1.0);
            for size in &mut all {
                // Halves up.
                let to = (f64::from(scale) * size.from as f64 + 0.5).floor();
                (size.to, size.scale) = (checked_len(&[(to as usize).max(1)])?, scale);
            }
        }
        Ok((axes, all))
    }
}

impl Resizing<'_> {
    /// The cell, as a real number, that cell `i` of the result is read at.
    fn coordinate(&self, size: &AxisSize, i: usize) -> f32 {
        let (i, scale) = (i as f32, size.scale);
        let (from, to) = (size.from as f32, size.to as f32);
        // The extent before it is cut to a whole number.
        let wide = scale * from;
        match self.coordinates {
            "asymmetric" => i / scale,
            "align_corners" if size.to == 1 => 0.0,
            "align_corners" => i * (from - 1.0) / (wide - 1.0),
            "tf_crop_and_resize" => {
                let (start, end) = size.region;
                if size.to == 1 {
                    0.5 * (start + end) * (from - 1.0)
                } else {
                    start * (from - 1.0) + i * (end - start) * (from - 1.0) / (to - 1.0)
                }
            }
            "pytorch_half_pixel" if size.to == 1 => 0.0,
            "tf_half_pixel_for_nn" => (i + 0.5) / scale,
            "half_pixel_symmetric" => {
                let offset = from / 2.0 * (1.0 - to / wide);
                offset + (i + 0.5) / scale - 0.5
            }
            // half_pixel, and pytorch_half_pixel.
            _ => (i + 0.5) / scale - 0.5,
        }
    }

    /// For each cell of the result whether it lies inside.
    fn inside(&self, size: &AxisSize) -> Vec<bool> {
        let highest = size.from as f32 - 1.0;
        (0..size.to).map(|i| (0.0..=highest).contains(&self.coordinate(size, i))).collect()
    }

    fn matrix(&self, size: &AxisSize) -> Result<Sparse, Fault> {
        let transformations = [
            "asymmetric",
            "align_corners",
            "half_pixel",
            "half_pixel_symmetric",
            "pytorch_half_pixel",
            "tf_half_pixel_for_nn",
            "tf_crop_and_resize",
        ];
        if !transformations.contains(&self.coordinates)
            || !["nearest", "linear", "cubic"].contains(&self.mode)
        {
            let found = format!("mode {:?} and coordinates {:?}", self.mode, self.coordinates);
            let allowed = format!(
                "nearest, linear and cubic, and {} are allowed",
                transformations.join(", ")
            );
            return Err(Fault::new(found, allowed));
        }
        let mut matrix = Sparse::new(size.from);
        for i in 0..size.to {
            let at = self.coordinate(size, i);
            let cells = match self.mode {
                "nearest" => vec![(self.rounded(at), 1.0)],
                "linear" => self.weights(at, size.scale, 1, |d| (1.0 - d).max(0.0)),
                _ => self.weights(at, size.scale, 2, |d| cubic(d, self.cubic)),
            };
            matrix.push(self.within(&cells, size.from));
        }
        Ok(matrix)
    }

    fn rounded(&self, at: f32) -> i64 {
        let fraction = at - at.floor();
        let up = match self.nearest {
            "floor" => false,
            "ceil" => fraction > 0.0,
            "round_prefer_ceil" => fraction >= 0.5,
            _ => fraction > 0.5,
        };
        at.floor() as i64 + i64::from(up)
    }

    /// The weights of the cells within `reach` of a coordinate, as a function of their distance.
    /// Against aliasing, the function is stretched by the factor by which the axis shrinks.
    fn weights(&self, at: f32, scale: f32, reach: i64, f: impl Fn(f32) -> f32) -> Vec<(i64, f32)> {
        let stretch = if self.antialias { scale.min(1.0) } else { 1.0 };
        let base = at.floor();
        let ratio = at - base;
        let first = (-(reach as f32) / stretch).floor() as i64 + 1;
        let mut cells: Vec<_> = (first..=1 - first)
            .map(|d| (base as i64 + d, f(((d as f32 - ratio) * stretch).abs())))
            .filter(|(_, weight)| *weight != 0.0)
            .collect();
        if self.antialias {
            normalize(&mut cells);
        }
        cells
    }

    /// Cells outside are left out, or are those at the edge.
    fn within(&self, cells: &[(i64, f32)], extent: usize) -> Vec<(usize, f32)> {
        let last = extent as i64 - 1;
        let mut inside: Vec<(i64, f32)> = Vec::with_capacity(cells.len());
        for &(cell, weight) in cells {
            if self.excludes_outside && !(0..=last).contains(&cell) {
                continue;
            }
            let cell = cell.clamp(0, last);
            match inside.iter_mut().find(|(other, _)| *other == cell) {
                Some((_, sum)) => *sum += weight,
                None => inside.push((cell, weight)),
            }
        }
        if self.excludes_outside {
            normalize(&mut inside);
        }
        inside.into_iter().map(|(cell, weight)| (cell as usize, weight)).collect()
    }
}

fn normalize(cells: &mut [(i64, f32)]) {
    let sum: f32 = cells.iter().map(|(_, weight)| weight).sum();
    if sum != 0.0 {
        cells.iter_mut().for_each(|(_, weight)| *weight /= sum);
    }
}

/// The kernel of cubic convolution at a distance (Keys 1981), with its parameter.
fn cubic(d: f32, a: f32) -> f32 {
    if d <= 1.0 {
        ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0
    } else if d < 2.0 {
        ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a
    } else {
        0.0
    }
}
