//! A rule: which events it selects, and how it decides.

use serde_json::{Value, json};

use super::kind::Fault;
use super::request::Request;

#[derive(Debug)]
pub(super) struct Rule {
    id: u64,
    request: Request,
    seed: u64,
    dice: fastrand::Rng,
    matched: u64,
    fired: u64,
}

/// What a rule's selectors are compared with.
pub(super) struct Subject<'a> {
    connection: Option<&'a str>,
    types: &'a [&'a str],
    function: Option<&'a str>,
}

impl<'a> Subject<'a> {
    pub(super) fn of_socket(connection: &'a str, types: &'a [&'a str]) -> Self {
        Self { connection: Some(connection), types, function: None }
    }

    pub(super) fn of_function(function: &'a str) -> Self {
        Self { connection: None, types: &[], function: Some(function) }
    }
}

impl Rule {
    /// Without a seed its number is one, so that two rules do not roll the same.
    pub(super) fn new(id: u64, request: Request) -> Self {
        let seed = request.seed.unwrap_or(id);
        Self { id, request, seed, dice: fastrand::Rng::with_seed(seed), matched: 0, fired: 0 }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn fault(&self) -> &Fault {
        &self.request.fault
    }

    pub(super) fn selects(&self, subject: &Subject<'_>) -> bool {
        let Request { connection_id, frame_type, function, .. } = &self.request;
        let is_same = |wanted: &Option<String>, have: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| Some(wanted) == have)
        };
        is_same(connection_id, subject.connection)
            && is_same(function, subject.function)
            && frame_type.as_deref().is_none_or(|wanted| subject.types.contains(&wanted))
    }

    pub(super) fn is_used_up(&self) -> bool {
        self.request.times.is_some_and(|times| self.fired >= times)
    }

    /// Whether it happens to this event.
    pub(super) fn fires(&mut self, subject: &Subject<'_>) -> bool {
        if !self.selects(subject) {
            return false;
        }
        self.matched += 1;
        if self.matched <= self.request.skip || self.is_used_up() {
            return false;
        }
        // From 0 to below 1: certain at 1, impossible at 0.
        let fires = self.dice.f64() < self.request.probability;
        if fires {
            self.fired += 1;
            let (rule, fault) = (self.id, &self.request.name);
            let Subject { connection, function, .. } = subject;
            tracing::info!(rule, fault, connection_id = connection, function, "fault");
        }
        fires
    }

    /// As it was given, with what was left out, and what has come of it.
    pub(super) fn as_json(&self) -> Value {
        let mut json = self.request.given.clone();
        for (name, value) in [
            ("id", json!(self.id)),
            ("seed", json!(self.seed)),
            ("probability", json!(self.request.probability)),
            ("skip", json!(self.request.skip)),
            ("matched", json!(self.matched)),
            ("fired", json!(self.fired)),
        ] {
            json.insert(name.to_owned(), value);
        }
        Value::Object(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::request;

    fn rule(json: &Value) -> Rule {
        let functions = ["f".to_owned()].into();
        Rule::new(1, request::read(json.to_string().as_bytes(), &functions).unwrap())
    }

    fn decisions(rule: &mut Rule, count: usize) -> Vec<bool> {
        (0..count).map(|_| rule.fires(&Subject::of_socket("c", &["t"]))).collect()
    }

    #[test]
    fn the_same_seed_decides_alike_and_another_one_does_not() {
        let with = |seed: u64| json!({ "fault": "push.drop", "probability": 0.5, "seed": seed });
        let of = |seed| decisions(&mut rule(&with(seed)), 200);
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
        let fired = of(7).iter().filter(|fires| **fires).count();
        assert!((60..140).contains(&fired), "{fired}");
    }

    #[test]
    fn the_first_ones_are_skipped_and_the_number_is_kept() {
        let json = json!({ "fault": "push.drop", "skip": 2, "times": 3 });
        let mut rule = rule(&json);
        let expected = [false, false, true, true, true, false, false];
        assert_eq!(decisions(&mut rule, 7), expected);
        let listed = rule.as_json();
        assert_eq!([&listed["matched"], &listed["fired"]], [7, 3]);
        assert!(rule.is_used_up());
    }

    #[test]
    fn certain_and_impossible_are_what_they_say() {
        let with = |probability: f64| json!({ "fault": "push.drop", "probability": probability });
        assert!(decisions(&mut rule(&with(1.0)), 1000).iter().all(|fires| *fires));
        assert!(decisions(&mut rule(&with(0.0)), 1000).iter().all(|fires| !*fires));
    }

    #[test]
    fn selectors_must_all_fit() {
        let json = json!({ "fault": "push.drop", "connection_id": "c", "frame_type": "t" });
        let rule = rule(&json);
        assert!(rule.selects(&Subject::of_socket("c", &["other", "t"])));
        assert!(!rule.selects(&Subject::of_socket("c", &["other"])));
        assert!(!rule.selects(&Subject::of_socket("d", &["t"])));
        assert!(!rule.selects(&Subject::of_function("f")));
    }
}
