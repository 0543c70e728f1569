//! Arithmetic with constants: what depends on no image is computed while the plan is made.

use ndarray::{ArrayD, IxDyn, Zip};

use crate::error::{Fault, extents};
use crate::kernel::{Function, Pair};
use crate::onnx::constant::Constant;
use crate::plan::shape::{broadcast_shape, checked_len};

/// Numbers of types, as ONNX has them in TensorProto.DataType.
pub(super) const FLOAT: i64 = 1;
pub(super) const INT64: i64 = 7;
pub(super) const BOOL: i64 = 9;

/// The types that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Floats,
    Ints,
    Truth,
}

impl Kind {
    /// The kind of a type, by its number.
    pub(super) fn of(data_type: i64) -> Result<Self, Fault> {
        match data_type {
            1 | 10 | 11 | 16 => Ok(Self::Floats),
            2..=7 | 12 | 13 => Ok(Self::Ints),
            BOOL => Ok(Self::Truth),
            other => {
                let found = format!("data type {other}");
                Err(Fault::new(found, "floats, whole numbers and truth values are allowed"))
            }
        }
    }
}

/// A constant of another kind.
pub(super) fn cast(constant: &Constant, kind: Kind) -> Constant {
    let shape = constant.shape().to_vec();
    match (constant, kind) {
        (Constant::Floats { .. }, Kind::Floats) | (Constant::Ints { .. }, Kind::Ints) => {
            constant.clone()
        }
        (Constant::Ints { .. }, Kind::Floats) => {
            let (shape, data) = constant.to_floats();
            Constant::Floats { shape, data: data.into() }
        }
        (Constant::Floats { data, .. }, Kind::Ints) => {
            Constant::ints(shape, data.read().iter().map(|&x| x as i64).collect())
        }
        (Constant::Floats { data, .. }, Kind::Truth) => {
            Constant::ints(shape, data.read().iter().map(|&x| i64::from(x != 0.0)).collect())
        }
        (Constant::Ints { data, .. }, Kind::Truth) => {
            Constant::ints(shape, data.iter().map(|&n| i64::from(n != 0)).collect())
        }
    }
}

/// A function of each element.
pub(super) fn map(function: Function, constant: &Constant) -> Constant {
    let shape = constant.shape().to_vec();
    match constant {
        Constant::Floats { data, .. } if function.is_test() => {
            let data = data.read();
            Constant::ints(shape, data.iter().map(|&x| function.value(x) as i64).collect())
        }
        Constant::Floats { data, .. } => {
            Constant::floats(shape, data.read().iter().map(|&x| function.value(x)).collect())
        }
        Constant::Ints { data, .. } => {
            let value = |n: i64| match function {
                Function::Neg => n.saturating_neg(),
                Function::Abs => n.saturating_abs(),
                Function::Sign => n.signum(),
                Function::Not => i64::from(n == 0),
                _ => function.value(n as f32) as i64,
            };
            Constant::ints(shape, data.iter().map(|&n| value(n)).collect())
        }
    }
}

/// A function of two constants that repeat as NumPy does.
pub(super) fn pair(pair: Pair, a: &Constant, b: &Constant) -> Result<Constant, Fault> {
    let shape = broadcast_shape(a.shape(), b.shape())?;
    checked_len(&shape)?;
    let is_truth = matches!(
        pair,
        Pair::Equal | Pair::Less | Pair::LessOrEqual | Pair::Greater | Pair::GreaterOrEqual
    );
    if let (
        Constant::Ints { shape: a_shape, data: a },
        Constant::Ints { shape: b_shape, data: b },
    ) = (a, b)
    {
        let by_zero = matches!(pair, Pair::Div | Pair::Mod | Pair::Fmod) && b.contains(&0);
        if by_zero {
            return Err(Fault::new("a division by 0", "other numbers are needed"));
        }
        let data = zipped(&shape, (a_shape, a), (b_shape, b), |a, b| ints(pair, a, b))?;
        return Ok(Constant::ints(shape, data));
    }
    // Where's condition, and an exponent, may be whole numbers beside floats.
    let whole = matches!(a, Constant::Ints { .. });
    let ((a_shape, a), (b_shape, b)) = (a.to_floats(), b.to_floats());
    let data = zipped(&shape, (&a_shape, &a), (&b_shape, &b), |a, b| pair.value(a, b))?;
    Ok(match whole || is_truth {
        true => Constant::ints(shape, data.into_iter().map(|x| x as i64).collect()),
        false => Constant::floats(shape, data),
    })
}

/// A function of two constants of whole numbers that repeat as NumPy does.
pub(super) fn combined(
    a: &Constant,
    b: &Constant,
    function: impl Fn(i64, i64) -> i64,
) -> Result<Constant, Fault> {
    let shape = broadcast_shape(a.shape(), b.shape())?;
    checked_len(&shape)?;
    let (a, b) = ((a.shape(), a.as_ints("A")?), (b.shape(), b.as_ints("B")?));
    Ok(Constant::ints(shape.clone(), zipped(&shape, a, b, function)?))
}

fn ints(pair: Pair, a: i64, b: i64) -> i64 {
    match pair {
        Pair::Add => a.saturating_add(b),
        Pair::Sub => a.saturating_sub(b),
        Pair::Mul => a.saturating_mul(b),
        Pair::Div => a.saturating_div(b),
        Pair::Fmod => a.wrapping_rem(b),
        Pair::Mod => {
            let rest = a.wrapping_rem(b);
            if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }
        }
        Pair::Pow => u32::try_from(b).map_or(0, |b| a.saturating_pow(b)),
        Pair::Min => a.min(b),
        Pair::Max => a.max(b),
        Pair::PRelu => {
            if a < 0 {
                a.saturating_mul(b)
            } else {
                a
            }
        }
        Pair::Equal => (a == b).into(),
        Pair::Less => (a < b).into(),
        Pair::LessOrEqual => (a <= b).into(),
        Pair::Greater => (a > b).into(),
        Pair::GreaterOrEqual => (a >= b).into(),
        Pair::And => (a != 0 && b != 0).into(),
        Pair::Or => (a != 0 || b != 0).into(),
        Pair::Xor => ((a != 0) != (b != 0)).into(),
        Pair::Keep => {
            if b != 0 {
                a
            } else {
                0
            }
        }
        Pair::Drop => {
            if b == 0 {
                a
            } else {
                0
            }
        }
    }
}

/// The elements of a shape, row-major, as an array.
pub(super) fn array<T: Clone>(shape: &[usize], data: &[T]) -> Result<ArrayD<T>, Fault> {
    ArrayD::from_shape_vec(IxDyn(shape), data.to_vec()).map_err(|error| {
        Fault::new(format!("{} elements of {}", data.len(), extents(shape)), error.to_string())
    })
}

fn zipped<T: Copy, U>(
    shape: &[usize],
    (a_shape, a): (&[usize], &[T]),
    (b_shape, b): (&[usize], &[T]),
    f: impl Fn(T, T) -> U,
) -> Result<Vec<U>, Fault> {
    let (a, b) = (array(a_shape, a)?, array(b_shape, b)?);
    let (Some(a), Some(b)) = (a.broadcast(IxDyn(shape)), b.broadcast(IxDyn(shape))) else {
        return Err(Fault::new("shapes that differ", "shapes that repeat to one are needed"));
    };
    let all = Zip::from(&a).and(&b).map_collect(|&a, &b| f(a, b));
    Ok(all.into_iter().collect())
}
