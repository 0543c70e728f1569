//! `unpool devices`: the adapters, the limits that decide what fits on them, and which engine
//! `--device auto` would take.

use std::io::Write;

use anyhow::Result;
use indicatif::{BinaryBytes, HumanCount};
use unpool::wgpu::{Adapter, AdapterInfo, DeviceType, Limits};
use unpool::{Engine, Error, Gpu};

use crate::outcome::Outcome;
use crate::table::Table;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Print one line for each adapter that can be used, `backend: name`, and nothing else.
    #[arg(long)]
    names: bool,
}

/// An adapter, and whether it can be used.
struct Found {
    info: AdapterInfo,
    limits: Limits,
    gpu: Result<Gpu, Error>,
}

impl Found {
    fn new(adapter: &Adapter) -> Self {
        let gpu = pollster::block_on(Gpu::from_adapter(adapter));
        Self { info: adapter.get_info(), limits: adapter.limits(), gpu }
    }
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome> {
    let adapters = pollster::block_on(Gpu::adapters());
    let all: Vec<_> = adapters.iter().map(Found::new).collect();
    let usable: Vec<_> = all.iter().filter(|found| found.gpu.is_ok()).map(|f| &f.info).collect();
    if args.names {
        for info in usable {
            writeln!(out, "{}: {}", info.backend, info.name)?;
        }
        return Ok(Outcome::Agrees);
    }
    if all.is_empty() {
        writeln!(out, "no adapter found: the CPU would be used")?;
        return Ok(Outcome::Agrees);
    }
    for found in &all {
        writeln!(out, "{}\n", table(found).fitted())?;
    }
    let engine = Engine::detect();
    writeln!(out, "would be used: {}", engine.description())?;
    let named = std::env::var("WGPU_ADAPTER_NAME").ok();
    writeln!(out, "because: {}", reason(&engine, &usable, named.as_deref()))?;
    Ok(Outcome::Agrees)
}

/// Whether an adapter can be used, as a row of its table.
fn use_of(gpu: &Result<Gpu, Error>) -> [String; 2] {
    match gpu.as_ref().map(Gpu::check_sums) {
        Ok(Ok(())) => ["sums of floats".into(), "rounded as on the CPU".into()],
        Ok(Err(error)) => ["sums of floats".into(), error.to_string()],
        Err(Error::Adapter { message, .. }) => ["cannot be used".into(), message.clone()],
        Err(error) => ["cannot be used".into(), error.to_string()],
    }
}

fn table(Found { info, limits, gpu }: &Found) -> Table {
    let bytes = |n: u64| BinaryBytes(n).to_string();
    let count = |n: u32| HumanCount(n.into()).to_string();
    let driver = [info.driver.as_str(), info.driver_info.as_str()];
    let driver = driver.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    let driver = if driver.is_empty() { "not told".into() } else { driver };
    let mut table = Table::new(["adapter", &info.name]);
    table.row(["backend".into(), info.backend.to_string()]);
    table.row(["driver".into(), driver]);
    table.row(["kind".into(), kind(info.device_type).into()]);
    table.row(use_of(gpu));
    for (limit, value) in [
        ("max_storage_buffer_binding_size", bytes(limits.max_storage_buffer_binding_size)),
        ("max_buffer_size", bytes(limits.max_buffer_size)),
        (
            "max_storage_buffers_per_shader_stage",
            count(limits.max_storage_buffers_per_shader_stage),
        ),
        (
            "max_compute_invocations_per_workgroup",
            count(limits.max_compute_invocations_per_workgroup),
        ),
        (
            "max_compute_workgroups_per_dimension",
            count(limits.max_compute_workgroups_per_dimension),
        ),
        (
            "min_storage_buffer_offset_alignment",
            bytes(limits.min_storage_buffer_offset_alignment.into()),
        ),
    ] {
        table.row([limit.into(), value]);
    }
    table
}

fn kind(kind: DeviceType) -> &'static str {
    match kind {
        DeviceType::DiscreteGpu => "discrete GPU",
        DeviceType::IntegratedGpu => "integrated GPU",
        DeviceType::VirtualGpu => "virtual GPU",
        DeviceType::Cpu => "software, runs on the CPU",
        DeviceType::Other => "not told",
    }
}

/// The reason for the choice of [`Engine::detect`].
fn reason(engine: &Engine, adapters: &[&AdapterInfo], named: Option<&str>) -> String {
    let software = adapters.iter().all(|info| info.device_type == DeviceType::Cpu);
    match (engine, named) {
        (Engine::Gpu(_), Some(name)) => format!("WGPU_ADAPTER_NAME is {name:?}"),
        (Engine::Gpu(_), None) => "it is the first hardware adapter in order of preference".into(),
        (_, Some(name)) => {
            format!("no adapter that gives a device has {name:?} (WGPU_ADAPTER_NAME) in its name")
        }
        (_, None) if adapters.is_empty() => "no adapter can be used".into(),
        (_, None) if software => "every adapter is software, which is slower than the \
             CPU path;\n         --device gpu takes the first of them all the same"
            .into(),
        (_, None) => "no hardware adapter gives a device".into(),
    }
}
