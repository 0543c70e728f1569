// Functions of two elements and their derivatives, by number; src/kernel/pair.rs has the same.

fn truth(b: bool) -> f32 {
    return select(0.0, 1.0, b);
}

// The remainder with the sign of a, also where b is infinite.
fn remainder(a: f32, b: f32) -> f32 {
    return select(a - b * trunc(a / b), a, abs(a) < abs(b));
}

// The remainder with the sign of b.
fn modulo(a: f32, b: f32) -> f32 {
    let rest = remainder(a, b);
    return select(rest, rest + b, rest != 0.0 && (rest < 0.0) != (b < 0.0));
}

fn combined(function: u32, a: f32, b: f32) -> f32 {
    switch function {
        case 0u: { return a + b; }
        case 1u: { return a * b; }
        case 2u: { return select(a, a * b, a < 0.0); }
        case 3u: { return a - b; }
        case 4u: { return a / b; }
        case 5u: { return power(a, b); }
        case 6u: { return min(a, b); }
        case 7u: { return max(a, b); }
        case 8u: { return remainder(a, b); }
        case 9u: { return modulo(a, b); }
        case 10u: { return truth(a == b); }
        case 11u: { return truth(a < b); }
        case 12u: { return truth(a <= b); }
        case 13u: { return truth(a > b); }
        case 14u: { return truth(a >= b); }
        case 15u: { return truth(a != 0.0 && b != 0.0); }
        case 16u: { return truth(a != 0.0 || b != 0.0); }
        case 17u: { return truth((a != 0.0) != (b != 0.0)); }
        case 18u: { return select(0.0, a, b != 0.0); }
        default: { return select(0.0, a, b == 0.0); }
    }
}

// The derivatives with respect to a and to b.
fn derivatives(function: u32, a: f32, b: f32) -> vec2<f32> {
    switch function {
        case 0u: { return vec2(1.0, 1.0); }
        case 1u: { return vec2(b, a); }
        case 2u: { return select(vec2(1.0, 0.0), vec2(b, a), a < 0.0); }
        case 3u: { return vec2(1.0, -1.0); }
        case 4u: { return vec2(1.0 / b, -a / (b * b)); }
        case 5u: {
            var by_a = 0.0;
            if (b != 0.0) { by_a = b * power(a, b - 1.0); }
            var by_b = 0.0;
            if (a > 0.0) { by_b = pow(a, b) * log(a); }
            return vec2(by_a, by_b);
        }
        case 6u: { return vec2(truth(a <= b), truth(a > b)); }
        case 7u: { return vec2(truth(a >= b), truth(a < b)); }
        case 8u: { return vec2(1.0, -trunc(a / b)); }
        case 9u: { return vec2(1.0, -floor(a / b)); }
        case 18u: { return vec2(truth(b != 0.0), 0.0); }
        case 19u: { return vec2(truth(b == 0.0), 0.0); }
        default: { return vec2(0.0, 0.0); }
    }
}
