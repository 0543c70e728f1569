//! `unpool bench`: what it prints and the files it leaves behind, not how fast anything is.

use std::fs;

use unpool_bench::Size;

use crate::support::{Scratch, assert_refused, status, stdout, text, unpool};

#[test]
fn a_case_is_printed_and_written_with_the_keys_that_scripts_read() {
    printed_and_written("bench", &[]);
    printed_and_written("bench-repeated", &["--repeated"]);
}

fn printed_and_written(name: &str, order: &[&str]) {
    let scratch = Scratch::new(name);
    let file = scratch.0.join("rows.json");
    let arguments =
        ["--device", "cpu", "--case", "tiny", "--quick", "--small", "--json", text(&file)];
    let arguments = [&arguments[..], order].concat();
    let output = unpool(&[&["bench"], &arguments[..]].concat());
    assert_eq!(status(&output), 0, "{output:?}");
    let said = stdout(&output);
    assert!(said.contains("CPU") && said.contains("max_unpool_backward"), "{said}");
    assert_eq!(said.lines().find(|line| line.chars().count() > 80), None);

    let rows = fs::read_to_string(&file).expect("the file was written");
    let rows: serde_json::Value = serde_json::from_str(&rows).expect("it is JSON");
    let rows = rows.as_array().expect("it is a list");
    assert_eq!(rows.len(), 4);
    for row in rows {
        assert_eq!(row["case"], "tiny");
        assert!(row["device"].is_string() && row["op"].is_string(), "{row}");
        for key in ["median_ms", "copy_ms", "ratio_to_copy", "ratio_to_floor", "bytes"] {
            assert!(row[key].as_f64().is_some_and(|number| number > 0.0), "{key} of {row}");
        }
    }
}

#[test]
fn a_case_that_is_not_there_and_a_directory_that_is_a_file_are_refused() {
    let scratch = Scratch::new("bench-refused");
    let taken = scratch.file("taken", "");
    let unknown = ["bench", "--device", "cpu", "--case", "nhwc_9x9"];
    assert_refused(&unknown, "nhwc_9x9", &scratch);
    let what = "taken: is a file; a directory is needed";
    assert_refused(&["bench", "--shaders", text(&taken)], what, &scratch);
}

#[test]
fn the_shaders_of_every_case_are_written_each_with_its_entry_point() {
    let scratch = Scratch::new("shaders");
    let out = scratch.out();
    let output = unpool(&["bench", "--shaders", text(&out)]);
    assert_eq!(status(&output), 0, "{output:?}");
    let cases = unpool_bench::cases(Size::Small).expect("every case has a geometry");
    let list = stdout(&output);
    // Pooling with and without argmax, unpooling by either rule, and the gradient of unpooling.
    assert_eq!(list.lines().count(), 5 * cases.len());
    for line in list.lines() {
        let mut words = line.split(' ');
        let (file, entry) = (words.next().expect("a file"), words.next().expect("an entry point"));
        let source = fs::read_to_string(file).expect("the file was written");
        assert!(source.contains(&format!("fn {entry}(")), "{line}");
        assert_eq!(words.next(), None, "{line}");
    }
}

#[test]
fn growth_is_drawn_and_printed_size_by_size() {
    let scratch = Scratch::new("growth");
    let file = scratch.0.join("growth.png");
    let output = unpool(&["bench", "--device", "cpu", "--quick", "--growth", text(&file)]);
    assert_eq!(status(&output), 0, "{output:?}");
    let sizes = unpool_bench::growth().expect("every size has a geometry");
    let said = stdout(&output);
    for case in sizes.iter().filter(|case| case.input_bytes() <= 256 << 20) {
        let found = said.lines().filter(|l| l.contains(&format!(" {} B ", case.input_bytes())));
        assert_eq!(found.count(), 2, "{said}");
    }
    let drawn = image::open(&file).expect("a PNG").into_rgb8();
    let background = drawn.get_pixel(0, 0);
    let inked = drawn.pixels().filter(|pixel| *pixel != background).count();
    assert!(inked > 2000, "{inked} pixels of {:?} are drawn on", drawn.dimensions());
}
