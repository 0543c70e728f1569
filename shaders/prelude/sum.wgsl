// Sums of elements, the same to the bit on every device: floats are added in binary32 and rounded once to
// the element (to nearest even), with a NaN in its canonical form; integers are added in 64 bits and
// saturate.

// Four sums, or terms of sums. An integer is 64 bits in two's complement. A float is a binary32 in `low`,
// which may be 0 for a subnormal, since a device may flush subnormals; a float below 2^-100 is also in
// `high`, multiplied by 2^64, which is exact.
struct Sum {
    low: vec4<u32>,
    high: vec4<u32>,
}

// 2^-100. Sums of floats below it are read from `high`.
const LEAST_LOW: u32 = 27u << 23u;

// Elements as terms. A sum starts from +0 and so is never −0. The sign of a zero is cleared on its bits,
// because compilers drop the addition of 0.
fn term(elements: vec4<u32>) -> Sum {
    if IS_FLOAT {
        let wide = widen(elements);
        let magnitude = wide & vec4<u32>(0x7fffffffu);
        let low = select(wide, vec4<u32>(0u), magnitude == vec4<u32>(0u));
        return Sum(low, scale_up(low));
    }
    if KIND == SIGNED {
        let shift = vec4<u32>(32u - BITS);
        let wide = bitcast<vec4<i32>>(elements << shift) >> shift;
        return Sum(bitcast<vec4<u32>>(wide), bitcast<vec4<u32>>(wide >> vec4<u32>(31u)));
    }
    return Sum(elements, vec4<u32>(0u));
}

// a + b. Floats are added in binary32, rounded to nearest even, with subnormals.
//
// Where both terms are below 2^-100, their multiples in `high` are added: those are normal numbers, and so is
// their sum, so that the scaling is exact. Where one term is not below 2^-100, a subnormal other term is less
// than half of that term's last place, so that flushing it changes nothing; and a sum that is not 0 is at
// least 2^-124. Sums of binary16 are multiples of 2^-24 and are never subnormal.
fn add(a: Sum, b: Sum) -> Sum {
    if !IS_FLOAT {
        let low = a.low + b.low;
        let carry = select(vec4<u32>(0u), vec4<u32>(1u), low < b.low);
        return Sum(low, a.high + b.high + carry);
    }
    let plain = bitcast<vec4<f32>>(a.low) + bitcast<vec4<f32>>(b.low);
    if KIND == BINARY16 {
        return Sum(bitcast<vec4<u32>>(plain), vec4<u32>(0u));
    }
    let scaled = bitcast<vec4<f32>>(a.high) + bitcast<vec4<f32>>(b.high);
    let larger = max(a.low & vec4<u32>(0x7fffffffu), b.low & vec4<u32>(0x7fffffffu));
    let is_small = larger < vec4<u32>(LEAST_LOW);
    return Sum(
        bitcast<vec4<u32>>(select(plain, scaled * 0x1p-64f, is_small)),
        bitcast<vec4<u32>>(select(plain * 0x1p64f, scaled, is_small)),
    );
}

// `sum`, with the elements added in the lanes that are `hit`.
fn sum_with(sum: Sum, elements: vec4<u32>, hit: vec4<bool>) -> Sum {
    let next = add(sum, term(elements));
    return Sum(select(sum.low, next.low, hit), select(sum.high, next.high, hit));
}

// The sum of one element, as an element: a NaN in its canonical form, and no −0.
fn sum_of_one(elements: vec4<u32>) -> vec4<u32> {
    let sign = 1u << (BITS - 1u);
    let magnitude = elements & vec4<u32>(sign - 1u);
    let infinity = INFINITY >> (32u - BITS);
    let quiet = select(0x7fc00000u, 0x7e000000u, KIND == BINARY16) >> (32u - BITS);
    let number = select(elements, vec4<u32>(0u), magnitude == vec4<u32>(0u));
    return select(number, vec4<u32>(quiet), magnitude > vec4<u32>(infinity));
}

// The sums as elements.
fn total(sum: Sum) -> vec4<u32> {
    if KIND == BINARY16 {
        return round_to_element(sum.low);
    }
    if IS_FLOAT {
        let is_small = (sum.low & vec4<u32>(0x7fffffffu)) < vec4<u32>(LEAST_LOW);
        return round_to_element(select(sum.low, scale_down(sum.high), is_small));
    }
    let mask = (1u << (BITS % 32u)) - 1u;
    if KIND == UNSIGNED {
        let all = select(mask, 0xffffffffu, BITS == 32u);
        let over = (sum.high != vec4<u32>(0u)) | (sum.low > vec4<u32>(all));
        return select(sum.low, vec4<u32>(all), over);
    }
    let negative = bitcast<vec4<i32>>(sum.high) < vec4<i32>(0);
    let fits = bitcast<vec4<u32>>(bitcast<vec4<i32>>(sum.low) >> vec4<u32>(31u)) == sum.high;
    let limit = select(vec4<u32>(0x7fffffffu), vec4<u32>(0x80000000u), negative);
    let wide = select(limit, sum.low, fits);
    if BITS == 32u {
        return wide;
    }
    let largest = i32(mask >> 1u);
    let element = clamp(bitcast<vec4<i32>>(wide), vec4<i32>(-largest - 1), vec4<i32>(largest));
    return bitcast<vec4<u32>>(element) & vec4<u32>(mask);
}

// Elements as the bits of binary32. A subnormal binary16 is a normal binary32.
fn widen(elements: vec4<u32>) -> vec4<u32> {
    if KIND == BINARY32 {
        return elements;
    }
    if KIND == BFLOAT16 {
        return elements << vec4<u32>(16u);
    }
    // The exponent is rebiased by 112, and once more from the largest to the largest. That of a subnormal comes out
    // as 2^-15 for 2^-14, with a leading 1 that is none.
    let top = elements << vec4<u32>(16u);
    let magnitude = (top >> vec4<u32>(3u)) & vec4<u32>(0x0fffe000u);
    let unbounded = magnitude >= vec4<u32>(0x1fu << 23u);
    let wide = magnitude + select(vec4<u32>(112u << 23u), vec4<u32>(224u << 23u), unbounded);
    let subnormal = bitcast<vec4<u32>>(bitcast<vec4<f32>>(wide) * 2.0 - 0x1p-14f);
    let number = select(wide, subnormal, magnitude < vec4<u32>(1u << 23u));
    return (top & vec4<u32>(0x80000000u)) | number;
}

// Binary32 bits rounded to the element.
fn round_to_element(bits: vec4<u32>) -> vec4<u32> {
    let magnitude = bits & vec4<u32>(0x7fffffffu);
    let nan = magnitude > vec4<u32>(0x7f800000u);
    if KIND == BINARY32 {
        return select(bits, vec4<u32>(0x7fc00000u), nan);
    }
    if KIND == BFLOAT16 {
        let odd = (bits >> vec4<u32>(16u)) & vec4<u32>(1u);
        return select((bits + vec4<u32>(0x7fffu) + odd) >> vec4<u32>(16u), vec4<u32>(0x7fc0u), nan);
    }
    // Adding 2^(e+13) to a magnitude of exponent e rounds the magnitude to a multiple of 2^(e-10), which is the last
    // place of a binary16 of this exponent. Below 2^-14 the exponent is taken as −14, which gives the last place of the
    // subnormals. The bits of 2^(e+13) are then subtracted from those of the sum. From 65,520 up the result is the
    // infinity; magnitudes above 65,536 are replaced by 65,536.
    let bounded = min(magnitude, vec4<u32>(0x47800000u));
    let exponent = max(bounded & vec4<u32>(0x7f800000u), vec4<u32>(0x38800000u));
    let shift = exponent + (13u << 23u);
    let sum = bitcast<vec4<u32>>(bitcast<vec4<f32>>(bounded) + bitcast<vec4<f32>>(shift));
    let rounded = (exponent >> vec4<u32>(13u)) - (113u << 10u) + (sum - shift);
    let signed = rounded | ((bits >> vec4<u32>(16u)) & vec4<u32>(0x8000u));
    return select(signed, vec4<u32>(0x7e00u), nan);
}

// The bits of 2^64 times a float below 2^-100. Of a larger float the result has no meaning.
fn scale_up(bits: vec4<u32>) -> vec4<u32> {
    let magnitude = bits & vec4<u32>(0x7fffffffu);
    // 2^-62 · (1 + f) − 2^-62, where f is the fraction of a subnormal.
    let fraction = bitcast<vec4<f32>>(magnitude + vec4<u32>(65u << 23u)) - 0x1p-62f;
    let normal = magnitude + vec4<u32>(64u << 23u);
    let is_normal = magnitude >= vec4<u32>(1u << 23u);
    return select(bitcast<vec4<u32>>(fraction), normal, is_normal) | (bits & vec4<u32>(0x80000000u));
}

// The bits of a float from those of 2^64 times that float.
fn scale_down(bits: vec4<u32>) -> vec4<u32> {
    let magnitude = bits & vec4<u32>(0x7fffffffu);
    let subnormal = bitcast<vec4<u32>>(bitcast<vec4<f32>>(magnitude) + 0x1p-62f) - vec4<u32>(65u << 23u);
    let normal = magnitude - vec4<u32>(64u << 23u);
    let is_normal = magnitude >= vec4<u32>(65u << 23u);
    return select(subnormal, normal, is_normal) | (bits & vec4<u32>(0x80000000u));
}
