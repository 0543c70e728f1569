//! The names of a network's classes.

use std::fs;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use unpool_cnn::{Layer, Model};

use crate::options::ordinal;

/// The classes of ImageNet and of Pascal VOC in the order in which networks have them, as torchvision
/// 0.29 names them.
const IMAGENET: &str = include_str!("imagenet.txt");
const VOC: &str = include_str!("voc.txt");

/// The key under which a model's metadata may have its classes, with commas between them.
const KEY: &str = "labels";

/// Letters of a name, at most: a name is for reading.
const NAME: usize = 100;

/// The option.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Names of the classes: imagenet, voc, or a file with one name in each line, or a JSON list or
    /// object; by default those in the model, and ImageNet's for 1,000 classes.
    #[arg(long, value_name = "NAMES")]
    labels: Option<String>,
}

/// Names of classes; empty where there are none.
#[derive(Debug, Default)]
pub(crate) struct Labels(Vec<String>);

impl Labels {
    /// The names of a model's classes.
    pub(crate) fn of(args: &Args, model: &Model, classes: usize) -> Result<Self> {
        let names = match (args.labels.as_deref(), model.metadata(KEY)) {
            (Some("imagenet"), _) => lines(IMAGENET),
            (Some("voc"), _) => lines(VOC),
            (Some(file), _) => {
                let read = fs::read_to_string(file);
                let text = read.with_context(|| {
                    format!("--labels {file}: neither imagenet nor voc, and no file")
                })?;
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                parsed(text).with_context(|| format!("--labels {file}"))?
            }
            (None, Some(names)) => names.split(',').map(|name| name.trim().to_owned()).collect(),
            (None, None) if [1000, 1001].contains(&classes) => lines(IMAGENET),
            (None, None) => return Ok(Self::default()),
        };
        let mut names = names;
        if classes == names.len() + 1 && names.len() == 1000 {
            // TensorFlow's networks have a class more.
            names.insert(0, "background".into());
        }
        if names.len() != classes {
            // A file may be wrong about itself; a person is told.
            if let Some(file) = &args.labels {
                bail!("--labels {file}: {} names; the network has {classes} classes", names.len());
            }
            return Ok(Self::default());
        }
        names.iter_mut().for_each(|name| *name = name.chars().take(NAME).collect());
        Ok(Self(names))
    }

    /// The name of a class, if it has one.
    pub(crate) fn get(&self, class: usize) -> Option<&str> {
        self.0.get(class).map(String::as_str)
    }

    /// The class of a name, or of one of the names that stand between commas.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        let is_it = |other: &str| other.trim().eq_ignore_ascii_case(name);
        let any = |names: &String| is_it(names) || names.split(',').any(is_it);
        self.0.iter().position(any)
    }

    /// Names that resemble one, for a message.
    pub(crate) fn nearest(&self, name: &str) -> String {
        let lower = name.to_lowercase();
        let similar = |other: &&String| other.to_lowercase().contains(&lower);
        let mut found: Vec<_> = self.0.iter().filter(similar).map(String::as_str).collect();
        // Those that have it as a word come first.
        let is_word = |other: &&str| {
            other.to_lowercase().split(|c: char| !c.is_alphanumeric()).any(|word| word == lower)
        };
        found.sort_by_key(|other| !is_word(other));
        found.truncate(5);
        match (self.0.is_empty(), found.is_empty()) {
            (true, _) => {
                "a number is needed, as the classes have no names; --labels gives some".into()
            }
            (false, true) => format!("there are {}, as {}", self.0.len(), self.0[0]),
            (false, false) => format!("there are {}", found.join(", ")),
        }
    }

    /// The number of a class, and its name.
    pub(crate) fn named(&self, class: usize) -> String {
        match self.get(class) {
            Some(name) => format!("{class} {name}"),
            None => class.to_string(),
        }
    }
}

/// A class as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ClassName {
    Number(usize),
    Name(String),
}

/// A class by number or name.
pub(crate) fn class(text: &str) -> Result<ClassName, String> {
    let is_number = text.parse::<f64>().is_ok();
    match ordinal(text) {
        Ok(number) => Ok(ClassName::Number(number)),
        Err(error) if is_number => Err(error.to_string()),
        Err(_) => Ok(ClassName::Name(text.to_owned())),
    }
}

impl ClassName {
    /// The number of the class among those of a layer.
    pub(crate) fn among(&self, layer: &Layer, labels: &Labels) -> Result<usize> {
        let classes = layer.channels();
        match self {
            Self::Number(number) if *number < classes => Ok(*number),
            Self::Number(number) => {
                bail!("--class {number}: {} has classes 0 to {}", layer.name(), classes - 1)
            }
            Self::Name(name) => labels.find(name).with_context(|| {
                format!("--class {name}: no class of this name; {}", labels.nearest(name))
            }),
        }
    }
}

/// The lines of a text; empty ones at its end are none.
fn lines(text: &str) -> Vec<String> {
    text.trim_end().lines().map(|line| line.trim().to_owned()).collect()
}

/// Names of a file: lines, a JSON list, or a JSON object from numbers to names, or to lists that end
/// in a name as Keras's.
fn parsed(text: &str) -> Result<Vec<String>> {
    if !text.trim_start().starts_with(['[', '{']) {
        return Ok(lines(text));
    }
    let name = |value: &Value| match value {
        Value::String(name) => Ok(name.clone()),
        Value::Array(parts) => {
            let last = parts.last().and_then(Value::as_str);
            last.map(str::to_owned).context("an empty list is no name")
        }
        other => bail!("{other} is no name"),
    };
    match serde_json::from_str(text)? {
        Value::Array(all) => all.iter().map(name).collect(),
        Value::Object(all) => (0..all.len())
            .map(|class| {
                let value = all.get(&class.to_string());
                name(value.with_context(|| format!("class {class} has no name"))?)
            })
            .collect(),
        _ => bail!("a list or an object is needed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_every_form() {
        let expected = ["tench", "great white shark"];
        for text in [
            "tench\ngreat white shark\n",
            r#"["tench", "great white shark"]"#,
            r#"{"0": "tench", "1": "great white shark"}"#,
            r#"{"1": ["n01484850", "great white shark"], "0": ["n01440764", "tench"]}"#,
        ] {
            assert_eq!(parsed(text).expect("names"), expected, "{text}");
        }
        for text in ["[1]", r#"{"a": "b"}"#, "[", "[[]]"] {
            assert!(parsed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_classes_of_imagenet_and_voc_are_all_there() {
        let (imagenet, voc) = (lines(IMAGENET), lines(VOC));
        assert_eq!((imagenet.len(), voc.len()), (1000, 21));
        assert_eq!((imagenet[281].as_str(), imagenet[967].as_str()), ("tabby", "espresso"));
        assert_eq!((voc[0].as_str(), voc[8].as_str()), ("__background__", "cat"));
    }
}
