//! Functions that a model defines of its own: nodes that call one are replaced by its body.
//!
//! Names inside of a body get the name of the calling node in front, so that each call has values of its own;
//! layers of a function are called `node/inner`.

use std::collections::HashMap;

use prost::Message;

use crate::error::Error;
use crate::onnx::proto::{
    AttributeProto, FunctionProto, GraphProto, NodeProto, OperatorSetIdProto,
};

/// Bytes of what functions become, at most: bodies that call others twice grow fast. A node takes so many of
/// them besides those that it has in a file.
const BYTES: usize = 1 << 28;
const NODE_BYTES: usize = 64;

/// Calls inside of calls, at most. A function may not call itself.
const DEPTH: usize = 64;

/// The functions of a model.
pub(crate) struct Functions {
    opset: i64,
    all: HashMap<Key, FunctionProto>,
}

/// Domain, name and overload.
type Key = (String, String, String);

/// Whether a domain is ONNX's own.
pub(crate) fn is_onnx(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}

/// The version of ONNX's own operators; 0 if there is none.
pub(crate) fn version(imports: &[OperatorSetIdProto]) -> i64 {
    imports.iter().find(|import| is_onnx(&import.domain)).map_or(0, |import| import.version)
}

fn domain(name: &str) -> String {
    if is_onnx(name) { String::new() } else { name.to_owned() }
}

impl Functions {
    /// The functions of a model whose operators are of this version.
    pub(crate) fn new(functions: Vec<FunctionProto>, opset: i64) -> Self {
        let key = |f: &FunctionProto| (domain(&f.domain), f.name.clone(), f.overload.clone());
        Self { opset, all: functions.into_iter().map(|f| (key(&f), f)).collect() }
    }

    /// The nodes, with calls replaced.
    pub(crate) fn inlined(&self, nodes: Vec<NodeProto>) -> Result<Vec<NodeProto>, Error> {
        if self.all.is_empty() {
            return Ok(nodes);
        }
        let (mut made, mut bytes) = (Vec::with_capacity(nodes.len()), 0);
        for node in nodes {
            self.inline(node, 0, (&mut made, &mut bytes))?;
        }
        Ok(made)
    }

    fn inline(
        &self,
        mut node: NodeProto,
        depth: usize,
        (made, bytes): (&mut Vec<NodeProto>, &mut usize),
    ) -> Result<(), Error> {
        let key = (domain(&node.domain), node.op_type.clone(), node.overload.clone());
        let Some(function) = self.all.get(&key) else {
            for graph in node.attribute.iter_mut().filter_map(|a| a.g.as_mut()) {
                let mut inside = Vec::with_capacity(graph.node.len());
                for node in std::mem::take(&mut graph.node) {
                    self.inline(node, depth, (&mut inside, bytes))?;
                }
                graph.node = inside;
            }
            made.push(node);
            return Ok(());
        };
        if depth == DEPTH {
            return Err(Error::Graph {
                found: format!("function {:?} inside of {DEPTH} others", function.name),
                allowed: "a function may not call itself".into(),
            });
        }
        self.check(&node, function)?;
        let call = Call::new(&node, function);
        for inner in &function.node {
            let inner = call.node(inner);
            *bytes += NODE_BYTES + inner.encoded_len();
            if *bytes > BYTES {
                return Err(Error::Graph {
                    found: "functions that call functions without end".into(),
                    allowed: format!("{BYTES} bytes of nodes are allowed"),
                });
            }
            self.inline(inner, depth + 1, (made, bytes))?;
        }
        Ok(())
    }

    /// Refuses a call that does not fit its function, and a function of other operators than the model's.
    fn check(&self, node: &NodeProto, function: &FunctionProto) -> Result<(), Error> {
        let refused = |found, allowed| {
            let (node, operator) = (name(node).to_owned(), function.name.clone());
            Err(Error::Node { node, operator, found, allowed })
        };
        let (given, taken) = (node.input.len(), function.input.len());
        if given > taken {
            return refused(format!("{given} inputs"), format!("the function has {taken}"));
        }
        let (given, taken) = (node.output.len(), function.output.len());
        if given > taken {
            return refused(format!("{given} outputs"), format!("the function has {taken}"));
        }
        match version(&function.opset_import) {
            0 => Ok(()),
            version if version == self.opset => Ok(()),
            version => refused(
                format!("the function is of operator set {version}"),
                format!("that of the model is needed, {}", self.opset),
            ),
        }
    }
}

/// The name of a node, or of its first output.
fn name(node: &NodeProto) -> &str {
    match node.name.as_str() {
        "" => node.output.iter().find(|output| !output.is_empty()).map_or("", String::as_str),
        name => name,
    }
}

/// A call of a function.
struct Call<'a> {
    prefix: &'a str,
    /// What the caller calls the function's inputs and outputs; empty where it leaves one out.
    names: HashMap<&'a str, &'a str>,
    attributes: HashMap<&'a str, &'a AttributeProto>,
}

impl<'a> Call<'a> {
    fn new(node: &'a NodeProto, function: &'a FunctionProto) -> Self {
        let inputs = (0..).zip(&function.input).map(|(i, inner)| (inner, node.input.get(i)));
        let inputs =
            inputs.map(|(inner, outer)| (inner.as_str(), outer.map_or("", String::as_str)));
        // An output that the caller leaves out keeps a name of its own.
        let outputs =
            function.output.iter().zip(&node.output).filter(|(_, outer)| !outer.is_empty());
        let outputs = outputs.map(|(inner, outer)| (inner.as_str(), outer.as_str()));
        let defaults = function.attribute_proto.iter();
        let attributes = defaults.chain(&node.attribute).map(|a| (a.name.as_str(), a));
        Self {
            prefix: name(node),
            names: inputs.chain(outputs).collect(),
            attributes: attributes.collect(),
        }
    }

    /// A node of the body as a node of the caller.
    fn node(&self, inner: &NodeProto) -> NodeProto {
        NodeProto {
            input: inner.input.iter().map(|name| self.value(name)).collect(),
            output: inner.output.iter().map(|name| self.value(name)).collect(),
            name: format!("{}/{}", self.prefix, name(inner)),
            attribute: inner.attribute.iter().filter_map(|a| self.attribute(a)).collect(),
            ..inner.clone()
        }
    }

    /// What the caller calls a value of the body.
    fn value(&self, name: &str) -> String {
        match self.names.get(name) {
            Some(&outer) => outer.to_owned(),
            None if name.is_empty() => String::new(),
            None => format!("{}/{name}", self.prefix),
        }
    }

    /// A branch in the body.
    fn graph(&self, inner: &GraphProto) -> GraphProto {
        let mut graph = inner.clone();
        graph.node = inner.node.iter().map(|node| self.node(node)).collect();
        graph.initializer.iter_mut().for_each(|tensor| tensor.name = self.value(&tensor.name));
        graph.output.iter_mut().for_each(|output| output.name = self.value(&output.name));
        graph
    }

    /// An attribute of the body; none where it stands for one that the caller leaves out.
    fn attribute(&self, inner: &AttributeProto) -> Option<AttributeProto> {
        if inner.ref_attr_name.is_empty() {
            let g = inner.g.as_ref().map(|graph| Box::new(self.graph(graph)));
            return Some(AttributeProto { g, ..inner.clone() });
        }
        let given = *self.attributes.get(inner.ref_attr_name.as_str())?;
        Some(AttributeProto { name: inner.name.clone(), ..given.clone() })
    }
}
