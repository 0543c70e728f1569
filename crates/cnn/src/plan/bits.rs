//! Operators on the bits of whole numbers, which only constants are: they are computed while the plan is made, as
//! numbers of 64 bits.

use crate::error::Fault;
use crate::onnx::constant::Constant;
use crate::onnx::graph::Node;
use crate::plan::builder::Builder;
use crate::plan::folding;
use crate::plan::refusal::Refusal;
use crate::plan::value::Value;

impl Builder<'_> {
    pub(super) fn bits(&mut self, node: &Node) -> Result<Vec<Value>, Refusal> {
        let a = self.whole_numbers(node, 0)?;
        if node.operator == "BitwiseNot" {
            let data = a.as_ints("operand 0")?.iter().map(|n| !n).collect();
            return Ok(vec![Value::Constant(Constant::ints(a.shape().to_vec(), data))]);
        }
        let b = self.whole_numbers(node, 1)?;
        let function: fn(i64, i64) -> i64 = match node.operator.as_str() {
            "BitwiseAnd" => |a, b| a & b,
            "BitwiseOr" => |a, b| a | b,
            "BitwiseXor" => |a, b| a ^ b,
            _ => match node.attributes().string("direction", "")? {
                // Shifted by all of its bits or more, nothing is left of a number.
                "LEFT" => |a, b| if (0..64).contains(&b) { a << b } else { 0 },
                "RIGHT" => |a, b| if (0..64).contains(&b) { (a as u64 >> b) as i64 } else { 0 },
                other => {
                    let found = format!("direction is {other:?}");
                    return Err(Fault::new(found, "LEFT and RIGHT are allowed").into());
                }
            },
        };
        Ok(vec![Value::Constant(folding::combined(&a, &b, function)?)])
    }

    fn whole_numbers(&self, node: &Node, i: usize) -> Result<Constant, Fault> {
        let operand = format!("operand {i}");
        let constant = self.carried(node, i, &operand)?;
        let constant =
            constant.ok_or_else(|| Fault::new(format!("{operand} is left out"), "it is needed"))?;
        constant.as_ints(&operand)?;
        Ok(constant)
    }
}
