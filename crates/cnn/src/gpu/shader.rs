//! The text of each kernel's shader, composed of its parts, and how many tensors it reads.

use crate::kernel::{Conv, Kernel};

/// Rows and columns of the tile that a workgroup computes, as in `tile.wgsl`.
const TILE: u64 = 32;

/// The same of `product.wgsl`.
const PRODUCT_TILE: u32 = 8;

/// Invocations of a workgroup, as in the shaders.
const INVOCATIONS: u64 = 64;

macro_rules! shaders {
    ($($file:literal),* $(,)?) => {
        concat!($(include_str!(concat!("../../shaders/", $file, ".wgsl")), "\n"),*)
    };
}

/// The WGSL of a kernel and the number of its read-only bindings, which start at 1; the binding that
/// it writes follows them. `None` for pooling, whose kernels are the library's.
pub(crate) fn source(kernel: &Kernel) -> Option<(&'static str, u32)> {
    Some(match kernel {
        Kernel::Conv(_) => (shaders!("window", "conv", "tile"), 3),
        Kernel::ConvTranspose(_) => (shaders!("window", "conv_transpose", "tile"), 3),
        Kernel::Affine(_) => (shaders!("grid", "affine", "each"), 3),
        Kernel::Map { .. } => (shaders!("grid", "power", "function", "map", "each"), 1),
        Kernel::MapBack { .. } => (shaders!("grid", "power", "function", "map_back", "each"), 2),
        Kernel::Pair(..) => {
            (shaders!("grid", "broadcast", "power", "pairs", "operands", "pair", "each"), 2)
        }
        Kernel::PairBack { .. } => {
            (shaders!("grid", "broadcast", "power", "pairs", "operands", "pair_back", "each"), 3)
        }
        Kernel::Reduce(_) => (shaders!("grid", "broadcast", "reduce", "each"), 2),
        Kernel::Average(_) => (shaders!("grid", "means", "average", "each"), 1),
        Kernel::AverageBack(_) => (shaders!("grid", "means", "average_back", "each"), 1),
        Kernel::Softmax { .. } => (shaders!("grid", "softmax", "each"), 1),
        Kernel::SoftmaxBack { .. } => (shaders!("grid", "softmax_back", "each"), 2),
        Kernel::Normalize { .. } => (shaders!("grid", "moments", "normalize", "each"), 1),
        Kernel::NormalizeBack { .. } => (shaders!("grid", "moments", "normalize_back", "each"), 2),
        Kernel::Fold(..) => (shaders!("grid", "fold", "each"), 1),
        Kernel::FoldBack(..) => (shaders!("grid", "fold_back", "each"), 3),
        Kernel::Along(_) => (shaders!("grid", "along", "each"), 4),
        Kernel::Permute(_) => (shaders!("grid", "broadcast", "permute", "each"), 1),
        Kernel::Product(_) => (shaders!("product"), 2),
        Kernel::Runs(_) => (shaders!("grid", "runs", "each"), 1),
        Kernel::MaxPool(_)
        | Kernel::MaxPoolBack(_)
        | Kernel::MaxUnpool(_)
        | Kernel::MaxUnpoolBack(_) => return None,
    })
}

/// Workgroups that a kernel needs; `count` is its number of invocations where it is not tiled.
pub(crate) fn workgroups(kernel: &Kernel, count: u32) -> u64 {
    let tiles = |conv: &Conv, rows: u32, columns: u32| {
        let columns = u64::from(conv.batch) * u64::from(columns);
        u64::from(conv.groups) * u64::from(rows).div_ceil(TILE) * columns.div_ceil(TILE)
    };
    match kernel {
        Kernel::Conv(conv) => tiles(conv, conv.rows, conv.output_positions()),
        Kernel::ConvTranspose(conv) => tiles(conv, conv.columns, conv.input_positions()),
        Kernel::Product(product) => {
            let tiles = |n: u32| u64::from(n.div_ceil(PRODUCT_TILE));
            u64::from(product.batch) * tiles(product.rows) * tiles(product.columns)
        }
        _ => u64::from(count).div_ceil(INVOCATIONS),
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
    use crate::axis::Axis;
    use crate::gpu::params::Params;
    use crate::kernel::{
        Affine, Along, Average, Broadcast, Fold, Function, Pair, Permute, Product, Reduce, Run,
        Runs, Steps, Vectors,
    };
    use crate::rule::Rule;

    fn every_kernel() -> Vec<Kernel> {
        let steps = Steps { offset: 0, image: 1, channel: 1 };
        let axes = [Axis::NONE; 3];
        let conv = Conv { axes, batch: 1, groups: 1, rows: 1, columns: 1, x: steps, y: steps };
        let all = Broadcast { dims: [1; 6], a: [0; 6], b: [0; 6] };
        let vectors = Vectors { outer: 1, len: 1, inner: 1 };
        let run = Run { offset: 0, step: 1 };
        let average = Average { planes: 1, axes, counts_padding: true };
        let (function, rule, len) = (Function::Relu, Rule::Guided, 1);
        vec![
            Kernel::Conv(conv),
            Kernel::ConvTranspose(conv),
            Kernel::Affine(Affine { len, channels: 1, inner: 1 }),
            Kernel::Map { function, len },
            Kernel::MapBack { function, rule, len },
            Kernel::Pair(Pair::Add, all),
            Kernel::PairBack { pair: Pair::Div, operand: 1, all },
            Kernel::Reduce(Reduce { dims: [1; 6], kept: [1; 6], other: [0; 6], times_other: true }),
            Kernel::Average(average),
            Kernel::AverageBack(average),
            Kernel::Softmax { vectors, log: true },
            Kernel::SoftmaxBack { vectors, log: true },
            Kernel::Normalize { vectors, epsilon: 1e-5 },
            Kernel::NormalizeBack { vectors, epsilon: 1e-5 },
            Kernel::Fold(Fold::Max, vectors),
            Kernel::FoldBack(Fold::Max, vectors),
            Kernel::Along(Along { outer: 1, from: 1, to: 1, inner: 1, transposed: [0; 3] }),
            Kernel::Permute(Permute { dims: [1; 6], order: [0, 1, 2, 3, 4, 5] }),
            Kernel::Product(Product {
                batch: 1,
                rows: 1,
                columns: 1,
                depth: 1,
                a: [1; 3],
                b: [1; 3],
                y: [1; 3],
            }),
            Kernel::Runs(Runs { count: 1, len: 1, from: run, to: run }),
        ]
    }

    #[test]
    fn every_shader_is_valid_and_has_the_uniform_that_is_written_for_it() {
        for kernel in every_kernel() {
            let name = kernel.name();
            let (text, reads) = source(&kernel).expect("a shader of this crate");
            let module = naga::front::wgsl::parse_str(text)
                .unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(text)));
            Validator::new(ValidationFlags::all(), Capabilities::empty())
                .validate(&module)
                .unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(text)));
            let uniform = module.types.iter().find(|(_, t)| t.name.as_deref() == Some("Params"));
            let naga::TypeInner::Struct { members, .. } = &uniform.expect("Params").1.inner else {
                panic!("{name}: Params is a struct");
            };
            let found: Vec<_> = members.iter().map(|m| m.name.clone().expect("a name")).collect();
            let params = Params::of(&kernel, 2).expect("a shader of this crate");
            let written: Vec<_> = params.0.iter().map(|(name, _)| name.clone()).collect();
            assert_eq!(found, written, "{name}");
            for (i, member) in members.iter().enumerate() {
                assert_eq!(member.offset as usize, 4 * i, "{name}");
            }
            let bindings = module.global_variables.iter().filter(|(_, v)| v.binding.is_some());
            assert_eq!(bindings.count() as u32, reads + 2, "{name}");
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
