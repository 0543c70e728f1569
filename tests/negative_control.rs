//! A kernel broken on purpose must be caught: each is compiled from changed source, run with raw
//! `wgpu`, and compared as every other result is. The unchanged kernel passes; one that is a tap off must not.

use naga::TypeInner;
use unpool::{Element, Gpu, Kernel, wgpu};

use crate::support::bench::pipeline;
use crate::support::cases::parse;
use crate::support::compare::{same, same_bits};
use crate::support::devices::gpus;
use crate::support::fill::{Fill, fill};
use crate::support::guarded::Guarded;
use crate::support::oracle::{self, Plan};

const CASE: &str = "n1c4h6w6_k2_last";

/// The uniforms of the case, laid out as the module says.
fn uniforms(source: &str) -> Vec<u8> {
    let module = naga::front::wgsl::parse_str(source).unwrap();
    let params = module.types.iter().find(|(_, ty)| ty.name.as_deref() == Some("Params"));
    let TypeInner::Struct { members, span } = &params.unwrap().1.inner else {
        panic!("Params is no struct");
    };
    let mut bytes = vec![0; *span as usize];
    let (input, pooled) = (&[1, 6, 6][..], &[1, 3, 3][..]);
    for (name, values) in [
        ("input", input),
        ("pooled", pooled),
        ("extents", pooled),
        ("inner", &[1]),
        ("items", &[9]),
        ("grid_width", &[1]),
        ("elements", &[36]),
    ] {
        let member = members.iter().find(|m| m.name.as_deref() == Some(name));
        let at = member.unwrap_or_else(|| panic!("no {name} in Params")).offset as usize;
        for (i, value) in values.iter().enumerate() {
            bytes[at + 4 * i..][..4].copy_from_slice(&u32::to_le_bytes(*value));
        }
    }
    bytes
}

/// Runs a kernel from this source on four tensors.
fn run(gpu: &Gpu, kernel: Kernel, source: &str, tensors: [&Guarded; 3]) {
    let device = gpu.device();
    let pipeline = pipeline(gpu, source, kernel.entry_point());
    let content = uniforms(source);
    let params = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: content.len() as u64,
        usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    gpu.queue().write_buffer(&params, 0, &content);
    let mut entries =
        vec![wgpu::BindGroupEntry { binding: 0, resource: params.as_entire_binding() }];
    for (binding, tensor) in (1..).zip(tensors) {
        let slice = tensor.slice().try_into().unwrap();
        entries
            .push(wgpu::BindGroupEntry { binding, resource: wgpu::BindingResource::Buffer(slice) });
    }
    let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &pipeline.get_bind_group_layout(0),
        entries: &entries,
    });
    let mut encoder = device.create_command_encoder(&Default::default());
    let mut pass = encoder.begin_compute_pass(&Default::default());
    pass.set_pipeline(&pipeline);
    pass.set_bind_group(0, &bind_group, &[]);
    pass.dispatch_workgroups(1, 1, 1);
    drop(pass);
    gpu.queue().submit([encoder.finish()]);
}

/// The source with one passage changed.
fn broken(source: &str, from: &str, to: &str) -> String {
    assert_eq!(source.matches(from).count(), 1, "{from:?} is not once in the shader");
    source.replace(from, to)
}

/// `compare` runs a source and compares its output: the unchanged source must pass, the broken one
/// fail.
fn control(
    entry_point: &str,
    (from, to): (&str, &str),
    compare: impl Fn(&Gpu, Kernel, &str) -> Result<(), String>,
) {
    let geometry = parse(CASE).geometry().unwrap();
    let kernels = Kernel::all(&geometry, Element::F32);
    let kernel = kernels.into_iter().find(|k| k.entry_point() == entry_point).unwrap();
    let source = kernel.source(64);
    for gpu in gpus().iter() {
        compare(gpu, kernel, &source).unwrap();
        let caught = compare(gpu, kernel, &broken(&source, from, to));
        assert!(caught.is_err(), "a broken {entry_point} passes on {}", gpu.description());
    }
}

#[test]
fn a_max_pool_that_is_one_tap_off_is_caught() {
    let plan = Plan::new(&parse(CASE)).unwrap();
    let input: Vec<f32> = fill(Fill::Permutation, plan.input_len(), 1);
    let expected = oracle::max_pool(&plan, &input);
    for change in [
        // The tap.
        (
            "ordered_key(elements), inside), vec4<u32>(tap));",
            "ordered_key(elements), inside), vec4<u32>(tap + 1u));",
        ),
        // The cell.
        (
            "at.x * STRIDE_X + Coordinate(tap_x * DILATION_X)",
            "at.x * STRIDE_X + Coordinate((1u - tap_x) * DILATION_X)",
        ),
    ] {
        control("max_pool", change, |gpu, kernel, source| {
            let x = Guarded::of(gpu, "input", &input, 0);
            let values = Guarded::poisoned(gpu, "values", 36 * 4, 0xa5);
            let taps = Guarded::poisoned(gpu, "taps", 36, 0xa5);
            run(gpu, kernel, source, [&x, &values, &taps]);
            same_bits(&"values", &values.elements::<f32>(gpu, 36)?, &expected.values)?;
            same(&"taps", &taps.bytes(gpu)?, &plan.tap_bytes(&expected.taps))
        });
    }
}

#[test]
fn a_max_unpool_that_is_one_tap_off_is_caught() {
    let plan = Plan::new(&parse(CASE)).unwrap();
    let input: Vec<f32> = fill(Fill::Permutation, plan.input_len(), 2);
    let pooled = oracle::max_pool(&plan, &input);
    let expected = oracle::max_unpool_last(&plan, &pooled.values, &pooled.taps);
    let change = (
        "accumulate_first_hits(window.terms, window.taps == taps)",
        "accumulate_first_hits(window.terms, window.taps + vec4<u32>(1u) == taps)",
    );
    control("max_unpool_block", change, |gpu, kernel, source| {
        let values = Guarded::of(gpu, "values", &pooled.values, 0);
        let taps = Guarded::of(gpu, "taps", &plan.tap_bytes(&pooled.taps), 0);
        let output = Guarded::poisoned(gpu, "output", 144 * 4, 0xa5);
        run(gpu, kernel, source, [&values, &output, &taps]);
        same_bits(&"output", &output.elements::<f32>(gpu, 144)?, &expected)
    });
}

#[test]
fn a_max_unpool_backward_that_is_one_tap_off_is_caught() {
    let plan = Plan::new(&parse(CASE)).unwrap();
    let input: Vec<f32> = fill(Fill::Permutation, plan.input_len(), 3);
    let taps = oracle::max_pool(&plan, &input).taps;
    let expected = oracle::max_unpool_backward(&plan, &input, &taps);
    let change = (
        "window_x(at), load_taps_of_item(item, true));",
        "window_x(at), load_taps_of_item(item, true) + vec4<u32>(1u));",
    );
    control("max_unpool_backward", change, |gpu, kernel, source| {
        let x = Guarded::of(gpu, "grad_output", &input, 0);
        let taps = Guarded::of(gpu, "taps", &plan.tap_bytes(&taps), 0);
        let read = Guarded::poisoned(gpu, "grad_input", 36 * 4, 0xa5);
        run(gpu, kernel, source, [&x, &read, &taps]);
        same_bits(&"grad_input", &read.elements::<f32>(gpu, 36)?, &expected)
    });
}
