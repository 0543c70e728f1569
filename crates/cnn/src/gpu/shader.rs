//! The text of each kernel's shader, composed of its parts, and how many tensors it reads.

use crate::axis::Axis;
use crate::kernel::{Conv, Kernel, Product};

/// Invocations of a workgroup, as in `grid.wgsl` and `direct.wgsl`.
const INVOCATIONS: u64 = 64;

/// Workgroups on tiles of 64×64 from which on they are taken, instead of four times as many of 32×32, with which more
/// of a GPU works on a small product. An NVIDIA H200 runs 128 with an eighth of a tile each at 7.2 TFLOP/s and 56 tiles
/// of 32×32 at 4.9 (1×1 from 1024 channels to 256 of 14×14), but 98 halves at 7.1 and 196 of 32×32 at 8.0 (1×1 from
/// 256 channels to 64 of 56×56).
const MANY_TILES: u64 = 128;

/// Workgroups under which twice as many share the steps of each tile, and the most that share one. An NVIDIA H200 runs
/// 3×3 on 256 channels of 56×56, 196 tiles, at 20 TFLOP/s, and at 26.5 with two workgroups for each.
const FEW_WORKGROUPS: u64 = 256;
const MOST_SHARES: u64 = 16;

/// Steps that a share has at least.
const SHARE_STEPS: u64 = 128;

/// Tiles of 32×32 under which four times as many of 16×16 are taken. An NVIDIA H200 runs 80 of 32×32 at 3.8 TFLOP/s
/// and 320 of 16×16 at 3.1 (1×1 from 320 channels to 1280 of 7×7), but 56 at 4.9 and 208 at 5.9 (1×1 from 1024
/// channels to 256 of 14×14).
const FEW_TILES: u64 = 64;

/// Steps of a product from which on a workgroup makes a sum.
const MANY_STEPS: u64 = 128;

/// Terms from which on a workgroup makes a sum of another kind.
const MANY_TERMS: u64 = 32;

/// Elements of a vector that a thread adds one after the other, at most.
const LONG: u32 = 4096;

/// Rows or columns under which a product is too thin for tiles.
const THIN: u64 = 8;

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
            Makers::Workgroups => shaders!($($file,)* "steps", "workgroup_sum", "together"),
            Makers::Tiles { .. } => shaders!($($file,)* "steps", "tile"),
        }
    };
}

/// The shader of vectors, which the files say, by whether a workgroup or a thread makes one.
macro_rules! vectors {
    ($together:expr, $($file:literal),*) => {
        if $together {
            shaders!($($file,)* "workgroup_sum", "vector_together")
        } else {
            shaders!("grid", $($file,)* "vector_alone", "each")
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
            let same = |a: &Axis| (a.kernel, a.stride, a.before, a.input) == (1, 1, 0, a.output);
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
            _ if shares(kernel) == 1 => return None,
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
    let together = terms(kernel) >= MANY_TERMS;
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
        Kernel::Reduce(_) if together => {
            (shaders!("broadcast", "reduce", "workgroup_sum", "sum_together"), 2)
        }
        Kernel::Reduce(_) => (shaders!("grid", "broadcast", "reduce", "sum_alone", "each"), 2),
        Kernel::Average(_) if together => {
            (shaders!("means", "average", "workgroup_sum", "sum_together"), 1)
        }
        Kernel::Average(_) => (shaders!("grid", "means", "average", "sum_alone", "each"), 1),
        Kernel::AverageBack(_) => (shaders!("grid", "means", "average_back", "each"), 1),
        Kernel::Softmax { .. } => (vectors!(together, "softmax"), 1),
        Kernel::SoftmaxBack { .. } => (vectors!(together, "softmax_back"), 2),
        Kernel::Normalize { .. } => (vectors!(together, "moments", "normalize"), 1),
        Kernel::NormalizeBack { .. } => (vectors!(together, "moments", "normalize_back"), 2),
        Kernel::Fold(..) => (shaders!("grid", "fold", "each"), 1),
        Kernel::FoldBack(..) => (shaders!("grid", "fold_back", "each"), 3),
        Kernel::TopK(_) => (shaders!("grid", "top_k", "each"), 1),
        Kernel::Take(_) => (shaders!("grid", "positions", "take", "each"), 2),
        Kernel::TakeBack(_) => (shaders!("grid", "positions", "take_back", "each"), 2),
        Kernel::Along(_) if together => (shaders!("along", "workgroup_sum", "sum_together"), 4),
        Kernel::Along(_) => (shaders!("grid", "along", "sum_alone", "each"), 4),
        Kernel::Permute(_) => (shaders!("grid", "broadcast", "permute", "each"), 1),
        Kernel::Runs(_) => (shaders!("grid", "runs", "each"), 1),
        Kernel::MaxPool(_)
        | Kernel::MaxPoolBack(_)
        | Kernel::MaxUnpool(_)
        | Kernel::MaxUnpoolBack(_) => return None,
    })
}

/// The terms of each sum of a kernel that sums what lies apart, about as many; the elements of each vector that lie
/// side by side, or are so many that a thread alone would lose digits of their sum.
fn terms(kernel: &Kernel) -> u64 {
    let product = |numbers: &[u32]| numbers.iter().map(|&n| u64::from(n)).product();
    match kernel {
        Kernel::Reduce(reduce) => product(&reduce.repeats()),
        Kernel::Average(average) => product(&average.axes.map(|axis| axis.kernel)),
        Kernel::Along(along) => u64::from(along.from / along.to.max(1)),
        Kernel::Softmax { vectors, .. }
        | Kernel::SoftmaxBack { vectors, .. }
        | Kernel::Normalize { vectors, .. }
        | Kernel::NormalizeBack { vectors, .. }
            if vectors.inner == 1 || vectors.len > LONG =>
        {
            vectors.len.into()
        }
        _ => 0,
    }
}

/// The sums of some products of matrices.
struct Sums {
    products: u64,
    rows: u64,
    columns: u64,
    /// Terms of each.
    depth: u64,
    /// Whether neighbouring columns of the right matrix lie side by side in memory.
    columns_adjacent: bool,
    /// Whether neighbouring terms do, in the left and in the right matrix.
    terms_adjacent: [bool; 2],
}

/// What makes the sums of a product.
enum Makers {
    /// A thread makes one: `direct.wgsl`.
    Threads,
    /// A workgroup makes one: `together.wgsl`.
    Workgroups,
    /// A workgroup makes a square of so many rows and columns, or a share of its steps: `tile.wgsl`.
    Tiles { size: u32, shares: u32 },
}

impl Sums {
    /// The sums of a kernel that is a product of matrices.
    fn of(kernel: &Kernel) -> Option<Self> {
        let of = |conv: &Conv, rows, depth: u32, positions: u32| {
            let taps: u64 = conv.axes.iter().map(|axis| u64::from(axis.kernel)).product();
            Self {
                products: conv.groups.into(),
                rows,
                columns: u64::from(conv.batch) * u64::from(positions),
                depth: u64::from(depth) * taps,
                columns_adjacent: true,
                terms_adjacent: [false; 2],
            }
        };
        match kernel {
            Kernel::Conv(conv) => Some(Self {
                terms_adjacent: [true, false],
                ..of(conv, conv.rows.into(), conv.columns, conv.output_positions())
            }),
            Kernel::ConvTranspose(conv) => {
                Some(of(conv, conv.columns.into(), conv.rows, conv.input_positions()))
            }
            &Kernel::Product(Product { batch, rows, columns, depth, a, b, .. }) => Some(Self {
                products: batch.into(),
                rows: rows.into(),
                columns: columns.into(),
                depth: depth.into(),
                columns_adjacent: b[2] == 1,
                terms_adjacent: [a[2] == 1, b[1] == 1],
            }),
            _ => None,
        }
    }

    fn count(&self, tile: u64) -> u64 {
        self.products * self.rows.div_ceil(tile) * self.columns.div_ceil(tile)
    }

    fn makers(&self) -> Makers {
        let (many, [left, right]) = (self.depth >= MANY_STEPS, self.terms_adjacent);
        match self {
            Self { rows: ..THIN, columns_adjacent: true, columns: THIN.., .. } => Makers::Threads,
            Self { rows: ..THIN, .. } if right && many => Makers::Workgroups,
            Self { columns: ..THIN, .. } if left && many => Makers::Workgroups,
            Self { rows: ..THIN, columns_adjacent: true, .. } => Makers::Threads,
            // Of less, most of a tile of 64×64 would be empty.
            _ if self.rows.min(self.columns) > 32
                && self.count(64) * self.shares() >= MANY_TILES =>
            {
                Makers::Tiles { size: 64, shares: self.shares() as u32 }
            }
            _ if self.count(32) < FEW_TILES => Makers::Tiles { size: 16, shares: 1 },
            _ => Makers::Tiles { size: 32, shares: 1 },
        }
    }

    /// Workgroups that share the steps of each tile of 64×64.
    fn shares(&self) -> u64 {
        let mut shares = 1;
        while shares < MOST_SHARES
            && self.count(64) * shares < FEW_WORKGROUPS
            && self.depth >= 2 * shares * SHARE_STEPS
        {
            shares *= 2;
        }
        shares
    }

    fn workgroups(&self) -> u64 {
        match self.makers() {
            Makers::Threads => self.count(1).div_ceil(INVOCATIONS),
            Makers::Workgroups => self.count(1),
            Makers::Tiles { size, shares } => self.count(size.into()) * u64::from(shares),
        }
    }
}

/// Workgroups that share the steps of a sum of a kernel.
fn shares(kernel: &Kernel) -> u64 {
    match Sums::of(kernel).map(|sums| sums.makers()) {
        Some(Makers::Tiles { shares, .. }) => shares.into(),
        _ => 1,
    }
}

/// Bytes of the shares of a kernel's sums, at most 8 MiB: they are fewer than two times [`FEW_WORKGROUPS`] tiles.
pub(crate) fn shares_bytes(kernel: &Kernel) -> u64 {
    match (shares(kernel), Sums::of(kernel)) {
        (shares @ 2.., Some(sums)) => 4 * shares * sums.count(1),
        _ => 0,
    }
}

/// Workgroups that [`Shader::of_shares`] needs.
pub(crate) fn shares_workgroups(kernel: &Kernel) -> u64 {
    Sums::of(kernel).map_or(0, |sums| sums.count(1).div_ceil(INVOCATIONS))
}

/// Workgroups that a kernel needs; `count` is its number of invocations where it is not a product.
pub(crate) fn workgroups(kernel: &Kernel, count: u32) -> u64 {
    match Sums::of(kernel) {
        Some(sums) => sums.workgroups(),
        None if terms(kernel) >= MANY_TERMS => count.into(),
        None => u64::from(count).div_ceil(INVOCATIONS),
    }
}

/// A grid of at least so many workgroups, within `limit` on each side; `None` if there is none.
pub(crate) fn grid(workgroups: u64, limit: u32) -> Option<[u32; 2]> {
    let rows = workgroups.div_ceil(limit.into()).max(1);
    let columns = workgroups.div_ceil(rows).max(1);
    let fits = rows <= u64::from(limit) && columns <= u64::from(limit);
    fits.then_some([columns as u32, rows as u32])
}

#[cfg(test)]
mod tests {
    use naga::valid::{Capabilities, ValidationFlags, Validator};

    use super::*;
    use crate::gpu::params::Params;
    use crate::kernel::{
        Affine, Along, Average, Broadcast, Fold, Function, Pair, Permute, Product, Reduce, Run,
        Runs, Steps, Take, TopK, Vectors,
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

    #[test]
    fn a_grid_is_folded_at_the_limit() {
        assert_eq!(grid(65_535, 65_535), Some([65_535, 1]));
        assert_eq!(grid(65_536, 65_535), Some([32_768, 2]));
        assert_eq!(grid(0, 65_535), Some([1, 1]));
        assert_eq!(grid(u64::MAX, 65_535), None);
    }
}
