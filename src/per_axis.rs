//! [`PerAxis`]: a value for each spatial axis, or one value for all of them.

use std::fmt;
use std::ops;

/// The most spatial axes that a tensor can have.
pub(crate) const MAX_AXES: usize = 3;

/// A value for each spatial axis, or one value for all of them.
///
/// Everything that says something about spatial axes takes this type by `Into`: a plain value
/// stands for every axis of the shape it meets; an array, a slice or a `Vec` has one value per
/// axis, in the order `[depth, height, width]`, `[height, width]` or `[length]`.
///
/// ```
/// use unpool::PerAxis;
///
/// let every_axis = PerAxis::<usize>::from(2);
/// assert_eq!(every_axis.get(0), Some(2));
/// assert_eq!(every_axis.axes(), None);
///
/// let height_and_width = PerAxis::<usize>::from([3, 2]);
/// assert_eq!(height_and_width, [3, 2]);
/// assert_eq!(height_and_width.get(1), Some(2));
/// assert_eq!(height_and_width.axes(), Some(2));
/// ```
///
/// The values are stored inline. A list of more than three values can be made but not used:
/// [`Geometry::new`](crate::Geometry::new) refuses it. Only its length and its first three values
/// are kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PerAxis<T> {
    /// The values, followed by default ones.
    values: [T; MAX_AXES],
    /// Length of the list; `None` where one value stands for every axis.
    axes: Option<usize>,
}

impl<T> PerAxis<T> {
    /// Number of axes listed, or `None` where one value stands for every axis.
    pub fn axes(&self) -> Option<usize> {
        self.axes
    }

    /// The values listed (the first three of a longer list), or the one value that stands for
    /// every axis.
    pub fn as_slice(&self) -> &[T] {
        &self.values[..self.axes.unwrap_or(1).min(MAX_AXES)]
    }
}

impl<T: Copy> PerAxis<T> {
    /// The value for an axis, counted from 0, or `None` past the end of the list.
    pub fn get(&self, axis: usize) -> Option<T> {
        match self.axes {
            None => Some(self.values[0]),
            Some(_) => self.as_slice().get(axis).copied(),
        }
    }
}

impl<T: Copy + Default> PerAxis<T> {
    /// A value for each of `axes` axes: the list if it has this length, or as many copies of the
    /// one value. `None` if the list has another length, or if `axes` is more than three.
    pub fn for_axes(&self, axes: usize) -> Option<Self> {
        match self.axes {
            _ if axes > MAX_AXES => None,
            None => Some(Self::of(&[self.values[0]; MAX_AXES][..axes])),
            Some(listed) => (listed == axes).then_some(*self),
        }
    }

    /// `f` applied to each value of the list, or to the one value.
    pub(crate) fn map<U: Copy + Default>(self, f: impl Fn(T) -> U) -> PerAxis<U> {
        let value = |i| self.as_slice().get(i).map_or(U::default(), |&value| f(value));
        PerAxis { values: std::array::from_fn(value), axes: self.axes }
    }

    /// One value per axis.
    fn of(list: &[T]) -> Self {
        let values = std::array::from_fn(|i| list.get(i).copied().unwrap_or_default());
        Self { values, axes: Some(list.len()) }
    }
}

impl<T: Copy + Default> From<T> for PerAxis<T> {
    /// The same value for every axis.
    fn from(value: T) -> Self {
        let mut values = [T::default(); MAX_AXES];
        values[0] = value;
        Self { values, axes: None }
    }
}

/// Conversion from a list, and comparison with one.
macro_rules! list {
    ($([$($generic:tt)*] $list:ty),+) => {$(
        impl<T: Copy + Default, $($generic)*> From<$list> for PerAxis<T> {
            /// One value per axis.
            fn from(list: $list) -> Self {
                Self::of(&list[..])
            }
        }

        impl<T: PartialEq, $($generic)*> PartialEq<$list> for PerAxis<T> {
            fn eq(&self, list: &$list) -> bool {
                *self == list[..]
            }
        }
    )+};
}

list!([] &[T], [] Vec<T>, [const N: usize] [T; N], [const N: usize] &[T; N]);

impl<T: Copy + Default> FromIterator<T> for PerAxis<T> {
    /// One value per axis.
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self::from(values.into_iter().collect::<Vec<T>>())
    }
}

impl<T> ops::Index<usize> for PerAxis<T> {
    type Output = T;

    /// The value for an axis, counted from 0.
    ///
    /// # Panics
    ///
    /// Past the end of the list, as a slice does. [`PerAxis::get`] returns `None` instead.
    fn index(&self, axis: usize) -> &T {
        match self.axes {
            None => &self.values[0],
            Some(_) => &self.as_slice()[axis],
        }
    }
}

impl<T: PartialEq> PartialEq<[T]> for PerAxis<T> {
    fn eq(&self, list: &[T]) -> bool {
        self.axes == Some(list.len()) && self.as_slice() == list
    }
}

impl<T: fmt::Debug> fmt::Debug for PerAxis<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.axes {
            None => self.values[0].fmt(f),
            Some(listed) if listed > MAX_AXES => {
                f.debug_list().entries(self.as_slice()).finish_non_exhaustive()
            }
            Some(_) => self.as_slice().fmt(f),
        }
    }
}

impl<T: fmt::Display> fmt::Display for PerAxis<T> {
    /// Such as `3×2`, or `3` where one value stands for every axis.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_extents(f, self.as_slice(), self.axes.unwrap_or(1))
    }
}

/// Writes `2×3×4`. Of `count` values only the first ones may be given: `…` stands for the others.
pub(crate) fn write_extents<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    first: &[T],
    count: usize,
) -> fmt::Result {
    for (i, value) in first.iter().enumerate() {
        if i > 0 {
            f.write_str("×")?;
        }
        write!(f, "{value}")?;
    }
    if count > first.len() { f.write_str("×…") } else { Ok(()) }
}
