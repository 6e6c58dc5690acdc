//! What went wrong, as a person would say it.

use std::fmt;

/// One sentence, and what was seen until then. `Debug` prints it as it is, because that is what a
/// failed `unwrap` shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure {
    text: String,
    is_undocumented: bool,
}

pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_undocumented: false }
    }

    /// The system said something that the documents do not describe.
    pub fn undocumented(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_undocumented: true }
    }

    pub fn is_undocumented(&self) -> bool {
        self.is_undocumented
    }

    /// `doing`: what was tried, in the infinitive.
    pub fn cannot(doing: impl fmt::Display, source: impl fmt::Display) -> Self {
        Self::new(format!("cannot {doing}: {source}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Failure {}
