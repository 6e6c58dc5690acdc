//! What went wrong, as a person would say it.

use std::fmt;

/// One sentence, and what was seen until then. `Debug` prints it as it is, because that is what a
/// failed `unwrap` shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure(String);

pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// `doing`: what was tried, in the infinitive.
    pub fn cannot(doing: impl fmt::Display, source: impl fmt::Display) -> Self {
        Self(format!("cannot {doing}: {source}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}
