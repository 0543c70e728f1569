// Functions of one element and their derivatives, by number; src/kernel/function.rs has the same.
// map.wgsl and map_back.wgsl have `params.function` and its parameters `params.a` and `params.b`.

const TWO_OVER_SQRT_PI: f32 = 1.1283791670955126;
const SQRT_HALF: f32 = 0.7071067811865476;
const GELU_SCALE: f32 = 0.7978845608028654;
const GELU_CUBE: f32 = 0.044715;

fn sigmoid(x: f32) -> f32 {
    return 1.0 / (1.0 + exp(-x));
}

// Some devices compute tanh from exponentials that overflow.
fn safe_tanh(x: f32) -> f32 {
    return tanh(clamp(x, -10.0, 10.0));
}

// exp(x) - 1 without losing the digits of a small x.
fn exp_minus_1(x: f32) -> f32 {
    if (abs(x) < 0.02) {
        return x * (1.0 + x * (0.5 + x * (1.0 / 6.0 + x / 24.0)));
    }
    return exp(x) - 1.0;
}

// log(1 + x) for 0 ≤ x ≤ 1.
fn log_plus_1(x: f32) -> f32 {
    if (x < 0.02) {
        return x * (1.0 - x * (0.5 - x * (1.0 / 3.0 - x * 0.25)));
    }
    return log(1.0 + x);
}

fn softplus(x: f32) -> f32 {
    return max(x, 0.0) + log_plus_1(exp(-abs(x)));
}

// Abramowitz and Stegun, formula 7.1.26; near 0 the beginning of the series.
fn erf(x: f32) -> f32 {
    let a = abs(x);
    if (a < 0.1) {
        let s = x * x;
        return TWO_OVER_SQRT_PI * x * (1.0 - s * (1.0 / 3.0 - s * (0.1 - s / 42.0)));
    }
    let t = 1.0 / (1.0 + 0.3275911 * a);
    let sum = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return sign(x) * (1.0 - sum * exp(-a * a));
}

// The legs of a triangle with a side of x: asin and acos of some devices keep three digits.
fn other_leg(x: f32) -> f32 {
    return sqrt((1.0 - x) * (1.0 + x));
}

fn gelu_inner(x: f32) -> f32 {
    return GELU_SCALE * (x + GELU_CUBE * x * x * x);
}

// By its bits: a compiler may take it that there are no infinities and no NaN.
fn is_nan(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn is_inf(x: f32, negative: f32, positive: f32) -> f32 {
    let bits = bitcast<u32>(x);
    return select(select(0.0, positive, bits == 0x7f800000u), negative, bits == 0xff800000u);
}

fn value(x: f32) -> f32 {
    let a = params.a;
    let b = params.b;
    switch params.function {
        case 0u: { return select(x, 0.0, x < 0.0); }
        case 1u: { return select(x, x * a, x < 0.0); }
        case 2u: { return min(max(x, a), b); }
        case 3u: { return sigmoid(x); }
        case 4u: { return safe_tanh(x); }
        case 5u: { return exp(x); }
        case 6u: { return log(x); }
        case 7u: { return sqrt(x); }
        case 8u: { return 1.0 / x; }
        case 9u: { return -x; }
        case 10u: { return abs(x); }
        case 11u: { return erf(x); }
        case 12u: { return 0.5 * x * (1.0 + erf(x * SQRT_HALF)); }
        case 13u: { return 0.5 * x * (1.0 + safe_tanh(gelu_inner(x))); }
        case 14u: { return select(b * a * exp_minus_1(min(x, 0.0)), b * x, x > 0.0); }
        case 15u: { return select(a * exp_minus_1(min(x / a, 0.0)), x, x > 0.0); }
        case 16u: { return softplus(x); }
        case 17u: { return x / (1.0 + abs(x)); }
        case 18u: { return x * safe_tanh(softplus(x)); }
        case 19u: { return x * sigmoid(a * x); }
        case 20u: { return clamp(a * x + b, 0.0, 1.0); }
        case 21u: { return x * clamp(x / 6.0 + 0.5, 0.0, 1.0); }
        case 22u: { return select(0.0, x, x > a); }
        case 23u: { return select(select(0.0, x - b, x > a), x + b, x < -a); }
        case 24u: { return power(x + a, b); }
        case 25u: { return floor(x); }
        case 26u: { return ceil(x); }
        case 27u: { return round(x); }
        case 28u: { return trunc(x); }
        case 29u: { return sign(x); }
        case 30u: { return select(0.0, 1.0, x == 0.0); }
        case 31u: { return sin(x); }
        case 32u: { return cos(x); }
        case 33u: { return tan(x); }
        case 34u: { return atan2(x, other_leg(x)); }
        case 35u: { return atan2(other_leg(x), x); }
        case 36u: { return atan(x); }
        case 37u: { return sinh(x); }
        case 38u: { return cosh(x); }
        case 39u: { return asinh(x); }
        case 40u: { return acosh(x); }
        case 41u: { return atanh(x); }
        case 42u: { return select(x + a, x - a, x < 0.0); }
        case 43u: { return select(0.0, 1.0, is_nan(x)); }
        default: { return is_inf(x, a, b); }
    }
}

// At the result for sigmoid, else at what the function read.
fn derivative(x: f32) -> f32 {
    let a = params.a;
    let b = params.b;
    switch params.function {
        case 1u: { return select(1.0, a, x < 0.0); }
        case 2u: { return select(0.0, 1.0, x >= a && x <= b); }
        case 3u: { return x * (1.0 - x); }
        case 4u: { let t = safe_tanh(x); return 1.0 - t * t; }
        case 5u: { return exp(x); }
        case 6u: { return 1.0 / x; }
        case 7u: { return 0.5 / sqrt(x); }
        case 8u: { return -1.0 / (x * x); }
        case 9u: { return -1.0; }
        case 10u: { return sign(x); }
        case 11u: { return TWO_OVER_SQRT_PI * exp(-x * x); }
        case 12u: {
            let density = 0.5 * TWO_OVER_SQRT_PI * SQRT_HALF;
            return 0.5 * (1.0 + erf(x * SQRT_HALF)) + x * density * exp(-0.5 * x * x);
        }
        case 13u: {
            let t = safe_tanh(gelu_inner(x));
            let slope = GELU_SCALE * (1.0 + 3.0 * GELU_CUBE * x * x);
            return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * slope;
        }
        case 14u: { return select(b * a * exp(min(x, 0.0)), b, x > 0.0); }
        case 15u: { return select(exp(min(x / a, 0.0)), 1.0, x > 0.0); }
        case 16u: { return sigmoid(x); }
        case 17u: { let d = 1.0 + abs(x); return 1.0 / (d * d); }
        case 18u: {
            let t = safe_tanh(softplus(x));
            return t + x * (1.0 - t * t) * sigmoid(x);
        }
        case 19u: { let s = sigmoid(a * x); return s + a * x * s * (1.0 - s); }
        case 20u: { let v = a * x + b; return select(0.0, a, v > 0.0 && v < 1.0); }
        case 21u: { return select(select(x / 3.0 + 0.5, 1.0, x >= 3.0), 0.0, x <= -3.0); }
        case 22u: { return select(0.0, 1.0, x > a); }
        case 23u: { return select(0.0, 1.0, x < -a || x > a); }
        case 24u: { return b * power(x + a, b - 1.0); }
        case 31u: { return cos(x); }
        case 32u: { return -sin(x); }
        case 33u: { let t = tan(x); return 1.0 + t * t; }
        case 34u: { return 1.0 / sqrt(1.0 - x * x); }
        case 35u: { return -1.0 / sqrt(1.0 - x * x); }
        case 36u: { return 1.0 / (1.0 + x * x); }
        case 37u: { return cosh(x); }
        case 38u: { return sinh(x); }
        case 39u: { return 1.0 / sqrt(x * x + 1.0); }
        case 40u: { return 1.0 / sqrt(x * x - 1.0); }
        case 41u: { return 1.0 / (1.0 - x * x); }
        case 42u: { return 1.0; }
        default: { return 0.0; }
    }
}
