// Sums of cells, the same to the bit on every device: floats in binary32, rounded once to the
// element (nearest even), a NaN in its canonical form; integers in 64 bits, saturated.

// Whether values that meet in a cell are summed; else the last stays.
override SUMMED: bool = false;

// Four sums. Floats: the bits of a binary32 in `low`. Integers: 64 bits in two's complement.
struct Sum {
    low: vec4<u32>,
    high: vec4<u32>,
}

fn is_float() -> bool {
    return KIND == BINARY32 || KIND == BINARY16 || KIND == BFLOAT16;
}

// `sum` and the cells of the lanes that are `hit`.
fn sum_with(sum: Sum, cells: vec4<u32>, hit: vec4<bool>) -> Sum {
    if is_float() {
        return Sum(add(sum.low, select(vec4<u32>(0u), term(cells), hit)), sum.high);
    }
    let taken = select(vec4<u32>(0u), cells, hit);
    var low = taken;
    var high = vec4<u32>(0u);
    if KIND == SIGNED {
        let shift = vec4<u32>(32u - BITS);
        let wide = bitcast<vec4<i32>>(taken << shift) >> shift;
        low = bitcast<vec4<u32>>(wide);
        high = bitcast<vec4<u32>>(wide >> vec4<u32>(31u));
    }
    let total = sum.low + low;
    let carry = select(vec4<u32>(0u), vec4<u32>(1u), total < low);
    return Sum(total, sum.high + high + carry);
}

// A float as a term of a sum. A sum starts from +0 and so is never −0; that is said on bits, because
// compilers drop an added 0.
fn term(cells: vec4<u32>) -> vec4<u32> {
    let wide = widen(cells);
    return select(wide, vec4<u32>(0u), wide == vec4<u32>(0x80000000u));
}

// The sum of one cell, as a cell: a NaN in its canonical form, no −0.
fn sum_of_one(cells: vec4<u32>) -> vec4<u32> {
    let sign = 1u << (BITS - 1u);
    let magnitude = cells & vec4<u32>(sign - 1u);
    var infinity = 0x7f800000u;
    var quiet = 0x7fc00000u;
    if KIND == BINARY16 {
        infinity = 0x7c00u;
        quiet = 0x7e00u;
    } else if KIND == BFLOAT16 {
        infinity = 0x7f80u;
        quiet = 0x7fc0u;
    }
    let number = select(cells, vec4<u32>(0u), magnitude == vec4<u32>(0u));
    return select(number, vec4<u32>(quiet), magnitude > vec4<u32>(infinity));
}

// How large a term is, with 0 as the largest.
fn size(terms: vec4<u32>) -> vec4<u32> {
    return (terms & vec4<u32>(0x7fffffffu)) - vec4<u32>(1u);
}

// Whether a sum of terms, in whatever order, could meet a subnormal. Terms that are 0 or at least
// 2^-100 are multiples of 2^-123, and so is every sum of them. Binary16 has no other.
fn is_delicate(least_size: vec4<u32>) -> bool {
    return any(least_size < vec4<u32>((27u << 23u) - 1u));
}

// The sums as cells.
fn total(sum: Sum) -> vec4<u32> {
    if is_float() {
        return narrow(sum.low);
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
    let cell = clamp(bitcast<vec4<i32>>(wide), vec4<i32>(-largest - 1), vec4<i32>(largest));
    return bitcast<vec4<u32>>(cell) & vec4<u32>(mask);
}

// Cells as the bits of binary32. A subnormal binary16 is a normal binary32.
fn widen(cells: vec4<u32>) -> vec4<u32> {
    if KIND == BINARY32 {
        return cells;
    }
    if KIND == BFLOAT16 {
        return cells << vec4<u32>(16u);
    }
    let sign = (cells & vec4<u32>(0x8000u)) << vec4<u32>(16u);
    let magnitude = cells & vec4<u32>(0x7fffu);
    let shifted = magnitude << vec4<u32>(13u);
    let subnormal = bitcast<vec4<u32>>(vec4<f32>(magnitude) * 0x1p-24f);
    let normal = shifted + vec4<u32>(112u << 23u);
    let unbounded = shifted | vec4<u32>(0x7f800000u);
    let finite = select(normal, subnormal, magnitude < vec4<u32>(0x400u));
    return sign | select(finite, unbounded, magnitude >= vec4<u32>(0x7c00u));
}

// Binary32 bits rounded to the element.
fn narrow(bits: vec4<u32>) -> vec4<u32> {
    let magnitude = bits & vec4<u32>(0x7fffffffu);
    let nan = magnitude > vec4<u32>(0x7f800000u);
    if KIND == BINARY32 {
        return select(bits, vec4<u32>(0x7fc00000u), nan);
    }
    if KIND == BFLOAT16 {
        let odd = (bits >> vec4<u32>(16u)) & vec4<u32>(1u);
        return select((bits + vec4<u32>(0x7fffu) + odd) >> vec4<u32>(16u), vec4<u32>(0x7fc0u), nan);
    }
    // In the normal range 13 bits are dropped; below it, as many as leave units of 2^-24.
    let exponent = magnitude >> vec4<u32>(23u);
    let is_normal = magnitude >= vec4<u32>(0x38800000u);
    let drop = select(min(vec4<u32>(126u) - exponent, vec4<u32>(31u)), vec4<u32>(13u), is_normal);
    let mantissa = (magnitude & vec4<u32>(0x7fffffu)) | vec4<u32>(0x800000u);
    let kept = select(mantissa, magnitude - vec4<u32>(112u << 23u), is_normal);
    let odd = (kept >> drop) & vec4<u32>(1u);
    let half = (vec4<u32>(1u) << (drop - vec4<u32>(1u))) - vec4<u32>(1u);
    let rounded = (kept + half + odd) >> drop;
    let bounded = select(rounded, vec4<u32>(0x7c00u), magnitude >= vec4<u32>(0x477ff000u));
    let signed = bounded | ((bits >> vec4<u32>(16u)) & vec4<u32>(0x8000u));
    return select(signed, vec4<u32>(0x7e00u), nan);
}

// a + b in binary32, rounded to nearest even, with subnormals.
//
// A device may flush subnormals to zero. Where both terms are below 2^-100 they are scaled by 2^64
// first, so that terms and result are normal; the scaling is exact. Where one is not, a subnormal
// is less than half a unit in its last place, and flushing it changes nothing. Two zeros need none
// of this.
fn add(a: vec4<u32>, b: vec4<u32>) -> vec4<u32> {
    let larger = max(a & vec4<u32>(0x7fffffffu), b & vec4<u32>(0x7fffffffu));
    let small = (larger - vec4<u32>(1u)) < vec4<u32>((27u << 23u) - 1u);
    let plain = bitcast<vec4<u32>>(bitcast<vec4<f32>>(a) + bitcast<vec4<f32>>(b));
    if !any(small) {
        return plain;
    }
    let scaled = bitcast<vec4<f32>>(scale_up(a)) + bitcast<vec4<f32>>(scale_up(b));
    return select(plain, scale_down(bitcast<vec4<u32>>(scaled)), small);
}

fn scale_up(bits: vec4<u32>) -> vec4<u32> {
    let magnitude = bits & vec4<u32>(0x7fffffffu);
    let subnormal = bitcast<vec4<u32>>(vec4<f32>(magnitude) * 0x1p-85f);
    let normal = magnitude + vec4<u32>(64u << 23u);
    let scaled = select(normal, subnormal, magnitude < vec4<u32>(0x800000u));
    return scaled | (bits & vec4<u32>(0x80000000u));
}

fn scale_down(bits: vec4<u32>) -> vec4<u32> {
    let magnitude = bits & vec4<u32>(0x7fffffffu);
    let is_normal = magnitude >= vec4<u32>(65u << 23u);
    let small = select(magnitude, vec4<u32>(0u), is_normal);
    let subnormal = vec4<u32>(bitcast<vec4<f32>>(small) * 0x1p85f);
    let normal = magnitude - vec4<u32>(64u << 23u);
    return select(subnormal, normal, is_normal) | (bits & vec4<u32>(0x80000000u));
}
