//! The nodes of a model in an order in which they can run, its weights and its one input.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use prost::Message;

use crate::error::Error;
use crate::onnx::attributes::Attributes;
use crate::onnx::constant::Constant;
use crate::onnx::external;
use crate::onnx::functions::{self, Functions};
use crate::onnx::proto::{
    AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto,
};

/// The oldest set of operators that is understood: since 7, broadcasting is NumPy's.
const OLDEST_OPSET: i64 = 7;

/// A model, read and ordered, without knowing the size of its input yet.
#[derive(Debug)]
pub(crate) struct Graph {
    pub(crate) opset: i64,
    pub(crate) input: String,
    /// What the file says about the input's extents: `None` where any is allowed.
    pub(crate) input_dims: Option<Vec<Option<usize>>>,
    /// Whether the file's images are bytes.
    pub(crate) reads_bytes: bool,
    pub(crate) outputs: Vec<String>,
    pub(crate) weights: HashMap<String, Constant>,
    pub(crate) nodes: Vec<Node>,
    /// What the file says of itself.
    pub(crate) metadata: HashMap<String, String>,
}

/// A node of the graph. Unnamed ones are called after their first output; an operator of another domain
/// than ONNX's own has the domain before its name.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) operator: String,
    pub(crate) inputs: Vec<String>,
    pub(crate) outputs: Vec<String>,
    attributes: Vec<AttributeProto>,
    /// What an `If` does where its condition holds, and where it does not.
    pub(crate) branches: Option<Box<[Branch; 2]>>,
}

/// A branch of an `If`. It may read whatever the graph around it makes.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) weights: HashMap<String, Constant>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) outputs: Vec<String>,
    /// The values of the graph around it that it reads.
    reads: Vec<String>,
}

impl Node {
    fn new(node: NodeProto, branches: Option<Box<[Branch; 2]>>) -> Self {
        let named = |name: &String| !name.is_empty();
        let name = Some(node.name).filter(named).or_else(|| node.output.first().cloned());
        let operator = match node.domain.as_str() {
            domain if functions::is_onnx(domain) => node.op_type,
            domain => format!("{domain}.{}", node.op_type),
        };
        Self {
            name: name.unwrap_or_default(),
            operator,
            inputs: node.input,
            outputs: node.output,
            attributes: node.attribute,
            branches,
        }
    }

    /// The names of what it reads, in its branches too.
    fn reads(&self) -> impl Iterator<Item = &String> {
        let branches = self.branches.iter().flat_map(|branches| branches.iter());
        let inside = branches.flat_map(|branch| &branch.reads);
        self.inputs.iter().chain(inside).filter(|name| !name.is_empty())
    }

    pub(crate) fn attributes(&self) -> Attributes<'_> {
        Attributes(&self.attributes)
    }
}

impl Graph {
    pub(crate) fn decode(bytes: Bytes, dir: Option<&Path>) -> Result<Self, Error> {
        let model =
            ModelProto::decode(bytes).map_err(|e| Error::Decode { message: e.to_string() })?;
        let opset = functions::version(&model.opset_import);
        let Some(mut graph) = model.graph else {
            return Err(Error::Decode { message: "it holds no graph".into() });
        };
        if opset < OLDEST_OPSET {
            let found = format!("operator set {opset}");
            let allowed = format!("{OLDEST_OPSET} and newer are allowed");
            return Err(Error::Graph { found, allowed });
        }
        let functions = Functions::new(model.functions, opset);
        graph.node = functions.inlined(std::mem::take(&mut graph.node))?;
        let metadata = model.metadata_props.into_iter().map(|entry| (entry.key, entry.value));
        Ok(Self { metadata: metadata.collect(), ..Self::new(graph, opset, dir)? })
    }

    fn new(graph: GraphProto, opset: i64, dir: Option<&Path>) -> Result<Self, Error> {
        let mut reader = Reader { dir, files: HashMap::new() };
        let weights = reader.weights(graph.initializer)?;
        // Files before IR 4 list the weights among the inputs.
        let inputs: Vec<_> =
            graph.input.iter().filter(|i| !weights.contains_key(&i.name)).collect();
        let [input] = inputs[..] else {
            let names: Vec<_> = inputs.iter().map(|i| i.name.as_str()).collect();
            return Err(Error::Graph {
                found: format!("{} inputs ({})", inputs.len(), names.join(", ")),
                allowed: "one is needed: the image".into(),
            });
        };
        if graph.output.is_empty() {
            let (found, allowed) = ("no output".into(), "at least one is needed".into());
            return Err(Error::Graph { found, allowed });
        }
        let nodes = reader.nodes(graph.node)?;
        let given = |name: &str| weights.contains_key(name) || name == input.name;
        let (nodes, missing) = ordered(nodes, given)?;
        if let Some(Missing { name, node, operator }) = missing.into_iter().next() {
            return Err(Error::Node {
                node,
                operator,
                found: format!("it reads {name:?}, which nothing makes"),
                allowed: "an input, weights or another node's output is needed".into(),
            });
        }
        let reads_bytes = data_type(input) == BYTES;
        Ok(Self {
            opset,
            input_dims: dims(input, &nodes)?,
            reads_bytes,
            input: input.name.clone(),
            outputs: graph.output.into_iter().map(|o| o.name).collect(),
            weights,
            nodes,
            metadata: HashMap::new(),
        })
    }
}

/// Reads the parts of a graph, and the files that hold its weights.
struct Reader<'a> {
    dir: Option<&'a Path>,
    files: HashMap<PathBuf, Bytes>,
}

impl Reader<'_> {
    fn weights(&mut self, tensors: Vec<TensorProto>) -> Result<HashMap<String, Constant>, Error> {
        let mut weights = HashMap::with_capacity(tensors.len());
        for tensor in tensors {
            let constant = external::read(&tensor, self.dir, &mut self.files)
                .and_then(|data| Constant::read(&tensor, data))
                .map_err(|fault| Error::Weights {
                    name: tensor.name.clone(),
                    found: fault.found,
                    allowed: fault.allowed,
                })?;
            if weights.insert(tensor.name.clone(), constant).is_some() {
                return Err(twice(&tensor.name));
            }
        }
        Ok(weights)
    }

    fn nodes(&mut self, nodes: Vec<NodeProto>) -> Result<Vec<Node>, Error> {
        nodes.into_iter().map(|node| self.node(node)).collect()
    }

    fn node(&mut self, mut node: NodeProto) -> Result<Node, Error> {
        if node.op_type != "If" || !functions::is_onnx(&node.domain) {
            return Ok(Node::new(node, None));
        }
        let mut take = |name: &str| {
            let found = node.attribute.iter_mut().find(|a| a.name == name).and_then(|a| a.g.take());
            found.ok_or_else(|| Error::Graph {
                found: format!("an If without {name}"),
                allowed: "both branches are needed".into(),
            })
        };
        let (then, otherwise) = (take("then_branch")?, take("else_branch")?);
        let branches = Box::new([self.branch(*then)?, self.branch(*otherwise)?]);
        Ok(Node::new(node, Some(branches)))
    }

    fn branch(&mut self, graph: GraphProto) -> Result<Branch, Error> {
        let weights = self.weights(graph.initializer)?;
        let nodes = self.nodes(graph.node)?;
        let (nodes, missing) = ordered(nodes, |name| weights.contains_key(name))?;
        let outputs: Vec<_> = graph.output.into_iter().map(|output| output.name).collect();
        let made: HashSet<_> = nodes.iter().flat_map(|node| &node.outputs).collect();
        let from_around = |name: &&String| !made.contains(name) && !weights.contains_key(*name);
        let reads = missing.into_iter().map(|missing| missing.name);
        let reads = reads.chain(outputs.iter().filter(from_around).cloned()).collect();
        Ok(Branch { weights, nodes, outputs, reads })
    }
}

fn twice(name: &str) -> Error {
    let found = format!("two values named {name:?}");
    Error::Graph { found, allowed: "each name may be given once".into() }
}

/// The data type of bytes, and those of floats; 0 where a file does not say.
const BYTES: i32 = 2;
const FLOATS: [i32; 5] = [0, 1, 10, 11, 16];

fn data_type(input: &ValueInfoProto) -> i32 {
    input.r#type.as_ref().and_then(|t| t.tensor_type.as_ref()).map_or(0, |t| t.elem_type)
}

fn dims(input: &ValueInfoProto, nodes: &[Node]) -> Result<Option<Vec<Option<usize>>>, Error> {
    let found = match data_type(input) {
        data_type if FLOATS.contains(&data_type) => None,
        BYTES if is_made_floats(&input.name, nodes) => None,
        BYTES => {
            Some("an input of bytes that are not made floats before they are computed with".into())
        }
        other => Some(format!("an input of data type {other}")),
    };
    if let Some(found) = found {
        let allowed = "a type of floats, or bytes that a Cast makes floats, is needed".into();
        return Err(Error::Graph { found, allowed });
    }
    let Some(tensor) = input.r#type.as_ref().and_then(|t| t.tensor_type.as_ref()) else {
        return Ok(None);
    };
    let dim = |value: Option<i64>| value.and_then(|n| usize::try_from(n).ok()).filter(|&n| n > 0);
    Ok(tensor.shape.as_ref().map(|s| s.dim.iter().map(|d| dim(d.dim_value)).collect()))
}

/// Whether all that is computed with whole numbers of the input is computed with floats: whether nodes only move them
/// before a Cast.
fn is_made_floats(input: &str, nodes: &[Node]) -> bool {
    let mut whole = HashSet::from([input]);
    for node in nodes {
        if !node.reads().any(|name| whole.contains(name.as_str())) {
            continue;
        }
        match node.operator.as_str() {
            "Shape" | "Size" => {}
            "Cast" if is_to_floats(node) => {}
            "Identity" | "Transpose" | "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze"
            | "Slice" | "Split" | "Gather" => whole.extend(node.outputs.iter().map(String::as_str)),
            _ => return false,
        }
    }
    true
}

fn is_to_floats(node: &Node) -> bool {
    let to = node.attributes().int("to", 0);
    to.is_ok_and(|to| FLOATS.iter().any(|&floats| floats != 0 && i64::from(floats) == to))
}

/// A value that a node reads and nothing makes.
struct Missing {
    name: String,
    node: String,
    operator: String,
}

/// The nodes so that each comes after those it reads from (Kahn 1962), otherwise as in the file; and what
/// they read that is neither made nor given.
fn ordered(
    nodes: Vec<Node>,
    given: impl Fn(&str) -> bool,
) -> Result<(Vec<Node>, Vec<Missing>), Error> {
    let mut made_by = HashMap::new();
    for (i, node) in nodes.iter().enumerate() {
        for output in node.outputs.iter().filter(|name| !name.is_empty()) {
            if given(output) || made_by.insert(output.as_str(), i).is_some() {
                return Err(twice(output));
            }
        }
    }
    let mut missing = Vec::new();
    let mut waits_for = vec![0usize; nodes.len()];
    let mut read_by = vec![Vec::new(); nodes.len()];
    for (i, node) in nodes.iter().enumerate() {
        for name in node.reads() {
            if let Some(&maker) = made_by.get(name.as_str()) {
                waits_for[i] += 1;
                read_by[maker].push(i);
            } else if !given(name) {
                let (node, operator) = (node.name.clone(), node.operator.clone());
                missing.push(Missing { name: name.clone(), node, operator });
            }
        }
    }
    let mut ready: std::collections::BTreeSet<_> =
        (0..nodes.len()).filter(|&i| waits_for[i] == 0).collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(i) = ready.pop_first() {
        order.push(i);
        for &reader in &read_by[i] {
            waits_for[reader] -= 1;
            if waits_for[reader] == 0 {
                ready.insert(reader);
            }
        }
    }
    if order.len() < nodes.len() {
        let done: HashSet<_> = order.iter().copied().collect();
        let stuck: Vec<_> = (0..nodes.len())
            .filter(|i| !done.contains(i))
            .map(|i| nodes[i].name.as_str())
            .collect();
        return Err(Error::Graph {
            found: format!("a cycle through {}", stuck[..stuck.len().min(8)].join(", ")),
            allowed: "no node may read its own result".into(),
        });
    }
    let mut nodes: Vec<_> = nodes.into_iter().map(Some).collect();
    Ok((order.into_iter().filter_map(|i| nodes[i].take()).collect(), missing))
}
