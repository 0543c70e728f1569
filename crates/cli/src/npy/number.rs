//! The types of number that the command's arrays hold.

use npyz::{Endianness, TypeChar, TypeStr};
use unpool::Element;

/// How one number of a file is stored: an [`Element`] of the library, or one of the other two that
/// an argmax comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Number {
    Element(Element),
    I64,
    U16,
}

/// Which numbers an argument takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needed {
    /// Those that are pooled and unpooled.
    Elements,
    /// Those that an argmax is written in.
    Argmax,
}

impl Needed {
    pub(crate) fn takes(self, number: Number) -> bool {
        self == Self::Argmax || matches!(number, Number::Element(_))
    }

    /// The message about an array of other numbers: their type, and the type to convert them to.
    pub(crate) fn refusal(self, code: &TypeStr) -> String {
        let found = described(code);
        match self {
            Self::Argmax => format!("holds {found}; {ARGMAX}"),
            Self::Elements => {
                let fitting = match code.type_char() {
                    TypeChar::Bool => "x.astype('uint8') makes it",
                    TypeChar::Int => "x.astype('int32') makes it where its numbers fit",
                    TypeChar::Uint => "x.astype('uint32') makes it where its numbers fit",
                    TypeChar::Complex => "x.real.astype('float32') makes it of the real part",
                    _ => "x.astype('float32') makes it",
                };
                format!("holds {found}; {ELEMENTS}, as {fitting}")
            }
        }
    }
}

const ELEMENTS: &str = "float32, float16, bfloat16 ('<V2'), int32, uint32, int8 or uint8 is needed";

/// The numbers that an argmax is written in.
pub(crate) const ARGMAX: &str =
    "indices are int64, int32 or uint32, as a.astype('int64') makes them; taps uint8 or uint16";

/// NumPy's name of a type, if it is one of numbers, and its type string.
fn described(code: &TypeStr) -> String {
    let kind = match code.type_char() {
        TypeChar::Bool => return format!("bool ('{code}')"),
        TypeChar::Int => "int",
        TypeChar::Uint => "uint",
        TypeChar::Float => "float",
        TypeChar::Complex => "complex",
        _ => return format!("'{code}'"),
    };
    format!("{kind}{} ('{code}')", 8 * code.size_field())
}

impl Number {
    pub(crate) const F32: Self = Self::Element(Element::F32);
    pub(crate) const I32: Self = Self::Element(Element::I32);
    pub(crate) const U32: Self = Self::Element(Element::U32);
    pub(crate) const U8: Self = Self::Element(Element::U8);

    /// The type letter and width of each, as NumPy writes them. NumPy has no bfloat16: `ml_dtypes`
    /// and JAX save it as two bytes without a type, and nothing else that is two bytes wide is
    /// saved like that.
    const CODES: [(Self, &str); 9] = [
        (Self::Element(Element::F32), "f4"),
        (Self::Element(Element::F16), "f2"),
        (Self::Element(Element::BF16), "V2"),
        (Self::I32, "i4"),
        (Self::U32, "u4"),
        (Self::Element(Element::I8), "i1"),
        (Self::U8, "u1"),
        (Self::I64, "i8"),
        (Self::U16, "u2"),
    ];

    /// The number of a type string such as `<f4`, and whether its bytes are to be reversed here.
    pub(crate) fn parse(code: &TypeStr) -> Option<(Self, bool)> {
        let text = code.to_string();
        let (number, _) = Self::CODES.into_iter().find(|(_, own)| text.get(1..) == Some(own))?;
        let swapped = match code.endianness() {
            Endianness::Irrelevant => false,
            order => order != Endianness::of_machine(),
        };
        Some((number, swapped && number.bytes() > 1))
    }

    /// The type string, in this machine's byte order.
    pub(crate) fn code(self) -> String {
        let order = match self.bytes() {
            1 => Endianness::Irrelevant,
            _ => Endianness::of_machine(),
        };
        let code = Self::CODES.iter().find(|(number, _)| *number == self).map_or("", |(_, c)| c);
        format!("{}{code}", order.to_str())
    }

    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Element(element) => element.bytes(),
            Self::I64 => 8,
            Self::U16 => 2,
        }
    }

    /// NumPy's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Element(Element::F32) => "float32",
            Self::Element(Element::F16) => "float16",
            Self::Element(Element::BF16) => "bfloat16",
            Self::Element(Element::I32) => "int32",
            Self::Element(Element::U32) => "uint32",
            Self::Element(Element::I8) => "int8",
            Self::Element(Element::U8) => "uint8",
            Self::Element(other) => other.name(),
            Self::I64 => "int64",
            Self::U16 => "uint16",
        }
    }
}
