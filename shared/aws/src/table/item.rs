//! Writing and reading attributes. What the table holds is checked like any other input.

use std::str::FromStr;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use service::port::Failure;

use super::{Attributes, WHAT};

pub(super) fn text(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

pub(super) fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn truth(value: bool) -> AttributeValue {
    AttributeValue::Bool(value)
}

/// In milliseconds.
pub(super) fn time(at: Timestamp) -> AttributeValue {
    number(at.unix_ms())
}

pub(super) fn millis(span: Duration) -> AttributeValue {
    number(i64::try_from(span.as_millis()).unwrap_or(i64::MAX))
}

/// When DynamoDB may collect the item: whole seconds, not before the time.
pub(super) fn expiry(at: Timestamp) -> AttributeValue {
    number(at.unix_seconds().saturating_add(1))
}

/// An item of ours that does not look like one. Names the kind of item, never its key or content.
#[derive(Debug, thiserror::Error)]
#[error("an item {kind}… of the table has no valid attribute {attribute:?}")]
struct Malformed {
    kind: &'static str,
    attribute: &'static str,
}

/// Reads the attributes of an item whose key starts with `kind`.
pub(super) struct Item<'a> {
    pub(super) kind: &'static str,
    pub(super) attributes: &'a Attributes,
}

impl Item<'_> {
    pub(super) fn malformed(&self, attribute: &'static str) -> Failure {
        Failure::bug(WHAT, Malformed { kind: self.kind, attribute })
    }

    pub(super) fn text<T: FromStr>(&self, attribute: &'static str) -> Result<T, Failure> {
        match self.attributes.get(attribute) {
            Some(AttributeValue::S(raw)) => raw.parse().map_err(|_| self.malformed(attribute)),
            _ => Err(self.malformed(attribute)),
        }
    }

    /// `None` when there is no such attribute.
    pub(super) fn optional_text<T: FromStr>(
        &self,
        attribute: &'static str,
    ) -> Result<Option<T>, Failure> {
        self.attributes.get(attribute).map(|_| self.text(attribute)).transpose()
    }

    pub(super) fn number(&self, attribute: &'static str) -> Result<i64, Failure> {
        match self.attributes.get(attribute) {
            Some(AttributeValue::N(raw)) => raw.parse().map_err(|_| self.malformed(attribute)),
            _ => Err(self.malformed(attribute)),
        }
    }

    pub(super) fn time(&self, attribute: &'static str) -> Result<Timestamp, Failure> {
        let at = Timestamp::from_unix_ms(self.number(attribute)?);
        at.ok_or_else(|| self.malformed(attribute))
    }

    /// `None` when there is no such attribute.
    pub(super) fn optional_time(
        &self,
        attribute: &'static str,
    ) -> Result<Option<Timestamp>, Failure> {
        self.attributes.get(attribute).map(|_| self.time(attribute)).transpose()
    }

    pub(super) fn truth(&self, attribute: &'static str) -> Result<bool, Failure> {
        match self.attributes.get(attribute) {
            Some(AttributeValue::Bool(truth)) => Ok(*truth),
            _ => Err(self.malformed(attribute)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use domain::UserId;

    use super::*;

    #[test]
    fn a_malformed_item_is_a_bug_that_names_its_kind_and_not_its_content() {
        let hostile = [
            ("user", AttributeValue::N("1".into())),
            ("user", AttributeValue::S("secret' OR 1=1".into())),
            ("since", AttributeValue::N("1e400".into())),
            ("since", AttributeValue::N("9223372036854775807".into())),
            ("active", AttributeValue::S("true".into())),
        ];
        for (name, value) in hostile {
            let attributes = Attributes::from([(name.to_owned(), value)]);
            let item = Item { kind: "C#", attributes: &attributes };
            let failures = [
                item.text::<UserId>("user").err(),
                item.time("since").err(),
                item.truth("active").err(),
            ];
            for failure in failures {
                let failure = failure.expect("nothing here is valid");
                assert!(matches!(failure, Failure::Bug { .. }));
                let said = failure.source().expect("a source").to_string();
                assert!(said.contains("C#") && !said.contains("secret"), "{said}");
            }
        }
    }
}
