//! Writing small ONNX models, byte by byte, so that what reads them is not what wrote them.

/// A message being written.
#[derive(Clone, Default)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Bytes {
    fn varint(&mut self, mut value: u64) {
        while value > 127 {
            self.0.push(value as u8 | 128);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    pub(crate) fn int(mut self, field: u64, value: i64) -> Self {
        self.varint(field << 3);
        self.varint(value as u64);
        self
    }

    pub(crate) fn float(mut self, field: u64, value: f32) -> Self {
        self.varint(field << 3 | 5);
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(crate) fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
        self
    }

    pub(crate) fn text(self, field: u64, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    pub(crate) fn message(self, field: u64, message: &Self) -> Self {
        self.bytes(field, &message.0)
    }
}

/// A tensor of floats.
pub(crate) fn floats(name: &str, dims: &[usize], data: &[f32]) -> Bytes {
    let raw: Vec<u8> = data.iter().flat_map(|x| x.to_le_bytes()).collect();
    let dims = dims.iter().fold(Bytes::default(), |b, &d| b.int(1, d as i64));
    dims.int(2, 1).text(8, name).bytes(9, &raw)
}

/// A list of int64.
pub(crate) fn ints(name: &str, data: &[i64]) -> Bytes {
    let raw: Vec<u8> = data.iter().flat_map(|x| x.to_le_bytes()).collect();
    Bytes::default().int(1, data.len() as i64).int(2, 7).text(8, name).bytes(9, &raw)
}

/// An attribute.
#[derive(Clone)]
pub(crate) enum Attribute {
    Int(&'static str, i64),
    Ints(&'static str, Vec<i64>),
    Float(&'static str, f32),
    Text(&'static str, &'static str),
}

impl Attribute {
    fn write(&self) -> Bytes {
        let named = |name: &str, r#type: i64| Bytes::default().text(1, name).int(20, r#type);
        match self {
            Self::Int(name, value) => named(name, 2).int(3, *value),
            Self::Ints(name, list) => list.iter().fold(named(name, 7), |b, &n| b.int(8, n)),
            Self::Float(name, value) => named(name, 1).float(2, *value),
            Self::Text(name, value) => named(name, 3).text(4, value),
        }
    }
}

pub(crate) fn node(
    operator: &str,
    inputs: &[&str],
    outputs: &[&str],
    attributes: &[Attribute],
) -> Bytes {
    let node = inputs.iter().fold(Bytes::default(), |b, name| b.text(1, name));
    let node = outputs.iter().fold(node, |b, name| b.text(2, name));
    let node = node.text(3, outputs[0]).text(4, operator);
    attributes.iter().fold(node, |b, attribute| b.message(5, &attribute.write()))
}

/// A model of one input `x` of any size and one output `y`, of floats.
pub(crate) fn model(nodes: &[Bytes], weights: &[Bytes], opset: i64) -> Vec<u8> {
    model_of(1, nodes, weights, opset)
}

/// The same with an input of another data type.
pub(crate) fn model_of(data_type: i64, nodes: &[Bytes], weights: &[Bytes], opset: i64) -> Vec<u8> {
    let value = |name: &str, data_type: i64| {
        let tensor = Bytes::default().int(1, data_type);
        Bytes::default().text(1, name).message(2, &Bytes::default().message(1, &tensor))
    };
    let graph = nodes.iter().fold(Bytes::default(), |b, node| b.message(1, node));
    let graph = weights.iter().fold(graph, |b, tensor| b.message(5, tensor));
    let graph = graph.message(11, &value("x", data_type)).message(12, &value("y", 1));
    Bytes::default().int(1, 8).message(7, &graph).message(8, &Bytes::default().int(2, opset)).0
}
