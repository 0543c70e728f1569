//! Filling in the weights of a model whose large ones are left out: the file is rewritten field by
//! field, as protobuf's wire format has them.

/// A field of a message: its number, its kind, and its bytes with and without the key.
struct Field<'a> {
    number: u64,
    whole: &'a [u8],
    value: &'a [u8],
    varint: u64,
}

fn varint(bytes: &[u8], at: &mut usize) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = bytes[*at];
        *at += 1;
        value |= u64::from(byte & 127) << shift;
        if byte < 128 {
            return value;
        }
        shift += 7;
    }
}

fn fields(bytes: &[u8]) -> Vec<Field<'_>> {
    let (mut at, mut all) = (0, Vec::new());
    while at < bytes.len() {
        let start = at;
        let key = varint(bytes, &mut at);
        let (mut number_value, mut from) = (0, at);
        match key & 7 {
            0 => number_value = varint(bytes, &mut at),
            1 => at += 8,
            5 => at += 4,
            _ => {
                let len = varint(bytes, &mut at) as usize;
                from = at;
                at += len;
            }
        }
        let (whole, value) = (&bytes[start..at], &bytes[from..at]);
        all.push(Field { number: key >> 3, whole, value, varint: number_value });
    }
    all
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value > 127 {
        out.push(value as u8 | 128);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put(out: &mut Vec<u8>, number: u64, bytes: &[u8]) {
    put_varint(out, number << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend(bytes);
}

/// The number that a hash makes of `k`: −1 ≤ u < 1.
pub(crate) fn hashed(k: u32) -> f32 {
    let mut m = k.wrapping_mul(0x9e37_79b9);
    m ^= m >> 15;
    m = m.wrapping_mul(0x85eb_ca6b);
    m ^= m >> 13;
    m = m.wrapping_mul(0xc2b2_ae35);
    m ^= m >> 16;
    (m >> 8) as f32 / 8_388_608.0 - 1.0
}

/// The model with weights in the place of every tensor that says it is generated.
pub(crate) fn filled(model: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for field in fields(model) {
        if field.number != 7 {
            out.extend(field.whole);
            continue;
        }
        let mut graph = Vec::new();
        for field in fields(field.value) {
            match field.number {
                5 => put(&mut graph, 5, &tensor(field.value)),
                _ => graph.extend(field.whole),
            }
        }
        put(&mut out, 7, &graph);
    }
    out
}

fn tensor(bytes: &[u8]) -> Vec<u8> {
    let all = fields(bytes);
    let entry = |key: &str| {
        all.iter().filter(|f| f.number == 13).find_map(|f| {
            let parts = fields(f.value);
            let is = parts.iter().any(|p| p.number == 1 && p.value == key.as_bytes());
            let value = parts.iter().find(|p| p.number == 2)?.value;
            is.then(|| String::from_utf8_lossy(value).into_owned())
        })
    };
    let (Some(seed), Some(scale)) = (entry("seed"), entry("scale")) else { return bytes.to_vec() };
    let seed: u32 = seed.parse().expect("a seed");
    let scale = scale.parse::<f64>().expect("a scale") as f32;
    let dims = all.iter().filter(|f| f.number == 1).flat_map(|f| match f.value.len() {
        0 => vec![f.varint],
        // Dimensions in one field.
        _ if f.whole[0] & 7 == 2 => {
            let (mut at, mut list) = (0, Vec::new());
            while at < f.value.len() {
                list.push(varint(f.value, &mut at));
            }
            list
        }
        _ => vec![f.varint],
    });
    let count: u64 = dims.product();
    let raw: Vec<u8> = (0..count as u32)
        .flat_map(|i| (hashed(i.wrapping_add(seed)) * scale).to_le_bytes())
        .collect();
    let mut out = Vec::new();
    for field in all.iter().filter(|f| f.number != 13 && f.number != 14) {
        out.extend(field.whole);
    }
    put(&mut out, 9, &raw);
    out
}
