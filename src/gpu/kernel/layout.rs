//! The layouts that Rust and WGSL share, checked against the layouts that naga computes for the shaders.

use crate::gpu::kernel::{Kernel, ScatterPass};
use crate::{Element, IndexSpace, Overlap, Scatter, Shape};

/// The text of a pass of unpooling by arbitrary indices.
pub(crate) fn scatter_source(pass: ScatterPass, overlap: Overlap) -> String {
    let shape = Shape::channels_first([1, 1, 2]);
    let scatter = Scatter::new(shape, shape, IndexSpace::Plane).expect("it is one");
    Kernel::of_scatter(&scatter, Element::F32, overlap, pass).source(64)
}

/// The floats below and above a number, one where it is a float.
pub(crate) fn roundings(exact: f64) -> [f32; 2] {
    let nearest = exact as f32;
    let below = if f64::from(nearest) > exact { nearest.next_down() } else { nearest };
    let above = if f64::from(nearest) < exact { nearest.next_up() } else { nearest };
    [below, above]
}

/// Name, offset and size of every member of a struct of a module, and the size of the struct in a uniform
/// buffer.
pub(crate) fn members(source: &str, name: &str) -> (Vec<(String, usize, usize)>, usize) {
    let module = naga::front::wgsl::parse_str(source).expect("the shader is valid");
    let mut layouter = naga::proc::Layouter::default();
    layouter.update(module.to_ctx()).expect("every type has a layout");
    let (_, ty) = module
        .types
        .iter()
        .find(|(_, ty)| ty.name.as_deref() == Some(name))
        .expect("the shader has the struct");
    let naga::TypeInner::Struct { members, span } = &ty.inner else { panic!("no struct") };
    let member = |m: &naga::StructMember| {
        let name = m.name.clone().expect("members have names");
        (name, m.offset as usize, layouter[m.ty].size as usize)
    };
    (members.iter().map(member).collect(), *span as usize)
}

/// A constant of a module.
pub(crate) fn constant(source: &str, name: &str) -> u32 {
    let module = naga::front::wgsl::parse_str(source).expect("the shader is valid");
    let (_, constant) = module
        .constants
        .iter()
        .find(|(_, constant)| constant.name.as_deref() == Some(name))
        .expect("the shader has the constant");
    match module.global_expressions[constant.init] {
        naga::Expression::Literal(naga::Literal::U32(number)) => number,
        ref other => panic!("{name} is {other:?}"),
    }
}

/// Asserts that the given fields of a Rust struct have the offsets and sizes of the members of a struct of a
/// shader, and that the structs have one size. A field `end`, which is left out, fills the Rust struct up.
macro_rules! assert_layout {
    ($type:ident, $name:literal, $source:expr, [$($field:ident),* $(,)?]) => {{
        let (members, span) = $crate::gpu::kernel::layout::members($source, $name);
        let zero: $type = bytemuck::Zeroable::zeroed();
        let ours = vec![$((
            stringify!($field).to_owned(),
            std::mem::offset_of!($type, $field),
            size_of_val(&zero.$field),
        )),*];
        assert_eq!(ours, members, "{}", $name);
        assert_eq!(size_of::<$type>(), span, "{}", $name);
    }};
}
pub(crate) use assert_layout;
