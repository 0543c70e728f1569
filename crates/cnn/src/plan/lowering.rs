//! From a node of the graph to a layer: each operator is lowered to kernels.

use unpool::Layout;

use crate::error::{Error, Fault};
use crate::onnx::constant::Constant;
use crate::onnx::graph::{Branch, Node};
use crate::plan::builder::Builder;
use crate::plan::folding;
use crate::plan::layer::Layer;
use crate::plan::refusal::Refusal;
use crate::plan::value::Value;
use crate::program::SlotId;

/// The table of operators, and the method of each.
macro_rules! operators {
    ($($($name:literal)|+ => $method:ident,)+) => {
        /// The operators that a model may use.
        pub(crate) const OPERATORS: &[&str] = &["If", $($($name),+),+];

        impl Builder<'_> {
            fn lowered(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
                match node.operator.as_str() {
                    $($($name)|+ => self.$method(node),)+
                    // The graph was checked against the table, but not the branches in it.
                    other => Err(Fault::new(other, "Model::operators lists what is supported").into()),
                }
            }
        }
    };
}

operators! {
    "Conv" => conv,
    "ConvTranspose" => conv_transpose,
    "Gemm" => gemm,
    "MatMul" => matmul,
    "Einsum" => einsum,
    "Attention" => attention,
    "RotaryEmbedding" => rotary_embedding,
    "MaxPool" => max_pool,
    "MaxUnpool" => max_unpool,
    "AveragePool" | "GlobalAveragePool" => average_pool,
    "LpPool" => lp_pool,
    "GlobalMaxPool" | "GlobalLpPool" => global_pool,
    "BatchNormalization" => batch_normalization,
    "InstanceNormalization" => instance_normalization,
    "GroupNormalization" => group_normalization,
    "LayerNormalization" | "RMSNormalization" => layer_normalization,
    "MeanVarianceNormalization" => mean_variance_normalization,
    "LpNormalization" => lp_normalization,
    "LRN" => local_response_normalization,
    "Softmax" | "LogSoftmax" => softmax,
    "Relu" | "LeakyRelu" | "Clip" | "Sigmoid" | "Tanh" | "Exp" | "Log" | "Sqrt" | "Reciprocal"
        | "Neg" | "Abs" | "Erf" | "Gelu" | "Elu" | "Selu" | "Celu" | "Softplus" | "Softsign"
        | "Mish" | "Swish" | "HardSigmoid" | "HardSwish" | "ThresholdedRelu" | "Shrink" | "Floor"
        | "Ceil" | "Round" | "Sign" | "Not" | "Sin" | "Cos" | "Tan" | "Asin" | "Acos" | "Atan"
        | "Sinh" | "Cosh" | "Asinh" | "Acosh" | "Atanh" | "IsNaN" | "IsInf" => map,
    "Cast" | "CastLike" => cast,
    "PRelu" | "Add" | "Sum" | "Mean" | "Mul" | "Sub" | "Div" | "Pow" | "Min" | "Max" | "Mod"
        | "Equal" | "Less" | "LessOrEqual" | "Greater" | "GreaterOrEqual" | "And" | "Or" | "Xor"
        => pair,
    "SwiGLU" => gated,
    "Where" => choose,
    "ReduceSum" | "ReduceMean" | "ReduceMax" | "ReduceMin" | "ReduceProd" | "ReduceL1"
        | "ReduceL2" | "ReduceSumSquare" | "ReduceLogSum" | "ReduceLogSumExp" => reduce,
    "ArgMax" | "ArgMin" => arg,
    "CumSum" | "CumProd" => cumulative,
    "TopK" => top_k,
    "Hardmax" => hardmax,
    "OneHot" => one_hot,
    "GridSample" => grid_sample,
    "AffineGrid" => affine_grid,
    "DeformConv" => deformable_convolution,
    "RoiAlign" => roi_align,
    "DFT" => fourier,
    "Col2Im" => columns_to_image,
    "Concat" => concat,
    "Split" => split,
    "Identity" | "Dropout" | "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" | "Transpose"
        | "Slice" | "Gather" | "GatherND" | "Expand" | "Tile" | "DepthToSpace" | "SpaceToDepth"
        | "Pad" | "CenterCropPad" | "Compress" | "ReverseSequence" => rearranged,
    "GatherElements" => gather_elements,
    "ScatterND" | "ScatterElements" | "Scatter" => scatter,
    "TensorScatter" => scatter_tensor,
    "SequenceEmpty" | "SequenceConstruct" => sequence,
    "SequenceInsert" | "SequenceErase" => changed_sequence,
    "SequenceAt" | "SequenceLength" => of_sequence,
    "SplitToSequence" => split_to_sequence,
    "ConcatFromSequence" => concat_from_sequence,
    "Resize" | "Upsample" => resize,
    "Shape" | "Size" => shape,
    "Constant" => constant,
    "ConstantOfShape" => constant_of_shape,
    "BitwiseAnd" | "BitwiseOr" | "BitwiseXor" | "BitwiseNot" | "BitShift" => bits,
    "Range" => range,
    "EyeLike" => eye_like,
    "NonZero" => nonzero,
    "Trilu" => triangle,
}

impl Builder<'_> {
    /// Adds the kernels of nodes, and their layers.
    pub(super) fn nodes(&mut self, nodes: &[Node], layers: &mut Vec<Layer>) -> Result<(), Error> {
        for node in nodes {
            self.layer = layers.len();
            match &node.branches {
                Some(branches) => self.branch(node, branches, layers)?,
                None => layers.extend(self.node(node)?),
            }
        }
        Ok(())
    }

    /// Adds the nodes of the branch that an `If` takes. Its condition may depend on the sizes of the image, and not
    /// on the image.
    fn branch(
        &mut self,
        node: &Node,
        [then, otherwise]: &[Branch; 2],
        layers: &mut Vec<Layer>,
    ) -> Result<(), Error> {
        let condition = self.condition(node).map_err(|refusal| refusal.at(node))?;
        let branch = if condition { then } else { otherwise };
        let weights = branch.weights.iter();
        self.values.extend(
            weights.map(|(name, constant)| (name.clone(), Value::Constant(constant.clone()))),
        );
        let first = layers.len();
        self.nodes(&branch.nodes, layers)?;
        for (name, inner) in node.outputs.iter().zip(&branch.outputs) {
            let Some(value) = self.named(inner) else { continue };
            self.values.insert(name.clone(), value);
            for names in [&mut self.channels_last, &mut self.truths] {
                if names.contains(inner) {
                    names.insert(name.clone());
                }
            }
            if let Some(layer) = layers[first..].iter_mut().find(|layer| layer.output == *inner) {
                layer.output.clone_from(name);
            }
        }
        Ok(())
    }

    fn condition(&mut self, node: &Node) -> Result<bool, Refusal> {
        let condition = self.carried(node, 0, "cond")?;
        match condition.map(|constant| constant.to_floats().1) {
            Some(values) if values.len() == 1 => Ok(values[0] != 0.0),
            Some(values) => {
                let found = format!("cond has {} elements", values.len());
                Err(Fault::new(found, "one is needed").into())
            }
            None => Err(Fault::new("cond is left out", "it is needed").into()),
        }
    }

    /// Adds the kernels of a node, and returns its layer if it computes a tensor of floats.
    fn node(&mut self, node: &Node) -> Result<Option<Layer>, Error> {
        let values = self.lowered(node).map_err(|refusal| refusal.at(node))?;
        if self.makes_truths(node) {
            self.truths.extend(node.outputs.iter().cloned());
        }
        let mut layer = None;
        for (value, name) in values.into_iter().zip(&node.outputs) {
            if let (Value::Tensor(tensor), None) = (&value, &layer) {
                layer = Some(Layer {
                    name: node.name.clone(),
                    operator: node.operator.clone(),
                    output: name.clone(),
                    tensor: tensor.clone(),
                    parameters: self.parameters(node),
                    inputs: self.input_slots(node),
                    input_names: node.inputs.clone(),
                    layout: self.layout(node, &tensor.shape),
                });
            }
            self.values.insert(name.clone(), value);
        }
        Ok(layer)
    }

    /// Whether what a node makes are truth values: a comparison, or some of those that it reads.
    fn makes_truths(&self, node: &Node) -> bool {
        let are_read = |operands: &[usize]| {
            let mut names = operands.iter().filter_map(|&i| node.inputs.get(i));
            names.any(|name| self.truths.contains(name))
        };
        match node.operator.as_str() {
            "Equal" | "Less" | "LessOrEqual" | "Greater" | "GreaterOrEqual" | "And" | "Or"
            | "Xor" | "Not" | "IsNaN" | "IsInf" => true,
            "Cast" => node.attributes().int("to", 0).is_ok_and(|to| to == folding::BOOL),
            "CastLike" => are_read(&[1]),
            "Where" => are_read(&[1, 2]),
            "ScatterND" | "ScatterElements" => are_read(&[0, 2]),
            "Concat" => node.inputs.iter().any(|name| self.truths.contains(name)),
            _ => are_read(&[0]),
        }
    }

    /// Whether what a node makes, of shape `to`, has its channels second or last: as what it reads,
    /// unless it moves them. What slides windows has them second.
    fn layout(&mut self, node: &Node, to: &[usize]) -> Layout {
        let mut is_last = node.inputs.iter().any(|name| self.channels_last.contains(name));
        let perm = node.attributes().ints("perm").ok().flatten().unwrap_or_default();
        let last = perm.len() as i64 - 1;
        let read = node.inputs.first().and_then(|name| self.named(name));
        let from = read.map(|value| self.shape_of(&value)).unwrap_or_default();
        match node.operator.as_str() {
            "Transpose" if last > 1 && perm[1] == last => is_last = false,
            "Transpose" if last > 1 && perm.last() == Some(&1) => is_last = true,
            "Reshape" if moves_one_channel(to, &from) => is_last = false,
            "Reshape" if moves_one_channel(&from, to) => is_last = true,
            "Conv" | "ConvTranspose" | "MaxPool" | "AveragePool" | "GlobalAveragePool" => {
                is_last = false;
            }
            _ => {}
        }
        if !is_last {
            return Layout::ChannelsFirst;
        }
        self.channels_last.extend(node.outputs.iter().cloned());
        Layout::ChannelsLast
    }

    /// The slots of the tensors that a node reads.
    fn input_slots(&self, node: &Node) -> Vec<SlotId> {
        let slot = |name: &String| match self.values.get(name) {
            Some(Value::Tensor(tensor)) => Some(tensor.slot),
            _ => None,
        };
        node.inputs.iter().filter_map(slot).collect()
    }

    fn parameters(&self, node: &Node) -> usize {
        let floats = |name: &String| match self.weights.get(name) {
            Some(Constant::Floats { data, .. }) => data.len(),
            _ => 0,
        };
        node.inputs.iter().map(floats).sum()
    }
}

/// Whether two shapes are those of images of one channel: second in `first`, and last in `last`.
fn moves_one_channel(first: &[usize], last: &[usize]) -> bool {
    match (first, last) {
        ([n, 1, spatial @ ..], [m, same @ .., 1]) => !same.is_empty() && (n, spatial) == (m, same),
        _ => false,
    }
}
