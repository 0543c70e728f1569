//! Functions of two elements, with their derivatives. `shaders/pairs.wgsl` has the same by number.

/// A function of two tensors, `a` and `b`. Comparisons and logic give 1 for true and 0 for false.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pair {
    Add,
    Mul,
    /// `a` where positive, else `a·b`.
    PRelu,
    Sub,
    Div,
    Pow,
    Min,
    Max,
    /// The remainder of `a / b` with the sign of `a`.
    Fmod,
    /// The remainder of `a / b` with the sign of `b`.
    Mod,
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
    Xor,
    /// `a` where `b` is true, else 0; with [`Pair::Drop`] the two halves of Where.
    Keep,
    /// `a` where `b` is false, else 0.
    Drop,
}

impl Pair {
    /// The number that the shaders know it by.
    pub(crate) fn number(self) -> u32 {
        self as u32
    }

    /// The function's value.
    pub(crate) fn value(self, a: f32, b: f32) -> f32 {
        match self {
            Self::Add => a + b,
            Self::Mul => a * b,
            Self::PRelu => {
                if a < 0.0 {
                    a * b
                } else {
                    a
                }
            }
            Self::Sub => a - b,
            Self::Div => a / b,
            Self::Pow => a.powf(b),
            Self::Min => a.min(b),
            Self::Max => a.max(b),
            Self::Fmod => a % b,
            Self::Mod => {
                let rest = a % b;
                if rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest }
            }
            Self::Equal => f32::from(a == b),
            Self::Less => f32::from(a < b),
            Self::LessOrEqual => f32::from(a <= b),
            Self::Greater => f32::from(a > b),
            Self::GreaterOrEqual => f32::from(a >= b),
            Self::And => f32::from(a != 0.0 && b != 0.0),
            Self::Or => f32::from(a != 0.0 || b != 0.0),
            Self::Xor => f32::from((a != 0.0) != (b != 0.0)),
            Self::Keep => {
                if b != 0.0 {
                    a
                } else {
                    0.0
                }
            }
            Self::Drop => {
                if b == 0.0 {
                    a
                } else {
                    0.0
                }
            }
        }
    }

    /// The derivatives with respect to `a` and to `b`. Of equal operands of a minimum or a maximum,
    /// the first is the one.
    pub(crate) fn derivatives(self, a: f32, b: f32) -> (f32, f32) {
        let one = |first: bool| (f32::from(first), f32::from(!first));
        match self {
            Self::Add => (1.0, 1.0),
            Self::Mul => (b, a),
            Self::PRelu => {
                if a < 0.0 {
                    (b, a)
                } else {
                    (1.0, 0.0)
                }
            }
            Self::Sub => (1.0, -1.0),
            Self::Div => (1.0 / b, -a / (b * b)),
            Self::Pow => {
                let by_b = if a > 0.0 { a.powf(b) * a.ln() } else { 0.0 };
                (if b == 0.0 { 0.0 } else { b * a.powf(b - 1.0) }, by_b)
            }
            Self::Min => one(a <= b),
            Self::Max => one(a >= b),
            Self::Fmod => (1.0, -(a / b).trunc()),
            Self::Mod => (1.0, -(a / b).floor()),
            Self::Keep => (f32::from(b != 0.0), 0.0),
            Self::Drop => (f32::from(b == 0.0), 0.0),
            _ => (0.0, 0.0),
        }
    }

    /// Whether the derivative with respect to operand `i` is 0 wherever it exists.
    pub(crate) fn is_flat(self, i: usize) -> bool {
        match self {
            Self::Keep | Self::Drop => i == 1,
            Self::Equal
            | Self::Less
            | Self::LessOrEqual
            | Self::Greater
            | Self::GreaterOrEqual
            | Self::And
            | Self::Or
            | Self::Xor => true,
            _ => false,
        }
    }
}
