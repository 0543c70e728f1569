//! The text of each kernel's shader, composed of its parts, and how many tensors it reads.

use unpool::Axis;

use super::sums::{self, Makers, Sums};
use crate::kernel::Kernel;

/// The files that a shader consists of. Each is in a program once, however many shaders have it.
type Text = &'static [&'static str];

macro_rules! shaders {
    ($($file:literal),* $(,)?) => {
        &[$(include_str!(concat!("../../shaders/", $file, ".wgsl"))),*]
    };
}

/// The shader of products of matrices, which the files say, by what makes their sums.
macro_rules! products {
    ($makers:expr, $($file:literal),*) => {
        match $makers {
            Makers::Threads => shaders!($($file,)* "steps", "direct"),
            Makers::Workgroups => shaders!($($file,)* "steps", "workgroup_sum", "product_by_workgroup"),
            Makers::Tiles { .. } => shaders!($($file,)* "steps", "tile"),
        }
    };
}

/// The shader of vectors, which the files say, by whether a workgroup or a thread makes one.
macro_rules! vectors {
    ($by_workgroup:expr, $($file:literal),*) => {
        if $by_workgroup {
            shaders!($($file,)* "workgroup_sum", "vector_by_workgroup")
        } else {
            shaders!("grid", $($file,)* "vector_by_thread", "each")
        }
    };
}

/// The shader of a kernel: kernels whose shaders are equal share a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shader {
    /// Constants that stand in front of the text.
    constants: Vec<(&'static str, u32)>,
    text: Text,
    /// Read-only bindings, which start at 1; the binding that is written follows them.
    pub(crate) reads: u32,
}

impl Shader {
    /// The shader of a kernel; `None` for pooling, whose kernels are the library's.
    pub(crate) fn of(kernel: &Kernel) -> Option<Self> {
        let (text, reads) = text(kernel)?;
        let mut constants = Vec::new();
        if let Kernel::Conv(conv) | Kernel::ConvTranspose(conv) = kernel {
            let [z, y, x] = &conv.axes;
            constants.extend([
                ("KERNEL_Z", z.kernel),
                ("KERNEL_Y", y.kernel),
                ("KERNEL_X", x.kernel),
            ]);
            constants.extend([
                ("STRIDE_Z", z.stride),
                ("STRIDE_Y", y.stride),
                ("STRIDE_X", x.stride),
            ]);
            let same = |a: &Axis| (a.kernel, a.stride, a.before, a.input) == (1, 1, 0, a.windows);
            constants.push(("PADDED", (!conv.axes.iter().all(same)).into()));
        }
        if let Some(Makers::Tiles { size, shares }) = Sums::of(kernel).map(|sums| sums.makers()) {
            constants.extend([("TILE", size), ("SHARES", shares)]);
        }
        Some(Self { constants, text, reads })
    }

    /// The shader that adds the shares of a kernel's sums, which are where that kernel's first operand was.
    pub(crate) fn of_shares(kernel: &Kernel) -> Option<Self> {
        let text: Text = match kernel {
            _ if sums::shares(kernel) == 1 => return None,
            Kernel::Conv(_) => shaders!("window", "conv", "shares"),
            Kernel::ConvTranspose(_) => shaders!("window", "conv_transpose", "shares"),
            _ => shaders!("product", "shares"),
        };
        Some(Self { text, ..Self::of(kernel)? })
    }

    /// The WGSL.
    pub(crate) fn source(&self) -> String {
        let constants =
            self.constants.iter().map(|(name, n)| format!("const {name}: u32 = {n}u;\n"));
        let constants: String = constants.collect();
        let text = self.text.join("\n");
        let parts = text.split_once("// EACH STEP").and_then(|(before, rest)| {
            let (_, rest) = rest.split_once('\n')?;
            let (step, after) = rest.split_once("// END")?;
            Some([before, step, after])
        });
        let tile = self.constants.iter().find(|(name, _)| *name == "TILE");
        match (parts, tile) {
            (Some([before, step, after]), Some((_, tile))) => {
                let steps = (0..tile / 4).map(|n| step.replace("STEP", &format!("{n}u")));
                [&constants, before, &steps.collect::<String>(), after].concat()
            }
            _ => constants + &text,
        }
    }
}

fn text(kernel: &Kernel) -> Option<(Text, u32)> {
    let makers = Sums::of(kernel).map_or(Makers::Threads, |sums| sums.makers());
    let by_workgroup = sums::are_shared(kernel);
    Some(match kernel {
        Kernel::Conv(_) => (products!(makers, "window", "conv"), 3),
        Kernel::ConvTranspose(_) => (products!(makers, "window", "conv_transpose"), 3),
        Kernel::Product(_) => (products!(makers, "product"), 2),
        Kernel::Affine(_) => (shaders!("grid", "affine", "each"), 3),
        Kernel::Map { .. } => (shaders!("grid", "power", "function", "map", "each"), 1),
        Kernel::MapBack { .. } => (shaders!("grid", "power", "function", "map_back", "each"), 2),
        Kernel::Pair(..) => {
            (shaders!("grid", "broadcast", "power", "pairs", "operands", "pair", "each"), 2)
        }
        Kernel::PairBack { .. } => {
            (shaders!("grid", "broadcast", "power", "pairs", "operands", "pair_back", "each"), 3)
        }
        Kernel::Reduce(_) if by_workgroup => {
            (shaders!("broadcast", "reduce", "workgroup_sum", "sum_by_workgroup"), 2)
        }
        Kernel::Reduce(_) => (shaders!("grid", "broadcast", "reduce", "sum_by_thread", "each"), 2),
        Kernel::Average(_) if by_workgroup => {
            (shaders!("means", "average", "workgroup_sum", "sum_by_workgroup"), 1)
        }
        Kernel::Average(_) => (shaders!("grid", "means", "average", "sum_by_thread", "each"), 1),
        Kernel::AverageBack(_) => (shaders!("grid", "means", "average_back", "each"), 1),
        Kernel::Softmax { .. } => (vectors!(by_workgroup, "softmax"), 1),
        Kernel::SoftmaxBack { .. } => (vectors!(by_workgroup, "softmax_back"), 2),
        Kernel::Normalize { .. } => (vectors!(by_workgroup, "moments", "normalize"), 1),
        Kernel::NormalizeBack { .. } => (vectors!(by_workgroup, "moments", "normalize_back"), 2),
        Kernel::Fold(..) => (shaders!("grid", "fold", "each"), 1),
        Kernel::FoldBack(..) => (shaders!("grid", "fold_back", "each"), 3),
        Kernel::TopK(_) => (shaders!("grid", "top_k", "each"), 1),
        Kernel::Take(_) => (shaders!("grid", "positions", "take", "each"), 2),
        Kernel::TakeBack(_) => (shaders!("grid", "positions", "take_back", "each"), 2),
        Kernel::Along(_) if by_workgroup => {
            (shaders!("along", "workgroup_sum", "sum_by_workgroup"), 4)
        }
        Kernel::Along(_) => (shaders!("grid", "along", "sum_by_thread", "each"), 4),
        Kernel::Permute(_) => (shaders!("grid", "broadcast", "permute", "each"), 1),
        Kernel::Runs(_) => (shaders!("grid", "runs", "each"), 1),
        Kernel::MaxPool(_)
        | Kernel::MaxPoolBack(_)
        | Kernel::MaxUnpool(_)
        | Kernel::MaxUnpoolBack(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use naga::valid::{Capabilities, ValidationFlags, Validator};

    use super::*;
    use crate::gpu::params::Params;
    use crate::kernel::{
        Affine, Along, Average, Broadcast, Conv, Fold, Function, Pair, Permute, Product, Reduce,
        Run, Runs, Steps, Take, TopK, Vectors,
    };
    use crate::rule::Rule;

    fn every_kernel() -> Vec<Kernel> {
        let steps = Steps { offset: 0, image: 1, channel: 1 };
        let axes = [Axis::NONE; 3];
        let conv = Conv { axes, batch: 1, groups: 1, rows: 1, columns: 1, x: steps, y: steps };
        let all = Broadcast { dims: [1; 6], a: [0; 6], b: [0; 6] };
        let vectors = Vectors { outer: 1, len: 1, inner: 1 };
        let long = Vectors { len: 64, ..vectors };
        let run = Run { offset: 0, step: 1 };
        let average = Average { planes: 1, axes, counts_padding: true };
        let (batch, rows, columns, depth) = (1, 1, 1, 1);
        let product = Product { batch, rows, columns, depth, a: [1; 3], b: [1; 3], y: [1; 3] };
        let (function, rule, len) = (Function::Relu, Rule::Guided, 1);
        vec![
            Kernel::Conv(conv),
            Kernel::ConvTranspose(conv),
            Kernel::Conv(Conv { rows: 8, columns: 8, ..conv }),
            Kernel::ConvTranspose(Conv { rows: 8, columns: 8, ..conv }),
            Kernel::Conv(Conv { batch: 512, rows: 256, columns: 8, ..conv }),
            Kernel::ConvTranspose(Conv { batch: 1024, rows: 8, columns: 512, ..conv }),
            Kernel::Affine(Affine { len, channels: 1, inner: 1 }),
            Kernel::Map { function, len },
            Kernel::MapBack { function, rule, len },
            Kernel::Pair(Pair::Add, all),
            Kernel::PairBack { pair: Pair::Div, operand: 1, all },
            Kernel::Reduce(Reduce { dims: [1; 6], kept: [1; 6], other: [0; 6], times_other: true }),
            Kernel::Average(average),
            Kernel::Average(Average { axes: [Axis { kernel: 8, ..Axis::NONE }; 3], ..average }),
            Kernel::AverageBack(average),
            Kernel::Reduce(Reduce { dims: [4; 6], kept: [1; 6], other: [0; 6], times_other: true }),
            Kernel::Softmax { vectors, log: true },
            Kernel::Softmax { vectors: long, log: true },
            Kernel::SoftmaxBack { vectors: long, log: true },
            Kernel::Normalize { vectors: long, epsilon: 1e-5 },
            Kernel::NormalizeBack { vectors: long, epsilon: 1e-5 },
            Kernel::Along(Along { outer: 1, from: 64, to: 1, inner: 1, transposed: [0; 3] }),
            Kernel::SoftmaxBack { vectors, log: true },
            Kernel::Normalize { vectors, epsilon: 1e-5 },
            Kernel::NormalizeBack { vectors, epsilon: 1e-5 },
            Kernel::Fold(Fold::Max, vectors),
            Kernel::FoldBack(Fold::Max, vectors),
            Kernel::TopK(TopK { vectors, kept: 1, largest: true }),
            Kernel::Take(Take { outer: 1, repeats: 1, from: 1, to: 1, inner: 1 }),
            Kernel::TakeBack(Take { outer: 1, repeats: 1, from: 1, to: 1, inner: 1 }),
            Kernel::Along(Along { outer: 1, from: 1, to: 1, inner: 1, transposed: [0; 3] }),
            Kernel::Permute(Permute { dims: [1; 6], order: [0, 1, 2, 3, 4, 5] }),
            Kernel::Product(product),
            Kernel::Product(Product { rows: 8, ..product }),
            Kernel::Product(Product { depth: 512, rows: 8, ..product }),
            Kernel::Product(Product { depth: 4096, rows: 512, columns: 512, ..product }),
            Kernel::Conv(Conv { batch: 512, rows: 512, columns: 4096, ..conv }),
            Kernel::ConvTranspose(Conv { batch: 512, rows: 4096, columns: 512, ..conv }),
            Kernel::Conv(Conv { rows: 8, columns: 512, ..conv }),
            Kernel::Runs(Runs { count: 1, len: 1, from: run, to: run }),
        ]
    }

    #[test]
    fn every_shader_is_valid_and_has_the_uniform_that_is_written_for_it() {
        let kernels = every_kernel();
        let shaders = kernels.iter().flat_map(|kernel| {
            let own = Shader::of(kernel).expect("a shader of this crate");
            [Some(own), Shader::of_shares(kernel)].into_iter().flatten().map(move |s| (kernel, s))
        });
        for (kernel, shader) in shaders {
            let name = kernel.name();
            let text = shader.source();
            let module = naga::front::wgsl::parse_str(&text)
                .unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(&text)));
            Validator::new(ValidationFlags::all(), Capabilities::empty())
                .validate(&module)
                .unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(&text)));
            let uniform = module.types.iter().find(|(_, t)| t.name.as_deref() == Some("Params"));
            let naga::TypeInner::Struct { members, .. } = &uniform.expect("Params").1.inner else {
                panic!("{name}: Params is a struct");
            };
            let found: Vec<_> = members.iter().map(|m| m.name.clone().expect("a name")).collect();
            let params = Params::of(kernel, 2).expect("a shader of this crate");
            let written: Vec<_> = params.0.iter().map(|(name, _)| name.clone()).collect();
            assert_eq!(found, written, "{name}");
            for (i, member) in members.iter().enumerate() {
                assert_eq!(member.offset as usize, 4 * i, "{name}");
            }
            let bindings = module.global_variables.iter().filter(|(_, v)| v.binding.is_some());
            assert_eq!(bindings.count() as u32, shader.reads + 2, "{name}");
        }
    }
}
