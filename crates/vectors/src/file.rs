//! Files of cases, one a line: the three that are built in, and anyone's.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::case::{Case, Malformed};

/// Bytes of a file of cases at most: enough for any set, and a device that never ends is refused.
const MAX_BYTES: u64 = 1 << 28;

const BUILTIN: [(&str, &str); 3] = [
    ("pytorch.jsonl", include_str!("../../../tests/vectors/pytorch.jsonl")),
    ("tensorflow.jsonl", include_str!("../../../tests/vectors/tensorflow.jsonl")),
    ("onnxruntime.jsonl", include_str!("../../../tests/vectors/onnxruntime.jsonl")),
];

/// Why a file gave no cases.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are those of the message, under its own names")]
pub enum Unreadable {
    #[error("{file}: {error}")]
    File { file: String, error: io::Error },
    #[error("{file}: holds more than {MAX_BYTES} bytes")]
    TooLong { file: String },
    #[error("{file}: holds no case; one JSON object a line is expected")]
    Empty { file: String },
    #[error("{file}, line {line}: {}", one_line(.error))]
    Line { file: String, line: usize, error: Box<Malformed> },
}

/// An error in one line of bounded length: a parser quotes its input, which may be of any
/// length.
fn one_line(error: &Malformed) -> String {
    const MAX_CHARS: usize = 200;
    let text = error.to_string();
    // Every line is parsed on its own, so the parser's own line number is always 1.
    let text = text.replace(" at line 1 column ", " at column ");
    let mut line: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_CHARS).collect();
    if text.chars().nth(MAX_CHARS).is_some() {
        line.push('…');
    }
    line
}

/// The cases that are built in: those of `tests/vectors`.
///
/// # Panics
///
/// Never in a build that passed this crate's tests, which parse them.
pub fn builtin() -> Vec<Case> {
    let cases = BUILTIN.iter().flat_map(|(file, text)| {
        parse(file, text.as_bytes()).expect("the built-in files are parsed by a test")
    });
    cases.collect()
}

/// The cases of a file.
///
/// # Errors
///
/// If it cannot be read, holds no case, or one of its lines is not a case.
pub fn read(path: &Path) -> Result<Vec<Case>, Unreadable> {
    let file = path.display().to_string();
    match File::open(path) {
        Ok(contents) => read_from(&file, contents),
        Err(error) => Err(Unreadable::File { file, error }),
    }
}

/// The cases of a stream; `file` is its name in errors.
///
/// # Errors
///
/// Returns the errors of [`read`].
pub fn read_from(file: &str, contents: impl Read) -> Result<Vec<Case>, Unreadable> {
    let mut bytes = Vec::new();
    let read = contents.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| Unreadable::File { file: file.into(), error })?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Unreadable::TooLong { file: file.into() });
    }
    parse(file, &bytes)
}

/// The cases of the contents of a file; `file` is its name in errors. Blank lines are left out.
///
/// # Errors
///
/// Returns the errors of [`read`].
pub fn parse(file: &str, contents: &[u8]) -> Result<Vec<Case>, Unreadable> {
    let mut cases = Vec::new();
    for (i, line) in contents.split(|&b| b == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        cases.push(Case::parse(line).map_err(|error| Unreadable::Line {
            file: file.into(),
            line: i + 1,
            error: Box::new(error),
        })?);
    }
    if cases.is_empty() {
        return Err(Unreadable::Empty { file: file.into() });
    }
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;
    use unpool::Engine;

    const GOOD: &str = r#"{"name":"one","source":"by hand","layout":"NHWC","input_shape":[1,2,2,1],"kernel":[2,2],"stride":[2,2],"dilation":[1,1],"padding":"valid","ceil":false,"index_space":"image","overlapping":false,"input":[1,"NaN",-0.0,3],"pooled_shape":[1,1,1,1],"values":["NaN"],"indices":[1]}"#;

    #[test]
    fn every_builtin_case_is_read_and_holds_on_the_cpu() {
        let cases = builtin();
        assert_eq!(cases.len(), 350);
        for case in cases {
            if let Err(difference) = case.check(&Engine::Cpu) {
                panic!("{}: {difference}", case.name);
            }
        }
    }

    #[test]
    fn a_bad_line_is_named_in_one_line() {
        assert_eq!(parse("good", GOOD.as_bytes()).expect("well formed").len(), 1);
        for (from, to) in [
            (r#""values":["NaN"]"#, r#""values":[1,2]"#),
            (r#""values":["NaN"]"#, r#""values":"many""#),
            (r#""padding":"valid""#, r#""padding":"full""#),
            (r#""padding":"valid""#, r#""padding":[[0,-1],[0,0]]"#),
            (r#""padding":"valid""#, r#""padding":[[0,0]]"#),
            (r#""index_space":"image""#, r#""index_space":"pla\nne""#),
            (r#""layout":"NHWC""#, r#""layout":"NWHC""#),
            (r#""kernel":[2,2]"#, r#""kernel":[0,2]"#),
            (r#""kernel":[2,2]"#, r#""kernel":[3,2]"#),
            (r#""kernel":[2,2]"#, r#""kernel":[]"#),
            (r#""input_shape":[1,2,2,1]"#, r#""input_shape":[]"#),
            (r#""input_shape":[1,2,2,1]"#, r#""input_shape":[9000000000,2,2,9000000000]"#),
            (r#""name":"one""#, r#""name":"o\u001bne""#),
            (r#""name":"one""#, r#""name":"one","a\nb":1"#),
            (r#""indices":[1]}"#, r#""indices":[1"#),
            (r#""indices":[1]"#, r#""indices":[1.5]"#),
        ] {
            let bad = GOOD.replace(from, to);
            assert_ne!(bad, GOOD);
            let message = parse("some.jsonl", format!("{GOOD}\n\n{bad}\n").as_bytes())
                .expect_err(&bad)
                .to_string();
            assert!(message.starts_with("some.jsonl, line 3: "), "{message}");
            assert!(!message.contains(char::is_control), "{message}");
        }
        assert!(parse("empty", b"\n").is_err());
        assert!(parse("not text", &[0xff, 0xfe]).is_err());
    }

    #[test]
    fn a_wrong_number_is_found_at_its_element() {
        for (from, to, found) in [
            (r#""values":["NaN"]"#, r#""values":[3]"#, "values: element 0, at [0, 0, 0, 0]"),
            (r#""indices":[1]"#, r#""indices":[2]"#, "indices: element 0"),
            (r#""pooled_shape":[1,1,1,1]"#, r#""pooled_shape":[1,1,1]"#, "pooled_shape"),
        ] {
            let cases = parse("some.jsonl", GOOD.replace(from, to).as_bytes()).expect("a case");
            let message = cases[0].check(&Engine::Cpu).expect_err("altered").to_string();
            assert!(message.starts_with(found), "{message}");
        }
    }
}
