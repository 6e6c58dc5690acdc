//! What functions tell of their own usage: `{"message":"usage","usage":"{\"a.b\":1.5}"}` among
//! their log lines. The field is a text because log fields are.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A longer name is nobody's counter.
const MAX_NAME_BYTES: usize = 100;

/// Counters of one line.
const MAX_COUNTERS: usize = 50;

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    message: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    usage: std::borrow::Cow<'a, str>,
}

/// `None` for every line that is not about usage, or is about it in a form that is not ours.
pub(super) fn read(line: &[u8]) -> Option<BTreeMap<String, f64>> {
    let mark = br#""usage""#;
    if !line.windows(mark.len()).any(|window| window == mark) {
        return None;
    }
    let line: Line<'_> = serde_json::from_slice(line).ok()?;
    if line.message != "usage" {
        return None;
    }
    let counters: BTreeMap<String, f64> = serde_json::from_str(&line.usage).ok()?;
    let is_sound = |(name, amount): (&String, &f64)| {
        name.len() <= MAX_NAME_BYTES && amount.is_finite() && *amount >= 0.0
    };
    (counters.len() <= MAX_COUNTERS && counters.iter().all(is_sound)).then_some(counters)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_usage_line_is_read_among_its_other_fields() {
        let line = br#"{"timestamp":"t","level":"DEBUG","message":"usage",
            "usage":"{\"dynamodb.read_units\":1.5,\"sqs.requests\":1}","spans":[{"name":"s"}]}"#;
        let counters = read(line).unwrap();
        let expected = [("dynamodb.read_units".to_owned(), 1.5), ("sqs.requests".to_owned(), 1.0)];
        assert_eq!(counters, expected.into());
    }

    #[test]
    fn whatever_else_is_printed_is_no_usage() {
        let long = format!(r#"{{"message":"usage","usage":"{{\"{}\":1}}"}}"#, "x".repeat(101));
        for line in [
            "",
            "usage",
            "\"usage\"",
            r#"{"message":"usage"}"#,
            r#"{"message":"other","usage":"{\"a\":1}"}"#,
            r#"{"message":"usage","usage":{"a":1}}"#,
            r#"{"message":"usage","usage":"not json"}"#,
            r#"{"message":"usage","usage":"[1]"}"#,
            r#"{"message":"usage","usage":"{\"a\":\"1\"}"}"#,
            r#"{"message":"usage","usage":"{\"a\":-1}"}"#,
            r#"{"message":"usage","usage":"{\"a\":1e999}"}"#,
            r#"{"message":"usage","usage":"{\"a\":{\"b\":1}}"}"#,
            r#"{"message":"usage","usage":"{\"a\":1"#,
            &long,
        ] {
            assert_eq!(read(line.as_bytes()), None, "{line}");
        }
        assert_eq!(read(b"\"usage\"\xff\xfe"), None);
    }
}
