//! Reading a node's attributes by name and type.

use crate::error::Fault;
use crate::onnx::proto::{AttributeProto, TensorProto};

const FLOAT: i32 = 1;
const INT: i32 = 2;
const STRING: i32 = 3;
const TENSOR: i32 = 4;
const FLOATS: i32 = 6;
const INTS: i32 = 7;

/// The attributes of a node.
#[derive(Clone, Copy)]
pub(crate) struct Attributes<'a>(pub(crate) &'a [AttributeProto]);

impl<'a> Attributes<'a> {
    fn find(self, name: &str, r#type: i32) -> Result<Option<&'a AttributeProto>, Fault> {
        let Some(attribute) = self.0.iter().find(|a| a.name == name) else { return Ok(None) };
        // Very old files leave the type out.
        if attribute.r#type != r#type && attribute.r#type != 0 {
            return Err(Fault::new(
                format!("attribute {name} has type {}", attribute.r#type),
                format!("type {type} is needed"),
            ));
        }
        Ok(Some(attribute))
    }

    pub(crate) fn has(self, name: &str) -> bool {
        self.0.iter().any(|a| a.name == name)
    }

    pub(crate) fn int(self, name: &str, default: i64) -> Result<i64, Fault> {
        Ok(self.find(name, INT)?.map_or(default, |a| a.i))
    }

    /// An attribute that is a switch.
    pub(crate) fn flag(self, name: &str) -> Result<bool, Fault> {
        Ok(self.int(name, 0)? != 0)
    }

    pub(crate) fn float(self, name: &str, default: f32) -> Result<f32, Fault> {
        Ok(self.find(name, FLOAT)?.map_or(default, |a| a.f))
    }

    pub(crate) fn floats(self, name: &str) -> Result<Option<&'a [f32]>, Fault> {
        Ok(self.find(name, FLOATS)?.map(|a| a.floats.as_slice()))
    }

    pub(crate) fn ints(self, name: &str) -> Result<Option<&'a [i64]>, Fault> {
        Ok(self.find(name, INTS)?.map(|a| a.ints.as_slice()))
    }

    pub(crate) fn tensor(self, name: &str) -> Result<Option<&'a TensorProto>, Fault> {
        Ok(self.find(name, TENSOR)?.and_then(|a| a.t.as_ref()))
    }

    pub(crate) fn string(self, name: &str, default: &'a str) -> Result<&'a str, Fault> {
        let Some(attribute) = self.find(name, STRING)? else { return Ok(default) };
        std::str::from_utf8(&attribute.s)
            .map_err(|_| Fault::new(format!("attribute {name} is not text"), "text is needed"))
    }

    /// A list of `count` sizes, each at least `lowest`; `None` where it is left out.
    pub(crate) fn sizes(
        self,
        name: &str,
        count: usize,
        lowest: i64,
    ) -> Result<Option<Vec<usize>>, Fault> {
        let Some(list) = self.ints(name)? else { return Ok(None) };
        if list.len() != count {
            return Err(Fault::new(
                format!("attribute {name} has {} entries", list.len()),
                format!("{count} are needed"),
            ));
        }
        let highest = i64::from(i32::MAX);
        list.iter()
            .map(|&n| {
                if n < lowest || n > highest {
                    let allowed = format!("{lowest} to {highest} are allowed");
                    return Err(Fault::new(format!("attribute {name} holds {n}"), allowed));
                }
                Ok(n as usize)
            })
            .collect::<Result<_, _>>()
            .map(Some)
    }
}
