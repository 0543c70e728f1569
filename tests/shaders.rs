//! The shaders of every case, before any device sees them: valid, and translated to the language
//! of every backend.

use std::collections::{BTreeSet, HashMap, HashSet};

use naga::back::{glsl, hlsl, msl, pipeline_constants, spv};
use naga::proc::BoundsCheckPolicies;
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{Module, ShaderStage};
use unpool::{Element, IndexSpace, Layout, Program, Scatter, Shape};

use crate::support::cases::{FAR, parse, table};

/// Every program of the tables, once.
fn programs() -> Vec<Program> {
    let mut all = HashSet::new();
    for case in table().into_iter().chain(FAR.iter().map(|name| parse(name))) {
        let geometry = case.geometry().unwrap();
        for element in Element::ALL {
            all.extend(Program::all(&geometry, element));
        }
        for space in IndexSpace::ALL {
            all.extend(Program::of_index_space(&geometry, space));
        }
    }
    for layout in [Layout::ChannelsFirst, Layout::ChannelsLast] {
        for space in IndexSpace::ALL {
            let of = |n| Shape::new(layout, [2, n, n, n]);
            let placement = Scatter::new(of(2), of(2), space).unwrap();
            for element in Element::ALL {
                all.extend(Program::of_placement(&placement, element));
            }
        }
    }
    // What is bound otherwise in one buffer does not depend on the element.
    let in_one_buffer = all.iter().filter(|program| {
        program.constants().iter().all(|&(name, value)| name != "BITS" || value == 32)
    });
    let in_one_buffer: Vec<_> = in_one_buffer.map(|p| p.clone().in_one_buffer()).collect();
    all.into_iter().chain(in_one_buffer).collect()
}

/// With what a browser has without asking for features, or more.
fn validate(module: &Module, capabilities: Capabilities) -> Result<ModuleInfo, String> {
    Validator::new(ValidationFlags::all(), capabilities)
        .validate(module)
        .map_err(|error| error.emit_to_string_with_path("", "shader"))
}

fn translate(
    module: &Module,
    info: &ModuleInfo,
    entry: &str,
    capabilities: Capabilities,
) -> Result<(), String> {
    let (stage, entry_point) = (ShaderStage::Compute, entry.to_owned());
    let to = |language: &str, error: &dyn std::fmt::Display| format!("{language}: {error}");

    let options = spv::PipelineOptions { shader_stage: stage, entry_point: entry_point.clone() };
    let words = spv::write_vec(module, info, &spv::Options::default(), Some(&options))
        .map_err(|error| to("SPIR-V", &error))?;
    assert!(words.len() > 5, "an empty SPIR-V module");

    let options = msl::PipelineOptions {
        entry_point: Some((stage, entry_point.clone())),
        ..Default::default()
    };
    let fake = msl::Options { fake_missing_bindings: true, ..Default::default() };
    msl::write_string(module, info, &fake, &options).map_err(|error| to("MSL", &error))?;

    let mut text = String::new();
    let options = hlsl::PipelineOptions { entry_point: Some((stage, entry_point.clone())) };
    let fake = hlsl::Options { fake_missing_bindings: true, ..Default::default() };
    hlsl::Writer::new(&mut text, &fake, &options)
        .write(module, info, None)
        .map_err(|error| to("HLSL", &error))?;

    if capabilities.contains(Capabilities::SHADER_INT64) {
        // GL has no features to ask for.
        return Ok(());
    }
    let mut text = String::new();
    let options = glsl::PipelineOptions { shader_stage: stage, entry_point, multiview: None };
    let version = glsl::Version::Embedded { version: 310, is_webgl: false };
    let es = glsl::Options { version, ..Default::default() };
    glsl::Writer::new(&mut text, module, info, &es, &options, BoundsCheckPolicies::default())
        .and_then(|mut writer| writer.write().map(drop))
        .map_err(|error| to("GLSL", &error))
}

#[test]
fn every_program_of_the_table_is_valid_and_is_translated_for_every_backend() {
    let programs = programs();
    assert!(programs.len() > 1000, "{} programs", programs.len());
    check(&programs, Capabilities::default());
}

#[test]
fn every_program_in_wide_words_is_valid_and_is_translated_for_every_backend_that_has_them() {
    let narrow: HashSet<_> = programs().into_iter().collect();
    let wide: HashSet<_> = narrow.iter().cloned().map(Program::wide).collect();
    let programs: Vec<_> = wide.difference(&narrow).cloned().collect();
    assert!(programs.len() > 300, "{} programs", programs.len());
    check(&programs, Capabilities::SHADER_INT64);
}

/// Validates each and translates it to every language. How many modules they are.
pub(crate) fn check(programs: &[Program], capabilities: Capabilities) -> usize {
    let mut modules: HashMap<String, (Module, ModuleInfo)> = HashMap::new();
    for program in programs {
        let source = program.source();
        let (module, info) = modules.entry(source.clone()).or_insert_with(|| {
            let module = naga::front::wgsl::parse_str(&source)
                .unwrap_or_else(|error| panic!("{program}: {}", error.emit_to_string(&source)));
            let info = validate(&module, capabilities)
                .unwrap_or_else(|error| panic!("{program}: {error}"));
            (module, info)
        });
        let constants = program.constants().iter().map(|&(name, value)| (name.to_owned(), value));
        let constants = constants
            .chain([("WORKGROUP".to_owned(), 64)])
            .map(|(name, value)| (name, value.into()))
            .collect();
        let at = (ShaderStage::Compute, program.entry_point());
        let (module, info) =
            pipeline_constants::process_overrides(module, info, Some(at), &constants)
                .unwrap_or_else(|error| panic!("{program} {:?}: {error}", program.constants()));
        translate(&module, &info, program.entry_point(), capabilities)
            .unwrap_or_else(|error| panic!("{program} {:?}: {error}", program.constants()));
    }
    modules.len()
}

/// The shaders whose threads make two units of small cells do so somewhere in the table.
#[test]
fn the_table_has_pairs_of_units() {
    let paired = programs().into_iter().filter(|p| p.constants().contains(&("PAIRED", 1)));
    let entries: BTreeSet<_> = paired.map(|p| p.entry_point()).collect();
    let all = ["max_pool", "max_pool_rows", "max_unpool_blocks", "max_unpool_rows"];
    assert!(entries.into_iter().eq(all));
}

/// A constant that the module does not have would be refused by a browser.
#[test]
fn every_constant_is_an_override_of_its_module() {
    for program in programs() {
        let module = naga::front::wgsl::parse_str(&program.source()).unwrap();
        let names: HashSet<_> =
            module.overrides.iter().filter_map(|(_, o)| o.name.as_deref()).collect();
        for (name, _) in program.constants() {
            assert!(names.contains(name), "{program} has no override {name}");
        }
        let mut entries = module.entry_points.iter();
        assert!(entries.any(|e| e.name == program.entry_point()), "{program}");
    }
}

/// The text without its comments.
fn code(source: &str) -> String {
    source.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

#[test]
fn no_shader_asks_for_more_than_every_device_has() {
    for program in programs() {
        let code = code(&program.source());
        for word in ["f16", "f64", "i64", "u64", "subgroup", "enable", "requires", "immediate"] {
            assert!(!code.contains(word), "{program} has {word}");
        }
        let counts =
            ["foreign", "indices", "report"].iter().any(|of| program.entry_point().contains(of));
        assert!(counts || !code.contains("atomic"), "{program} has an atomic");
    }
}

/// Browsers that use Tint say more than naga does.
#[test]
#[ignore = "it asks the command `tint`; scripts/test runs it where that is installed"]
fn tint_accepts_every_module() {
    let sources: HashSet<String> = programs().iter().map(Program::source).collect();
    let folder = std::env::temp_dir().join(format!("unpool-tint-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (i, source) in sources.iter().enumerate() {
        let file = folder.join(format!("{i}.wgsl"));
        std::fs::write(&file, source).unwrap();
        let mut tint = std::process::Command::new("tint");
        let output = tint.arg("--format").arg("wgsl").arg(&file).output();
        let output = output.unwrap_or_else(|error| panic!("the command `tint`: {error}"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}\n{source}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
