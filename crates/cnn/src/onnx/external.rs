//! Weights in another file than the model, as PyTorch's exporter writes them for large models.
//!
//! The location comes from the model and is not trusted: it must be a plain name in the model's own
//! directory, and the file must have the bytes.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use bytes::Bytes;

use crate::error::Fault;
use crate::onnx::mapped;
use crate::onnx::proto::TensorProto;

/// The bytes of a tensor that is not in the model's file, or `None` where it is.
///
/// `files` has the files that were opened so far.
pub(crate) fn read(
    tensor: &TensorProto,
    dir: Option<&Path>,
    files: &mut HashMap<PathBuf, Bytes>,
) -> Result<Option<Bytes>, Fault> {
    if tensor.data_location == 0 {
        return Ok(None);
    }
    let entry = |key: &str| {
        tensor.external_data.iter().find(|e| e.key == key).map(|entry| entry.value.as_str())
    };
    let location = entry("location").unwrap_or_default();
    let relative = Path::new(location);
    let plain = relative.components().all(|c| matches!(c, Component::Normal(_)));
    if location.is_empty() || !plain {
        return Err(Fault::new(
            format!("its data is in {location:?}"),
            "a file under the model's own directory is allowed",
        ));
    }
    let Some(dir) = dir else {
        return Err(Fault::new(
            format!("its data is in the file {location:?}"),
            "a model read from memory must hold all its data",
        ));
    };
    let number = |key: &str| match entry(key) {
        None => Ok(None),
        Some(text) => text.parse::<u64>().map(Some).map_err(|_| {
            Fault::new(format!("{key} of its data is {text:?}"), "a number of bytes is needed")
        }),
    };
    let (offset, length) = (number("offset")?.unwrap_or(0), number("length")?);
    let path = dir.join(relative);
    let told = |error: std::io::Error| {
        Fault::new(format!("{}: {error}", path.display()), "a file that can be read is needed")
    };
    let file = match files.get(&path) {
        Some(file) => file.clone(),
        None => {
            let file = mapped::open(&path).map_err(told)?;
            files.insert(path.clone(), file.clone());
            file
        }
    };
    let available = (file.len() as u64).saturating_sub(offset);
    let length = length.unwrap_or(available);
    if length > available {
        return Err(Fault::new(
            format!("{length} bytes at {offset} of {}", path.display()),
            format!("{available} bytes are available"),
        ));
    }
    Ok(Some(file.slice(offset.min(file.len() as u64) as usize..(offset + length) as usize)))
}
