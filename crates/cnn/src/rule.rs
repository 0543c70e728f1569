//! The three rules of looking back, which differ at ReLU.

/// How looking back passes a ReLU: as the gradient does, or by one of two rules that differ from the
/// gradient at ReLU only.
///
/// With `x` the input of the ReLU and `r` the signal that comes back:
///
/// | rule | passes `r` where |
/// |---|---|
/// | gradient | `x > 0` |
/// | deconvnet | `r > 0` |
/// | guided | `x > 0` and `r > 0` |
///
/// `Clip` with a lower bound of 0 is a ReLU with a ceiling (MobileNet's ReLU6) and follows the
/// rule too; every other function has its own gradient under all three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Backpropagation (Simonyan, Vedaldi and Zisserman 2014): exactly the gradient.
    Gradient,
    /// Zeiler and Fergus 2013.
    Deconvnet,
    /// Springenberg, Dosovitskiy, Brox and Riedmiller 2014.
    Guided,
}

impl Rule {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Gradient, Self::Deconvnet, Self::Guided];

    /// `gradient`, `deconvnet` or `guided`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gradient => "gradient",
            Self::Deconvnet => "deconvnet",
            Self::Guided => "guided",
        }
    }
}
