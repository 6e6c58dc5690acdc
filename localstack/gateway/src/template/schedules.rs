//! Rules of EventBridge that invoke a function every so often.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::functions::last_segment;
use super::resource::Resource;
use super::scope::Scope;
use crate::model::{Function, Schedule};

/// What a target may say besides; the gateway sends every target the same event.
const TARGET_KEYS: [&str; 2] = ["Arn", "Id"];

/// EventBridge's shortest rate is a minute; a year is longer than any gateway runs.
const MAX_MINUTES: u64 = 366 * 24 * 60;

pub(super) fn read(scope: &Scope<'_>, functions: &BTreeMap<String, Function>) -> Vec<Schedule> {
    let rules = scope.resources_of("AWS::Events::Rule");
    rules.iter().filter_map(|rule| schedule(rule, functions)).collect()
}

fn schedule(rule: &Resource<'_>, functions: &BTreeMap<String, Function>) -> Option<Schedule> {
    if rule.has("EventPattern") {
        rule.problem("EventPattern", "the gateway runs schedules only, no event patterns");
        return None;
    }
    let interval = interval(rule);
    let is_enabled = is_enabled(rule);
    let function = target(rule, functions);
    Some(Schedule {
        id: rule.id.to_owned(),
        arn: rule.scope.rule_arn(rule.id, &rule.at("Name"))?,
        interval: interval?,
        is_enabled: is_enabled?,
        function: function?,
    })
}

fn interval(rule: &Resource<'_>) -> Option<Duration> {
    let text = rule.required_text("ScheduleExpression")?;
    let parsed = rate(&text);
    if parsed.is_none() {
        let advice = "is no rate that the gateway knows, such as rate(1 minute), rate(5 minutes), \
                      rate(1 hour) or rate(2 days); like AWS it takes the singular for 1 only";
        rule.problem("ScheduleExpression", format!("{text} {advice}"));
    }
    parsed
}

/// `rate(5 minutes)`; EventBridge refuses `rate(1 minutes)` and `rate(5 minute)`, and so do we.
fn rate(text: &str) -> Option<Duration> {
    let (number, unit) = text.strip_prefix("rate(")?.strip_suffix(')')?.split_once(' ')?;
    if number.starts_with('+') {
        return None;
    }
    let number: u64 = number.parse().ok()?;
    let minutes = match (number, unit) {
        (1, "minute") | (2.., "minutes") => 1,
        (1, "hour") | (2.., "hours") => 60,
        (1, "day") | (2.., "days") => 24 * 60,
        _ => return None,
    };
    let minutes = number.checked_mul(minutes).filter(|minutes| *minutes <= MAX_MINUTES)?;
    Some(Duration::from_secs(minutes * 60))
}

fn is_enabled(rule: &Resource<'_>) -> Option<bool> {
    match rule.text("State").as_deref() {
        None | Some("ENABLED") => Some(true),
        Some("DISABLED") => Some(false),
        Some(other) => {
            rule.problem("State", format!("{other} is neither ENABLED nor DISABLED"));
            None
        }
    }
}

fn target(rule: &Resource<'_>, functions: &BTreeMap<String, Function>) -> Option<String> {
    let targets = rule.value("Targets").unwrap_or(Value::Null);
    let Some([target]) = targets.as_array().map(Vec::as_slice) else {
        rule.problem("Targets", "must be a list of exactly one target");
        return None;
    };
    let keys = target.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
    if let Some(unknown) = keys.into_iter().find(|key| !TARGET_KEYS.contains(key)) {
        let text = format!("{unknown}: the gateway sends the scheduled event as it is");
        rule.problem("Targets", text);
        return None;
    }
    let arn = target.get("Arn").and_then(Value::as_str).unwrap_or_default();
    let name = last_segment(arn);
    if !functions.contains_key(&name) {
        rule.problem("Targets", format!("leads nowhere: there is no function {name}"));
        return None;
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::rate;

    #[test]
    fn a_rate_is_a_number_and_a_unit_in_agreement() {
        let minutes = |minutes: u64| Some(Duration::from_secs(minutes * 60));
        assert_eq!(rate("rate(1 minute)"), minutes(1));
        assert_eq!(rate("rate(5 minutes)"), minutes(5));
        assert_eq!(rate("rate(1 hour)"), minutes(60));
        assert_eq!(rate("rate(3 hours)"), minutes(180));
        assert_eq!(rate("rate(2 days)"), minutes(2 * 24 * 60));
    }

    #[test]
    fn what_eventbridge_would_refuse_is_no_rate() {
        for text in [
            "",
            "rate()",
            "rate(0 minutes)",
            "rate(1 minutes)",
            "rate(5 minute)",
            "rate(-1 minutes)",
            "rate(+5 minutes)",
            "rate(1.5 hours)",
            "rate(5  minutes)",
            "rate(5 minutes",
            "rate(30 seconds)",
            "rate(99999999999999999999 minutes)",
            "rate(18446744073709551615 days)",
            "cron(0 12 * * ? *)",
            "5 minutes",
        ] {
            assert_eq!(rate(text), None, "{text}");
        }
    }
}
