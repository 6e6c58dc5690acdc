//! Collects what is wrong with a request, field by field.

use domain::Invalid;

/// Every refused field of one request: its path and why.
#[derive(Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("{} fields were refused", .0.len())]
pub struct Fields(pub Vec<(String, Invalid)>);

impl Fields {
    pub fn one(name: impl Into<String>, invalid: Invalid) -> Self {
        Self(vec![(name.into(), invalid)])
    }

    /// The value, or `None` with the refusal noted.
    pub fn check<T>(&mut self, name: &str, parsed: Result<T, Invalid>) -> Option<T> {
        parsed.map_err(|invalid| self.0.push((name.to_owned(), invalid))).ok()
    }

    /// As [`Self::check`], for a field that must be there.
    pub fn required<R, T>(
        &mut self,
        name: &str,
        raw: Option<R>,
        parse: impl FnOnce(R) -> Result<T, Invalid>,
    ) -> Option<T> {
        let raw = self.check(name, raw.ok_or_else(|| Invalid::new("required", "is required")))?;
        self.check(name, parse(raw))
    }

    /// As [`Self::check`], for a field that may be absent or null.
    pub fn optional<R, T>(
        &mut self,
        name: &str,
        raw: Option<R>,
        parse: impl FnOnce(R) -> Result<T, Invalid>,
    ) -> Option<T> {
        raw.and_then(|raw| self.check(name, parse(raw)))
    }

    /// Every item of a list that is well, with the refusals of the others noted under their index.
    pub fn each<'a, R: 'a, T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = &'a R>,
        parse: impl Fn(&'a R) -> Result<T, Self>,
    ) -> Vec<T> {
        let mut parsed = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            match parse(item) {
                Ok(value) => parsed.push(value),
                Err(refused) => self.0.extend(refused.within(&format!("{name}[{index}]")).0),
            }
        }
        parsed
    }

    /// Puts the path of an enclosing value before every name.
    pub fn within(self, outer: &str) -> Self {
        Self(self.0.into_iter().map(|(name, why)| (format!("{outer}.{name}"), why)).collect())
    }

    /// The built value when nothing was refused.
    pub fn finish<T>(self, built: Option<T>) -> Result<T, Self> {
        match built {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self),
        }
    }
}
