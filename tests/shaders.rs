//! The shaders of every case, before any device sees them: valid, and translated to the language
//! of every backend.

use std::collections::{BTreeSet, HashMap, HashSet};

use naga::back::{glsl, hlsl, msl, spv};
use naga::proc::BoundsCheckPolicies;
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{Module, ShaderStage};
use unpool::{Element, Geometry, IndexSpace, Kernel, Layout, Scatter, Shape, Window};

use crate::support::cases::{FAR, parse, table};

/// Every kernel of the tables, once. Kernels whose operands lie in one buffer are there for one element only, since
/// their bindings do not depend on the element.
fn kernels() -> Vec<Kernel> {
    let (mut all, mut of_words) = (HashSet::new(), HashSet::new());
    for case in table().into_iter().chain(FAR.iter().map(|name| parse(name))) {
        let geometry = case.geometry().unwrap();
        for element in Element::ALL {
            all.extend(Kernel::all(&geometry, element));
        }
        of_words.extend(Kernel::all(&geometry, Element::F32));
        for space in IndexSpace::ALL {
            of_words.extend(Kernel::all_of_indices(&geometry, space));
        }
    }
    for layout in [Layout::ChannelsFirst, Layout::ChannelsLast] {
        for space in IndexSpace::ALL {
            let of = |n| Shape::new(layout, [2, n, n, n]);
            let scatter = Scatter::new(of(2), of(2), space).unwrap();
            for element in Element::ALL {
                all.extend(Kernel::all_of_scatter(&scatter, element));
            }
            of_words.extend(Kernel::all_of_scatter(&scatter, Element::F32));
        }
    }
    all.extend(of_words.iter().map(|kernel| kernel.in_one_buffer()));
    all.extend(of_words);
    all.into_iter().collect()
}

/// Validates with the capabilities that a browser has without asking for features.
fn validate(module: &Module) -> Result<ModuleInfo, String> {
    Validator::new(ValidationFlags::all(), Capabilities::default())
        .validate(module)
        .map_err(|error| error.emit_to_string_with_path("", "shader"))
}

fn translate(module: &Module, info: &ModuleInfo, entry: &str) -> Result<(), String> {
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

    let mut text = String::new();
    let options = glsl::PipelineOptions { shader_stage: stage, entry_point, multiview: None };
    let version = glsl::Version::Embedded { version: 310, is_webgl: false };
    let es = glsl::Options { version, ..Default::default() };
    glsl::Writer::new(&mut text, module, info, &es, &options, BoundsCheckPolicies::default())
        .and_then(|mut writer| writer.write().map(drop))
        .map_err(|error| to("GLSL", &error))
}

#[test]
fn every_kernel_of_the_table_is_valid_and_is_translated_for_every_backend() {
    let kernels = kernels();
    assert!(kernels.len() > 1000, "{} kernels", kernels.len());
    check(&kernels);
}

/// Validates each kernel and translates it to every language. Returns the number of modules.
pub(crate) fn check(kernels: &[Kernel]) -> usize {
    let mut modules: HashMap<String, (Module, ModuleInfo)> = HashMap::new();
    for kernel in kernels {
        let source = kernel.source(64);
        let (module, info) = modules.entry(source.clone()).or_insert_with(|| {
            let module = naga::front::wgsl::parse_str(&source)
                .unwrap_or_else(|error| panic!("{kernel}: {}", error.emit_to_string(&source)));
            let info = validate(&module).unwrap_or_else(|error| panic!("{kernel}: {error}"));
            (module, info)
        });
        assert!(module.entry_points.iter().any(|e| e.name == kernel.entry_point()), "{kernel}");
        translate(module, info, kernel.entry_point())
            .unwrap_or_else(|error| panic!("{kernel:?}: {error}"));
    }
    modules.len()
}

#[test]
fn kernels_that_are_equal_have_one_text_and_others_have_others() {
    let mut texts = HashMap::new();
    for kernel in kernels() {
        let text = (kernel.source(64), kernel.entry_point());
        if let Some(other) = texts.insert(text, kernel) {
            // Bindings of several kernels may be the same where a kernel reads nothing.
            assert_eq!(kernel.source(64), other.in_one_buffer().source(64), "{kernel:?}");
        }
    }
}

/// Kernels whose complete WGSL is in tests/golden, so that a reader sees the text that runs: file name and text.
fn golden() -> Vec<(String, String)> {
    let stem = Window::new(3).with_stride(2).with_padding(1);
    let [pool, last, sum, backward] = [0, 2, 3, 4];
    let text = |name: &str, window: Window, shape, element, kernel: usize| {
        let geometry = Geometry::new(&window, shape).unwrap();
        let kernel = Kernel::all(&geometry, element)[kernel];
        (format!("{name}.{}.wgsl", kernel.entry_point()), kernel.source(128))
    };
    let (nhwc, odd) = (Shape::nhwc([1, 8, 8, 8]), Shape::nhwc([1, 9, 9, 3]));
    let nchw = Shape::nchw([1, 2, 8, 16]);
    let (nhwc_words, nchw_words) = (Shape::nhwc([1, 8, 8, 16]), Shape::nchw([1, 2, 8, 32]));
    vec![
        text("nhwc_2x2", Window::new(2), nhwc, Element::F32, pool),
        text("nhwc_2x2", Window::new(2), nhwc, Element::F32, last),
        text("nhwc_odd_3x3s2_f16", stem, odd, Element::F16, sum),
        text("nhwc_odd_3x3s2_f16", stem, odd, Element::F16, backward),
        text("nhwc_2x2_u8", Window::new(2), nhwc_words, Element::U8, pool),
        text("nchw_3x3s2_u8", stem, nchw_words, Element::U8, sum),
        text("nchw_3x3s2", stem, nchw, Element::F32, pool),
        text("nchw_3x3s2", stem, nchw, Element::F32, sum),
    ]
}

/// `UNPOOL_GOLDEN=write cargo test --test unpool golden` writes the files again.
#[test]
fn the_golden_copies_are_the_text_that_runs() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    let write = std::env::var("UNPOOL_GOLDEN").is_ok_and(|value| value == "write");
    let mut names = BTreeSet::new();
    for (name, text) in golden() {
        let file = format!("{folder}/{name}");
        if write {
            std::fs::write(&file, &text).unwrap();
        }
        let copy = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            copy == text,
            "tests/golden/{name} differs from the text that runs; UNPOOL_GOLDEN=write writes it"
        );
        names.insert(name);
    }
    let files = std::fs::read_dir(folder).unwrap();
    let files: BTreeSet<_> = files.map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(files, names, "tests/golden has other files");
}

/// The text without its comments.
fn code(source: &str) -> String {
    source.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

#[test]
fn no_shader_asks_for_more_than_every_device_has() {
    for kernel in kernels() {
        let code = code(&kernel.source(64));
        for word in ["f16", "f64", "i64", "u64", "subgroup", "enable", "requires", "immediate"] {
            assert!(!code.contains(word), "{kernel} has {word}");
        }
        let counts =
            ["scatter", "indices", "report"].iter().any(|of| kernel.entry_point().contains(of));
        assert!(counts || !code.contains("atomic"), "{kernel} has an atomic");
    }
}

/// Browsers that use Tint say more than naga does.
#[test]
#[ignore = "it asks the command `tint`; scripts/test runs it where that is installed"]
fn tint_accepts_every_module() {
    let sources: HashSet<String> = kernels().iter().map(|kernel| kernel.source(64)).collect();
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
