//! Functions of one element, with their derivatives. `shaders/function.wgsl` has the same by number.

/// A function of each element. Names and parameters are those of ONNX's operators.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Function {
    Relu,
    LeakyRelu {
        alpha: f32,
    },
    Clip {
        low: f32,
        high: f32,
    },
    Sigmoid,
    Tanh,
    Exp,
    Log,
    Sqrt,
    Reciprocal,
    Neg,
    Abs,
    Erf,
    Gelu,
    /// The approximation of Gelu by a hyperbolic tangent.
    GeluTanh,
    /// `gamma·x` where positive, else `gamma·alpha·(exp(x) − 1)`; Elu has a `gamma` of 1.
    Selu {
        alpha: f32,
        gamma: f32,
    },
    Celu {
        alpha: f32,
    },
    Softplus,
    Softsign,
    Mish,
    /// `x·sigmoid(alpha·x)`; SiLU has an `alpha` of 1.
    Swish {
        alpha: f32,
    },
    HardSigmoid {
        alpha: f32,
        beta: f32,
    },
    HardSwish,
    ThresholdedRelu {
        alpha: f32,
    },
    Shrink {
        lambda: f32,
        bias: f32,
    },
    /// `(x + offset)^exponent`.
    Power {
        offset: f32,
        exponent: f32,
    },
    Floor,
    Ceil,
    /// To the nearest whole number, halves to the even one.
    Round,
    /// Towards zero: a conversion to whole numbers.
    Truncate,
    Sign,
    Not,
    /// Whether it is not a number.
    IsNan,
    /// Whether it is one of the infinities that are asked for.
    IsInf {
        negative: bool,
        positive: bool,
    },
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Asinh,
    Acosh,
    Atanh,
    /// Away from 0 by `epsilon`, in the direction of the sign; 0 becomes `epsilon`. No operator of a
    /// model: relevance is divided by sums that must not be 0.
    AwayFromZero {
        epsilon: f32,
    },
}

/// 2/√π, the derivative of the error function at 0.
const TWO_OVER_SQRT_PI: f32 = std::f32::consts::FRAC_2_SQRT_PI;

impl Function {
    /// Whether its gradient is computed from its result, so that its input need not be kept.
    pub(crate) fn goes_back_by_output(self) -> bool {
        matches!(self, Self::Relu | Self::Sigmoid)
    }

    /// Whether its derivative is 0 wherever it exists.
    pub(crate) fn is_flat(self) -> bool {
        matches!(self, Self::Floor | Self::Ceil | Self::Round | Self::Truncate | Self::Sign)
            || self.is_test()
    }

    /// Whether it gives 1 for true and 0 for false.
    pub(crate) fn is_test(self) -> bool {
        matches!(self, Self::Not | Self::IsNan | Self::IsInf { .. })
    }

    /// The number and the parameters that the shaders know it by.
    pub(crate) fn numbered(self) -> (u32, f32, f32) {
        match self {
            Self::Relu => (0, 0.0, 0.0),
            Self::LeakyRelu { alpha } => (1, alpha, 0.0),
            Self::Clip { low, high } => (2, low, high),
            Self::Sigmoid => (3, 0.0, 0.0),
            Self::Tanh => (4, 0.0, 0.0),
            Self::Exp => (5, 0.0, 0.0),
            Self::Log => (6, 0.0, 0.0),
            Self::Sqrt => (7, 0.0, 0.0),
            Self::Reciprocal => (8, 0.0, 0.0),
            Self::Neg => (9, 0.0, 0.0),
            Self::Abs => (10, 0.0, 0.0),
            Self::Erf => (11, 0.0, 0.0),
            Self::Gelu => (12, 0.0, 0.0),
            Self::GeluTanh => (13, 0.0, 0.0),
            Self::Selu { alpha, gamma } => (14, alpha, gamma),
            Self::Celu { alpha } => (15, alpha, 0.0),
            Self::Softplus => (16, 0.0, 0.0),
            Self::Softsign => (17, 0.0, 0.0),
            Self::Mish => (18, 0.0, 0.0),
            Self::Swish { alpha } => (19, alpha, 0.0),
            Self::HardSigmoid { alpha, beta } => (20, alpha, beta),
            Self::HardSwish => (21, 0.0, 0.0),
            Self::ThresholdedRelu { alpha } => (22, alpha, 0.0),
            Self::Shrink { lambda, bias } => (23, lambda, bias),
            Self::Power { offset, exponent } => (24, offset, exponent),
            Self::Floor => (25, 0.0, 0.0),
            Self::Ceil => (26, 0.0, 0.0),
            Self::Round => (27, 0.0, 0.0),
            Self::Truncate => (28, 0.0, 0.0),
            Self::Sign => (29, 0.0, 0.0),
            Self::Not => (30, 0.0, 0.0),
            Self::Sin => (31, 0.0, 0.0),
            Self::Cos => (32, 0.0, 0.0),
            Self::Tan => (33, 0.0, 0.0),
            Self::Asin => (34, 0.0, 0.0),
            Self::Acos => (35, 0.0, 0.0),
            Self::Atan => (36, 0.0, 0.0),
            Self::Sinh => (37, 0.0, 0.0),
            Self::Cosh => (38, 0.0, 0.0),
            Self::Asinh => (39, 0.0, 0.0),
            Self::Acosh => (40, 0.0, 0.0),
            Self::Atanh => (41, 0.0, 0.0),
            Self::AwayFromZero { epsilon } => (42, epsilon, 0.0),
            Self::IsNan => (43, 0.0, 0.0),
            Self::IsInf { negative, positive } => (44, negative.into(), positive.into()),
        }
    }

    /// The function's value.
    pub(crate) fn value(self, x: f32) -> f32 {
        match self {
            // A NaN shows.
            Self::Relu => {
                if x < 0.0 {
                    0.0
                } else {
                    x
                }
            }
            Self::LeakyRelu { alpha } => {
                if x < 0.0 {
                    x * alpha
                } else {
                    x
                }
            }
            Self::Clip { low, high } => clip(x, low, high),
            Self::Sigmoid => sigmoid(x),
            Self::Tanh => x.tanh(),
            Self::Exp => x.exp(),
            Self::Log => x.ln(),
            Self::Sqrt => x.sqrt(),
            Self::Reciprocal => 1.0 / x,
            Self::Neg => -x,
            Self::Abs => x.abs(),
            Self::Erf => erf(x),
            Self::Gelu => 0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2)),
            Self::GeluTanh => 0.5 * x * (1.0 + gelu_inner(x).tanh()),
            Self::Selu { alpha, gamma } => {
                if x > 0.0 {
                    gamma * x
                } else {
                    gamma * alpha * x.exp_m1()
                }
            }
            Self::Celu { alpha } => {
                if x > 0.0 {
                    x
                } else {
                    alpha * (x / alpha).exp_m1()
                }
            }
            Self::Softplus => softplus(x),
            Self::Softsign => x / (1.0 + x.abs()),
            Self::Mish => x * softplus(x).tanh(),
            Self::Swish { alpha } => x * sigmoid(alpha * x),
            Self::HardSigmoid { alpha, beta } => (alpha * x + beta).clamp(0.0, 1.0),
            Self::HardSwish => x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
            Self::ThresholdedRelu { alpha } => {
                if x > alpha {
                    x
                } else {
                    0.0
                }
            }
            Self::Shrink { lambda, bias } => {
                if x < -lambda {
                    x + bias
                } else if x > lambda {
                    x - bias
                } else {
                    0.0
                }
            }
            Self::Power { offset, exponent } => (x + offset).powf(exponent),
            Self::Floor => x.floor(),
            Self::Ceil => x.ceil(),
            Self::Round => x.round_ties_even(),
            Self::Truncate => x.trunc(),
            Self::Sign => {
                if x == 0.0 {
                    0.0
                } else {
                    x.signum()
                }
            }
            Self::Not => f32::from(x == 0.0),
            Self::IsNan => x.is_nan().into(),
            Self::IsInf { negative, positive } => {
                let asked = if x < 0.0 { negative } else { positive };
                (x.is_infinite() && asked).into()
            }
            Self::Sin => x.sin(),
            Self::Cos => x.cos(),
            Self::Tan => x.tan(),
            Self::Asin => x.asin(),
            Self::Acos => x.acos(),
            Self::Atan => x.atan(),
            Self::Sinh => x.sinh(),
            Self::Cosh => x.cosh(),
            Self::Asinh => x.asinh(),
            Self::Acosh => x.acosh(),
            Self::Atanh => x.atanh(),
            Self::AwayFromZero { epsilon } => {
                if x < 0.0 {
                    x - epsilon
                } else {
                    x + epsilon
                }
            }
        }
    }

    /// The derivative at `x`; at the result where [`goes_back_by_output`](Self::goes_back_by_output)
    /// says so.
    pub(crate) fn derivative(self, x: f32) -> f32 {
        let step = |open: bool| f32::from(open);
        match self {
            Self::Relu => step(x > 0.0),
            Self::LeakyRelu { alpha } => {
                if x < 0.0 {
                    alpha
                } else {
                    1.0
                }
            }
            Self::Clip { low, high } => step(x >= low && x <= high),
            Self::Sigmoid => x * (1.0 - x),
            Self::Tanh => 1.0 - x.tanh() * x.tanh(),
            Self::Exp => x.exp(),
            Self::Log => 1.0 / x,
            Self::Sqrt => 0.5 / x.sqrt(),
            Self::Reciprocal => -1.0 / (x * x),
            Self::Neg => -1.0,
            Self::Abs => Self::Sign.value(x),
            Self::Erf => TWO_OVER_SQRT_PI * (-x * x).exp(),
            Self::Gelu => {
                let scaled = x * std::f32::consts::FRAC_1_SQRT_2;
                let density = 0.5 * TWO_OVER_SQRT_PI * std::f32::consts::FRAC_1_SQRT_2;
                0.5 * (1.0 + erf(scaled)) + x * density * (-0.5 * x * x).exp()
            }
            Self::GeluTanh => {
                let t = gelu_inner(x).tanh();
                let slope = GELU_SCALE * (1.0 + 3.0 * GELU_CUBE * x * x);
                0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * slope
            }
            Self::Selu { alpha, gamma } => {
                if x > 0.0 {
                    gamma
                } else {
                    gamma * alpha * x.exp()
                }
            }
            Self::Celu { alpha } => {
                if x > 0.0 {
                    1.0
                } else {
                    (x / alpha).exp()
                }
            }
            Self::Softplus => sigmoid(x),
            Self::Softsign => 1.0 / ((1.0 + x.abs()) * (1.0 + x.abs())),
            Self::Mish => {
                let t = softplus(x).tanh();
                t + x * (1.0 - t * t) * sigmoid(x)
            }
            Self::Swish { alpha } => {
                let s = sigmoid(alpha * x);
                s + alpha * x * s * (1.0 - s)
            }
            Self::HardSigmoid { alpha, beta } => {
                let inside = alpha * x + beta;
                if inside > 0.0 && inside < 1.0 { alpha } else { 0.0 }
            }
            Self::HardSwish => {
                if x <= -3.0 {
                    0.0
                } else if x >= 3.0 {
                    1.0
                } else {
                    x / 3.0 + 0.5
                }
            }
            Self::ThresholdedRelu { alpha } => step(x > alpha),
            Self::Shrink { lambda, .. } => step(x < -lambda || x > lambda),
            Self::Power { offset, exponent } => exponent * (x + offset).powf(exponent - 1.0),
            Self::Floor
            | Self::Ceil
            | Self::Round
            | Self::Truncate
            | Self::Sign
            | Self::Not
            | Self::IsNan
            | Self::IsInf { .. } => 0.0,
            Self::Sin => x.cos(),
            Self::Cos => -x.sin(),
            Self::Tan => 1.0 + x.tan() * x.tan(),
            Self::Asin => 1.0 / (1.0 - x * x).sqrt(),
            Self::Acos => -1.0 / (1.0 - x * x).sqrt(),
            Self::Atan => 1.0 / (1.0 + x * x),
            Self::Sinh => x.cosh(),
            Self::Cosh => x.sinh(),
            Self::Asinh => 1.0 / (x * x + 1.0).sqrt(),
            Self::Acosh => 1.0 / (x * x - 1.0).sqrt(),
            Self::Atanh => 1.0 / (1.0 - x * x),
            Self::AwayFromZero { .. } => 1.0,
        }
    }
}

/// √(2/π), and the factor of the cube, of Gelu's approximation (Hendrycks and Gimpel, 1606.08415).
const GELU_SCALE: f32 = 0.797_884_6;
const GELU_CUBE: f32 = 0.044_715;

fn gelu_inner(x: f32) -> f32 {
    GELU_SCALE * (x + GELU_CUBE * x * x * x)
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

fn softplus(x: f32) -> f32 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// The numbers of formula 7.1.26 of Abramowitz and Stegun.
const ERF_SCALE: f32 = 0.327_591_1;
const ERF_TERMS: [f32; 5] = [0.254_829_6, -0.284_496_72, 1.421_413_8, -1.453_152, 1.061_405_4];

fn erf(x: f32) -> f32 {
    erf_by(f32::exp, x)
}

/// `x`, at least `low` and then at most `high`; NaN stays NaN. Not `clamp`, which panics where the bounds are the wrong
/// way round; each comparison is one instruction.
#[inline(always)]
pub(crate) fn clip(x: f32, low: f32, high: f32) -> f32 {
    let x = if low > x { low } else { x };
    if high < x { high } else { x }
}

/// The error function by formula 7.1.26 of Abramowitz and Stegun, within 1.5e-7; near 0, where that
/// loses digits, by the beginning of its series. Without branches, by any exponential.
#[inline(always)]
pub(crate) fn erf_by(exp: impl Fn(f32) -> f32, x: f32) -> f32 {
    let (a, s) = (x.abs(), x * x);
    let near = TWO_OVER_SQRT_PI * x * (1.0 - s * (1.0 / 3.0 - s * (0.1 - s / 42.0)));
    let t = 1.0 / (1.0 + ERF_SCALE * a);
    let sum = ERF_TERMS.iter().rev().fold(0.0, |sum, term| (sum + term) * t);
    let far = (1.0 - sum * exp(-a * a)).copysign(x);
    if a < 0.1 { near } else { far }
}
