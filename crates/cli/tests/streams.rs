//! Standard input and output as files, pipes that nobody reads, and signals.
use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::npy::{f32s, parsed};
use crate::support::{Scratch, assert_refused, status, stdout, text, unpool};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../cnn/tests/data").join(name)
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unpool"));
    command.args(arguments).env_remove("RUST_LOG").env("XDG_RUNTIME_DIR", std::env::temp_dir());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs the command on a standard input.
fn fed(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = command(arguments).spawn().expect("the command starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    let input = input.to_vec();
    // It may be refused before it is read.
    let feeder = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("the command ends");
    feeder.join().expect("it does not panic");
    output
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn arrays_come_from_standard_input_and_go_to_standard_output() {
    let scratch = Scratch::new("arrays");
    let numbers: Vec<f32> = (0..36).map(|i| (i * 7 % 37) as f32).collect();
    let array = f32s(&[1, 1, 6, 6], &numbers);
    let input = scratch.file("in.npy", &array);
    let [v, a, x] = ["v.npy", "a.npy", "x.npy"].map(|name| scratch.0.join(name));
    let window = ["--kernel", "2", "--index-space", "plane", "--device", "cpu"];
    let files = ["pool", text(&input), "--values", text(&v), "--argmax", text(&a)];
    assert_eq!(status(&unpool(&[&files[..], &window].concat())), 0);
    let values = fs::read(&v).expect("the command wrote it");
    let argmax = fs::read(&a).expect("the command wrote it");

    for name in ["-", "/dev/stdout", "/dev/fd/1"] {
        let files = ["pool", "-", "--values", name, "--argmax", "/dev/null"];
        let output = fed(&[&files[..], &window].concat(), &array);
        assert_eq!(status(&output), 0, "{output:?}");
        assert!(output.stdout == values, "{name}: only the array is on standard output");
        let said = stderr(&output);
        assert!(
            said.contains("wrote   standard output\n        /dev/null: plane, int64"),
            "{said}"
        );
    }
    for (arguments, fed_with) in [
        (["-", text(&a), "--like", text(&input)], &values),
        ([text(&v), "-", "--like", text(&input)], &argmax),
        ([text(&v), text(&a), "--like", "-"], &array),
        ([text(&v), text(&a), "--like", "/dev/stdin"], &array),
    ] {
        let files = [&["unpool"], &arguments[..], &["--out", "-"]].concat();
        let output = fed(&[&files[..], &window].concat(), fed_with);
        assert_eq!(status(&output), 0, "{output:?}");
        let (_, restored) = parsed::<f32>(&output.stdout);
        assert_eq!(restored.iter().filter(|&&cell| cell != 0.0).count(), 9);
        assert!(stderr(&output).contains("wrote     standard output"), "{output:?}");
    }
    // An archive is read to its end first, where it comes through a pipe.
    let archive = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/arrays/one.npz"));
    let files = ["pool", "-", "--values", "-", "--argmax", "/dev/null", "--kernel", "5x4"];
    let output = fed(&[&files[..], &["--device", "cpu"]].concat(), &archive.expect("it is there"));
    assert_eq!(parsed::<f32>(&output.stdout).1, [29.0, 30.0]);
    assert!(!x.exists());
}

#[test]
fn pictures_models_and_cases_come_from_standard_input() {
    let scratch = Scratch::new("pictures");
    let (out, model) = (scratch.out(), data("segnet.onnx"));
    let picture = fs::read(data("scene.png")).expect("it is there");
    let output = fed(&["demo", "--image", "-", "--device", "cpu", "--out", text(&out)], &picture);
    assert_eq!(status(&output), 0, "{output:?}");
    assert!(stdout(&output).contains("image   standard input, 45×37"), "{output:?}");

    let files = ["segment", text(&model), "-", "--out", "-", "--device", "cpu"];
    let output = fed(&files, &picture);
    assert_eq!(status(&output), 0, "{output:?}");
    let map = image::load_from_memory(&output.stdout).expect("a PNG and nothing else");
    assert_eq!((map.width(), map.height()), (45, 37));
    assert!(stderr(&output).contains("class   0, black"), "{output:?}");

    let digits = fs::read(data("digits.onnx")).expect("it is there");
    let output = fed(&["layers", "-"], &digits);
    assert!(stdout(&output).contains("9,502 parameters"), "{output:?}");
    let digit = data("digit-3.png");
    let files = ["visualize", "-", text(&digit), "--layer", "relu4", "--method", "gradient"];
    let files = [&files[..], &["--device", "cpu", "--out", text(&out)]].concat();
    assert_eq!(status(&fed(&files, &digits)), 0);
    assert!(out.join("digit-3.png").exists());

    let output = fed(&["verify", "-", "--device", "cpu"], b"{}\n");
    assert!(stderr(&output).contains("standard input, line 1"), "{output:?}");
}

#[test]
fn measurements_go_to_standard_output_and_the_table_beside_them() {
    let files = ["bench", "--device", "cpu", "--case", "tiny", "--quick", "--json", "-"];
    let output = unpool(&files);
    assert_eq!(status(&output), 0, "{output:?}");
    let rows: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("it is JSON");
    assert_eq!(rows.as_array().map(Vec::len), Some(4));
    assert!(stderr(&output).contains("max_unpool_backward"), "{output:?}");
}

#[test]
fn one_stream_for_two_files_is_refused_and_both_are_named() {
    let scratch = Scratch::new("streams");
    let window = ["--kernel", "2", "--device", "cpu", "--index-space", "plane"];
    for (files, what) in [
        (
            &["pool", "in.npy", "--values", "-", "--argmax", "/dev/stdout"][..],
            "--values and --argmax both name standard output (-)",
        ),
        (&["unpool", "-", "-", "--out", "x.npy"], "V.npy and A.npy both name standard input (-)"),
        (
            &["unpool", "-", "a.npy", "--like", "/dev/stdin", "--out", "x.npy"],
            "V.npy and --like both name standard input",
        ),
    ] {
        assert_refused(&[files, &window].concat(), what, &scratch);
    }
    let what = "MODEL.onnx and IMAGE both name standard input (-)";
    assert_refused(&["segment", "-", "-", "--device", "cpu"], what, &scratch);
    assert_refused(&["visualize", "-", "-", "--device", "cpu"], what, &scratch);
    let what = "IMAGE and IMAGE both name standard input (-)";
    assert_refused(&["visualize", "m.onnx", "-", "-", "--device", "cpu"], what, &scratch);
    let what = "--out -: a directory is needed";
    assert_refused(&["demo", "--out", "-", "--device", "cpu"], what, &scratch);
}

#[test]
fn a_reader_that_has_gone_is_no_failure_and_nothing_is_said_of_it() {
    for arguments in [
        &["verify", "--device", "cpu"][..],
        &["devices", "--names"],
        &["--help"],
        &["layers", text(&data("digits.onnx"))],
        &["bench", "--device", "cpu", "--case", "tiny", "--quick", "--json", "-"],
    ] {
        let mut child = command(arguments).spawn().expect("the command starts");
        drop(child.stdout.take());
        let mut said = String::new();
        let mut stderr = child.stderr.take().expect("it is piped");
        stderr.read_to_string(&mut said).expect("UTF-8");
        let status = child.wait().expect("the command ends");
        assert_eq!(status.code(), Some(0), "{arguments:?}: {said}");
        assert!(!said.contains("unpool:"), "{arguments:?}: {said}");
    }
}

/// Waits for a file that a command is making.
fn until_there(file: &Path, child: &mut Child) {
    let start = Instant::now();
    while !file.exists() {
        assert_eq!(child.try_wait().expect("it can be asked"), None, "it ended by itself");
        assert!(start.elapsed() < Duration::from_secs(60), "{} never came", file.display());
        thread::sleep(Duration::from_millis(5));
    }
}

/// Sends a signal, and checks that it is what ended the command.
fn end(mut child: Child, signal: i32) {
    let kill = format!("kill -{signal} {}", child.id());
    let sent = Command::new("sh").args(["-c", &kill]).status().expect("there is a shell");
    assert!(sent.success());
    let status = child.wait().expect("the command ends");
    // What a shell shows as 128 and the signal.
    assert_eq!(status.signal(), Some(signal), "{status:?}");
}

/// A pipe with a name, which holds up who writes to it until somebody reads.
fn pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().expect("POSIX has mkfifo");
    assert!(made.success());
}

const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;

#[test]
fn a_signal_during_pool_and_unpool_leaves_neither_parts_nor_directories() {
    for signal in [SIGINT, SIGTERM] {
        let scratch = Scratch::new(&format!("signal-{signal}"));
        let input = scratch.file("in.npy", f32s(&[1, 1, 4, 4], &[1.0; 16]));
        let held = scratch.0.join("held");
        pipe(&held);
        let before = scratch.names();
        let values = scratch.0.join("new/deep/v.npy");
        let files = ["pool", text(&input), "--values", text(&values), "--argmax", text(&held)];
        let arguments = [&files[..], &["--kernel", "2", "--device", "cpu"]].concat();
        let mut child = command(&arguments).spawn().expect("the command starts");
        until_there(&scratch.0.join("new/deep/.v.npy.part"), &mut child);
        end(child, signal);
        assert_eq!(scratch.names(), before);
    }
}

#[test]
fn a_signal_during_visualize_leaves_no_event_file() {
    let scratch = Scratch::new("signal-board");
    let (out, log) = (scratch.0.join("pictures"), scratch.0.join("log"));
    fs::create_dir(&out).expect("the temporary directory is writable");
    pipe(&out.join("digit-3.png"));
    let before = scratch.names();
    let (model, image) = (data("digits.onnx"), data("digit-3.png"));
    let files = ["visualize", text(&model), text(&image), "--layer", "relu4", "--device", "cpu"];
    let arguments = [&files[..], &["--out", text(&out), "--logdir", text(&log)]].concat();
    let mut child = command(&arguments).spawn().expect("the command starts");
    until_there(&log, &mut child);
    thread::sleep(Duration::from_millis(20));
    end(child, SIGTERM);
    assert_eq!(scratch.names(), before);
}

#[test]
fn a_shell_sees_the_status_of_the_signal() {
    let scratch = Scratch::new("shell");
    let input = scratch.file("in.npy", f32s(&[1, 1, 4, 4], &[1.0; 16]));
    let held = scratch.0.join("held");
    pipe(&held);
    let script = format!(
        "'{}' pool '{}' --kernel 2 --device cpu --values '{}' --argmax '{}' & \
         while [ ! -e '{}' ]; do sleep 0.01; done; kill -TERM $!; wait $!; echo $?",
        env!("CARGO_BIN_EXE_unpool"),
        text(&input),
        text(&scratch.0.join("v.npy")),
        text(&held),
        text(&scratch.0.join(".v.npy.part")),
    );
    let output = Command::new("sh").args(["-c", &script]).output().expect("there is a shell");
    assert_eq!(stdout(&output), "143\n", "{output:?}");
}
