//! Tensors of up to [`BROADCAST_AXES`] axes: repeated along some, summed over some, or with their axes in another
//! order.

/// Axes that a broadcast has at most.
pub(crate) const BROADCAST_AXES: usize = 6;

/// Two tensors read with steps of 0 along the axes in which they are repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broadcast {
    /// Extents of the result.
    pub(crate) dims: [u32; BROADCAST_AXES],
    pub(crate) a: [u32; BROADCAST_AXES],
    pub(crate) b: [u32; BROADCAST_AXES],
}

impl Broadcast {
    /// Two tensors of one shape.
    pub(crate) fn flat(len: u32) -> Self {
        let (mut dims, mut steps) = ([1; BROADCAST_AXES], [0; BROADCAST_AXES]);
        (dims[BROADCAST_AXES - 1], steps[BROADCAST_AXES - 1]) = (len, 1);
        Self { dims, a: steps, b: steps }
    }

    /// The same with as few axes as it takes: those of one element are left out, and neighbours become one where
    /// both tensors step through them alike.
    pub(crate) fn merged(self) -> Self {
        // From the last axis to the first.
        let mut axes: Vec<[u32; 3]> = Vec::new();
        for d in (0..BROADCAST_AXES).rev() {
            let [dim, a, b] = [self.dims[d], self.a[d], self.b[d]];
            match axes.last_mut() {
                _ if dim == 1 => {}
                Some([n, step_a, step_b]) if a == *n * *step_a && b == *n * *step_b => *n *= dim,
                _ => axes.push([dim, a, b]),
            }
        }
        let missing = BROADCAST_AXES - axes.len();
        let mut merged =
            Self { dims: [1; BROADCAST_AXES], a: [0; BROADCAST_AXES], b: [0; BROADCAST_AXES] };
        for (i, [dim, a, b]) in axes.into_iter().rev().enumerate() {
            (merged.dims[missing + i], merged.a[missing + i], merged.b[missing + i]) = (dim, a, b);
        }
        merged
    }

    pub(crate) fn len(&self) -> u32 {
        self.dims.iter().product()
    }

    /// Whether neither tensor is repeated or has gaps.
    pub(crate) fn is_dense(&self) -> bool {
        are_dense(&self.dims, &self.a) && are_dense(&self.dims, &self.b)
    }
}

/// A sum of the signal over the axes in which an operand was repeated, times the other operand if
/// there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reduce {
    /// Extents of the signal.
    pub(crate) dims: [u32; BROADCAST_AXES],
    /// Extents of the operand: those, or 1.
    pub(crate) kept: [u32; BROADCAST_AXES],
    /// Steps of the other operand; all 0 without one.
    pub(crate) other: [u32; BROADCAST_AXES],
    pub(crate) times_other: bool,
}

impl Reduce {
    /// How often the operand was repeated on each axis.
    pub(crate) fn repeats(&self) -> [u32; BROADCAST_AXES] {
        std::array::from_fn(|d| self.dims[d] / self.kept[d])
    }

    /// Whether the other operand has the shape of the signal.
    pub(crate) fn other_is_dense(&self) -> bool {
        are_dense(&self.dims, &self.other)
    }

    /// Strides of the signal.
    pub(crate) fn steps(&self) -> [u32; BROADCAST_AXES] {
        strides(&self.dims)
    }
}

/// A tensor with its axes in another order: axis `i` of the result is axis `order[i]` of what is
/// read, which has extents `dims`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Permute {
    pub(crate) dims: [u32; BROADCAST_AXES],
    pub(crate) order: [usize; BROADCAST_AXES],
}

impl Permute {
    pub(crate) fn len(&self) -> u32 {
        self.dims.iter().product()
    }

    /// Extents of the result.
    pub(crate) fn result(&self) -> [u32; BROADCAST_AXES] {
        self.order.map(|axis| self.dims[axis])
    }

    /// The step in what is read for a step along each axis of the result.
    pub(crate) fn steps(&self) -> [u32; BROADCAST_AXES] {
        let strides = strides(&self.dims);
        self.order.map(|axis| strides[axis])
    }

    /// The permutation that undoes it.
    pub(crate) fn inverse(&self) -> Self {
        let mut order = [0; BROADCAST_AXES];
        for (i, &axis) in self.order.iter().enumerate() {
            order[axis] = i;
        }
        Self { dims: self.result(), order }
    }
}

/// The strides of a dense tensor.
pub(crate) fn strides(dims: &[u32; BROADCAST_AXES]) -> [u32; BROADCAST_AXES] {
    let mut steps = [1; BROADCAST_AXES];
    for d in (0..BROADCAST_AXES - 1).rev() {
        steps[d] = steps[d + 1] * dims[d + 1];
    }
    steps
}

/// Whether a tensor of these extents has no gaps and is not repeated.
fn are_dense(dims: &[u32; BROADCAST_AXES], steps: &[u32; BROADCAST_AXES]) -> bool {
    let dense = strides(dims);
    (0..BROADCAST_AXES).all(|d| dims[d] == 1 || steps[d] == dense[d])
}
