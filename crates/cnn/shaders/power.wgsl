// Powers of negative numbers are those of whole exponents.
fn power(x: f32, exponent: f32) -> f32 {
    if (exponent == 0.0) { return 1.0; }
    if (exponent == 1.0) { return x; }
    if (exponent == 2.0) { return x * x; }
    if (exponent == -1.0) { return 1.0 / x; }
    if (exponent == 0.5) { return sqrt(x); }
    if (x == 0.0) { return select(0.0, 1.0 / abs(x), exponent < 0.0); }
    if (x > 0.0) { return pow(x, exponent); }
    let size = pow(-x, exponent);
    return select(size, -size, abs(exponent) % 2.0 == 1.0);
}
