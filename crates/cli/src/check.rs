//! The checks of `unpool verify`: cases with one right answer.

use unpool::Engine;
use unpool_vectors::Case;

pub(crate) trait Check {
    /// What a failure is called by.
    fn title(&self) -> String;

    /// What the engine does otherwise, if anything.
    fn check(&self, engine: &Engine) -> Result<(), String>;
}

impl Check for Case {
    fn title(&self) -> String {
        format!("{} ({})", self.name, self.source)
    }

    fn check(&self, engine: &Engine) -> Result<(), String> {
        Self::check(self, engine).map_err(|difference| difference.to_string())
    }
}
