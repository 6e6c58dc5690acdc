//! Which messages of a batch are done, judged as Lambda judges a function's answer.

use std::collections::HashSet;

use serde_json::Value;

/// What is to happen with a batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All but these are done.
    DoneExcept(HashSet<String>),
    /// Nothing is done; the text says why.
    NothingDone(String),
}

/// `ids` are the message ids of the batch. Without `ReportBatchItemFailures` any answer means
/// that all is done. With it, an answer that cannot be understood fails the whole batch: a
/// message delivered twice is better than one lost.
pub(super) fn judge(answer: &[u8], ids: &[&str], reports_item_failures: bool) -> Outcome {
    if !reports_item_failures || answer.is_empty() {
        return Outcome::DoneExcept(HashSet::new());
    }
    let answer: Value = match serde_json::from_slice(answer) {
        Ok(answer) => answer,
        Err(_) => return Outcome::NothingDone("the answer is not JSON".to_owned()),
    };
    let failures = match &answer {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::Object(fields) => fields.get("batchItemFailures").filter(|list| !list.is_null()),
        _ => return Outcome::NothingDone("the answer is not a batch response".to_owned()),
    };
    let Some(failures) = failures else { return Outcome::DoneExcept(HashSet::new()) };
    let Some(failures) = failures.as_array() else {
        return Outcome::NothingDone("batchItemFailures is not a list".to_owned());
    };
    let mut failed = HashSet::new();
    for failure in failures {
        match failure.get("itemIdentifier").and_then(Value::as_str) {
            Some(id) if ids.contains(&id) => failed.insert(id.to_owned()),
            _ => {
                let text = "an itemIdentifier is not a message of the batch";
                return Outcome::NothingDone(text.to_owned());
            }
        };
    }
    Outcome::DoneExcept(failed)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Outcome, judge};

    const IDS: [&str; 2] = ["a", "b"];

    fn all_done() -> Outcome {
        Outcome::DoneExcept(HashSet::new())
    }

    #[test]
    fn an_answer_without_failures_means_that_all_is_done() {
        for answer in [
            "",
            "null",
            "\"\"",
            "{}",
            r#"{"batchItemFailures":null}"#,
            r#"{"batchItemFailures":[]}"#,
        ] {
            assert_eq!(judge(answer.as_bytes(), &IDS, true), all_done(), "{answer}");
        }
    }

    #[test]
    fn only_the_reported_message_stays() {
        let answer = br#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#;
        let expected = Outcome::DoneExcept(HashSet::from(["b".to_owned()]));
        assert_eq!(judge(answer, &IDS, true), expected);
    }

    #[test]
    fn an_answer_that_cannot_be_understood_fails_the_whole_batch() {
        for answer in [
            "not json",
            "[]",
            "7",
            "\"text\"",
            r#"{"batchItemFailures":"a"}"#,
            r#"{"batchItemFailures":["a"]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
            r#"{"batchItemFailures":[{"id":"a"}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"unknown"}]}"#,
        ] {
            let outcome = judge(answer.as_bytes(), &IDS, true);
            assert!(matches!(outcome, Outcome::NothingDone(_)), "{answer}: {outcome:?}");
        }
    }

    #[test]
    fn a_mapping_that_asks_for_no_report_ignores_one() {
        let answer = br#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#;
        assert_eq!(judge(answer, &IDS, false), all_done());
    }
}
