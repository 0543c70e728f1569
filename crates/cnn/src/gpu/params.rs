//! The uniform of each kernel: the fields of its WGSL struct, by name and in order. A test asks
//! naga that the shader has the same.

use unpool::Axis;

use crate::kernel::{
    Average, BROADCAST_AXES, Broadcast, Conv, Function, Kernel, Pair, Take, Vectors,
};
use crate::rule::Rule;

/// Fields of 4 bytes, in the order in which they are stored.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Params(pub(crate) Vec<(String, u32)>);

impl Params {
    fn with(mut self, name: &str, value: u32) -> Self {
        self.0.push((name.into(), value));
        self
    }

    fn float(self, name: &str, value: f32) -> Self {
        self.with(name, value.to_bits())
    }

    fn list(self, name: &str, values: [u32; BROADCAST_AXES]) -> Self {
        let numbered = values.into_iter().enumerate();
        numbered.fold(self, |params, (i, value)| params.with(&format!("{name}{i}"), value))
    }

    fn axes(self, name: &str, axes: &[Axis; 3], field: fn(&Axis) -> u32) -> Self {
        let named = ["z", "y", "x"].into_iter().zip(axes);
        named.fold(self, |params, (axis, numbers)| {
            params.with(&format!("{name}_{axis}"), field(numbers))
        })
    }

    fn named(self, names: [&str; 3], values: [u32; 3]) -> Self {
        names.into_iter().zip(values).fold(self, |params, (name, value)| params.with(name, value))
    }

    fn pair(self, pair: Pair, operand: u32, all: &Broadcast) -> Self {
        self.with("count", all.len())
            .with("function", pair.number())
            .with("operand", operand)
            .list("dims", all.dims)
            .list("a", all.a)
            .list("b", all.b)
    }

    fn vectors(self, vectors: &Vectors) -> Self {
        self.with("count", vectors.outer * vectors.inner)
            .with("len", vectors.len)
            .with("inner", vectors.inner)
    }

    fn taken(self, take: &Take, rows: u32) -> Self {
        self.with("count", take.outer * take.repeats * rows * take.inner)
            .with("repeats", take.repeats)
            .with("from_rows", take.from)
            .with("to_rows", take.to)
            .with("inner", take.inner)
    }

    /// Invocations that the kernel needs, one for each element; 0 for a tiled one.
    pub(crate) fn count(&self) -> u32 {
        self.0.first().filter(|(name, _)| name == "count").map_or(0, |(_, value)| *value)
    }

    /// The bytes, in whole blocks of 16 as a uniform has them.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.0.iter().flat_map(|(_, v)| v.to_le_bytes()).collect();
        bytes.resize(bytes.len().next_multiple_of(16), 0);
        bytes
    }

    /// The fields of a kernel's uniform, if the kernel is one of this crate's shaders.
    pub(crate) fn of(kernel: &Kernel, operands: usize) -> Option<Self> {
        let params = Self::default();
        Some(match kernel {
            Kernel::Conv(conv) | Kernel::ConvTranspose(conv) => convolution(conv, operands > 2),
            Kernel::Affine(affine) => params
                .with("count", affine.len)
                .with("channels", affine.channels)
                .with("inner", affine.inner),
            &Kernel::Map { function, len } => params.with("count", len).function(function),
            &Kernel::MapBack { function, rule, len } => {
                params.with("count", len).function(function).with("rule", number(rule))
            }
            Kernel::Pair(pair, all) => params.pair(*pair, 0, all),
            Kernel::PairBack { pair, operand, all } => params.pair(*pair, *operand, all),
            Kernel::Reduce(reduce) => {
                let repeats = reduce.repeats();
                params
                    .with("count", reduce.kept.iter().product())
                    .with("repeat_count", repeats.iter().product())
                    .with("times_other", reduce.times_other.into())
                    .list("kept", reduce.kept)
                    .list("repeats", repeats)
                    .list("steps", reduce.steps())
                    .list("other", reduce.other)
            }
            Kernel::Average(average) => means(average, |a| a.windows),
            Kernel::AverageBack(average) => means(average, |a| a.input),
            &Kernel::Softmax { ref vectors, log } | &Kernel::SoftmaxBack { ref vectors, log } => {
                params.vectors(vectors).with("log", log.into())
            }
            &Kernel::Normalize { ref vectors, epsilon }
            | &Kernel::NormalizeBack { ref vectors, epsilon } => {
                params.vectors(vectors).float("epsilon", epsilon)
            }
            Kernel::Fold(fold, vectors) | Kernel::FoldBack(fold, vectors) => {
                params.vectors(vectors).with("function", fold.number())
            }
            Kernel::TopK(top) => params
                .with("count", top.vectors.outer * top.vectors.len * top.vectors.inner)
                .with("len", top.vectors.len)
                .with("inner", top.vectors.inner)
                .with("kept", top.kept)
                .with("largest", top.largest.into()),
            Kernel::Take(take) => params.taken(take, take.to),
            Kernel::TakeBack(take) => params.taken(take, take.from),
            Kernel::Along(along) => params
                .with("count", along.outer * along.to * along.inner)
                .with("from_rows", along.from)
                .with("to_rows", along.to)
                .with("inner", along.inner),
            Kernel::Permute(permute) => params
                .with("count", permute.len())
                .list("dims", permute.result())
                .list("steps", permute.steps()),
            Kernel::Product(product) => params
                .with("batch", product.batch)
                .with("rows", product.rows)
                .with("columns", product.columns)
                .with("depth", product.depth)
                .named(["a_batch", "a_row", "a_depth"], product.a)
                .named(["b_batch", "b_depth", "b_column"], product.b)
                .named(["y_batch", "y_row", "y_column"], product.y),
            Kernel::Runs(runs) => params
                .with("count", runs.count * runs.len)
                .with("len", runs.len)
                .with("from_offset", runs.from.offset)
                .with("from_step", runs.from.step)
                .with("to_offset", runs.to.offset)
                .with("to_step", runs.to.step),
            Kernel::MaxPool(_)
            | Kernel::MaxPoolBack(_)
            | Kernel::MaxUnpool(_)
            | Kernel::MaxUnpoolBack(_) => return None,
        })
    }

    fn function(self, function: Function) -> Self {
        let (number, a, b) = function.numbered();
        self.with("function", number).float("a", a).float("b", b)
    }
}

fn number(rule: Rule) -> u32 {
    match rule {
        Rule::Gradient => 0,
        Rule::Deconvnet => 1,
        Rule::Guided => 2,
    }
}

fn convolution(conv: &Conv, biased: bool) -> Params {
    Params::default()
        .with("batch", conv.batch)
        .with("groups", conv.groups)
        .with("rows", conv.rows)
        .with("columns", conv.columns)
        .with("x_offset", conv.x.offset)
        .with("x_image", conv.x.image)
        .with("x_channel", conv.x.channel)
        .with("y_offset", conv.y.offset)
        .with("y_image", conv.y.image)
        .with("y_channel", conv.y.channel)
        .with("biased", biased.into())
        .axes("input", &conv.axes, |a| a.input)
        .axes("output", &conv.axes, |a| a.windows)
        .axes("dilation", &conv.axes, |a| a.dilation)
        .axes("before", &conv.axes, |a| a.before)
}

fn means(average: &Average, owned: fn(&Axis) -> u32) -> Params {
    let axes = &average.axes;
    Params::default()
        .with("count", average.planes * axes.iter().map(owned).product::<u32>())
        .with("counts_padding", average.counts_padding.into())
        .axes("input", axes, |a| a.input)
        .axes("output", axes, |a| a.windows)
        .axes("kernel", axes, |a| a.kernel)
        .axes("stride", axes, |a| a.stride)
        .axes("dilation", axes, |a| a.dilation)
        .axes("before", axes, |a| a.before)
        .axes("after", axes, |a| a.after)
}
