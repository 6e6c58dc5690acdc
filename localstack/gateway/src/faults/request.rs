//! A rule as it is posted, and what is said of a bad one.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;
use serde_json::error::Category;
use serde_json::{Map, Value};

use super::kind::{DisconnectFault, Fault, FrameFault, FunctionFault, KillPoint, PushFault};

/// Nothing is held back longer than this.
const MAX_MS: u64 = 60_000;

/// How often sockets may be cut, at most and at least.
const MIN_EVERY_MS: u64 = 10;
const MAX_EVERY_MS: u64 = 3_600_000;

/// Longer selectors select nothing.
const MAX_TEXT_BYTES: usize = 200;

/// A rule that is not taken, in a sentence for a person.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("{text}")]
pub struct Refusal {
    /// 400 for what is no JSON, 422 for what is no rule.
    pub(crate) status: u16,
    text: String,
}

impl Refusal {
    pub(super) fn of(text: &str) -> Self {
        Self { status: 422, text: text.to_owned() }
    }
}

/// A rule that is well-formed.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) name: String,
    pub(super) fault: Fault,
    pub(super) probability: f64,
    pub(super) times: Option<u64>,
    pub(super) skip: u64,
    pub(super) seed: Option<u64>,
    pub(super) connection_id: Option<String>,
    pub(super) frame_type: Option<String>,
    pub(super) function: Option<String>,
    pub(super) given: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    fault: String,
    probability: Option<f64>,
    times: Option<u64>,
    skip: Option<u64>,
    seed: Option<u64>,
    connection_id: Option<String>,
    frame_type: Option<String>,
    function: Option<String>,
    ms: Option<u64>,
    status: Option<u16>,
    every_ms: Option<u64>,
    point: Option<Value>,
}

/// For every fault, its own fields besides `probability`, `times`, `skip` and `seed`.
const FAULTS: [(&str, &[&str]); 15] = [
    ("push.drop", &["connection_id", "frame_type"]),
    ("push.delay", &["connection_id", "frame_type", "ms"]),
    ("push.duplicate", &["connection_id", "frame_type"]),
    ("push.swap", &["connection_id", "frame_type"]),
    ("push.status", &["connection_id", "frame_type", "status"]),
    ("frame.drop", &["connection_id", "frame_type"]),
    ("frame.delay", &["connection_id", "frame_type", "ms"]),
    ("frame.duplicate", &["connection_id", "frame_type"]),
    ("frame.swap", &["connection_id", "frame_type"]),
    ("answer.drop", &["connection_id", "frame_type"]),
    ("socket.cut", &["connection_id", "every_ms"]),
    ("disconnect.skip", &["connection_id"]),
    ("disconnect.delay", &["connection_id", "ms"]),
    ("function.kill", &["function", "point"]),
    ("function.error", &["function"]),
];

const COMMON: [&str; 5] = ["fault", "probability", "times", "skip", "seed"];

pub(super) fn read(json: &[u8], functions: &BTreeSet<String>) -> Result<Request, Refusal> {
    let wrong = |error: serde_json::Error| Refusal {
        status: if error.classify() == Category::Data { 422 } else { 400 },
        text: format!("the rule cannot be read: {error}"),
    };
    let given: Map<String, Value> = serde_json::from_slice(json).map_err(wrong)?;
    let fields: Fields = serde_json::from_slice(json).map_err(wrong)?;
    only_its_own(&fields.fault, &given)?;
    let probability = fields.probability.unwrap_or(1.0);
    if !(0.0..=1.0).contains(&probability) {
        return Err(Refusal::of("probability must be from 0 to 1"));
    }
    if fields.times == Some(0) {
        return Err(Refusal::of("times must be at least 1; without it the rule fires without end"));
    }
    for (name, text) in
        [("connection_id", &fields.connection_id), ("frame_type", &fields.frame_type)]
    {
        if text.as_ref().is_some_and(|text| text.is_empty() || text.len() > MAX_TEXT_BYTES) {
            return Err(Refusal::of(&format!("{name} must have 1 to {MAX_TEXT_BYTES} bytes")));
        }
    }
    let fault = fault(&fields)?;
    if matches!(fault, Fault::Function(_)) {
        known_function(fields.function.as_deref(), functions)?;
    }
    Ok(Request {
        name: fields.fault,
        fault,
        probability,
        times: fields.times,
        skip: fields.skip.unwrap_or(0),
        seed: fields.seed,
        connection_id: fields.connection_id,
        frame_type: fields.frame_type,
        function: fields.function,
        given,
    })
}

fn only_its_own(name: &str, given: &Map<String, Value>) -> Result<(), Refusal> {
    let Some((_, own)) = FAULTS.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = FAULTS.iter().map(|(known, _)| *known).collect();
        return Err(Refusal::of(&format!("fault must be one of {}", known.join(", "))));
    };
    let is_known = |field: &str| COMMON.contains(&field) || own.contains(&field);
    match given.keys().find(|field| !is_known(field)) {
        Some(field) => {
            let own = own.join(", ");
            Err(Refusal::of(&format!("{name} knows no {field}; its own fields are {own}")))
        }
        None => Ok(()),
    }
}

fn known_function(name: Option<&str>, functions: &BTreeSet<String>) -> Result<(), Refusal> {
    let known = || functions.iter().map(String::as_str).collect::<Vec<&str>>().join(", ");
    match name {
        Some(name) if functions.contains(name) => Ok(()),
        Some(name) => {
            Err(Refusal::of(&format!("there is no function {name}; there are {}", known())))
        }
        None => Err(Refusal::of("function is missing")),
    }
}

fn fault(fields: &Fields) -> Result<Fault, Refusal> {
    let delay = || milliseconds("ms", fields.ms, 1, MAX_MS);
    Ok(match fields.fault.as_str() {
        "push.drop" => Fault::Push(PushFault::Drop),
        "push.delay" => Fault::Push(PushFault::Delay(delay()?)),
        "push.duplicate" => Fault::Push(PushFault::Duplicate),
        "push.swap" => Fault::Push(PushFault::Swap),
        "push.status" => Fault::Push(PushFault::Status(status(fields.status)?)),
        "frame.drop" => Fault::Frame(FrameFault::Drop),
        "frame.delay" => Fault::Frame(FrameFault::Delay(delay()?)),
        "frame.duplicate" => Fault::Frame(FrameFault::Duplicate),
        "frame.swap" => Fault::Frame(FrameFault::Swap),
        "answer.drop" => Fault::AnswerDrop,
        "socket.cut" => Fault::SocketCut { every: every(fields.every_ms)? },
        "disconnect.skip" => Fault::Disconnect(DisconnectFault::Skip),
        "disconnect.delay" => Fault::Disconnect(DisconnectFault::Delay(delay()?)),
        "function.kill" => Fault::Function(FunctionFault::Kill(point(fields.point.as_ref())?)),
        // `only_its_own` has let no other name pass.
        _ => Fault::Function(FunctionFault::Error),
    })
}

fn milliseconds(name: &str, ms: Option<u64>, least: u64, most: u64) -> Result<Duration, Refusal> {
    match ms {
        Some(ms) if (least..=most).contains(&ms) => Ok(Duration::from_millis(ms)),
        _ => Err(Refusal::of(&format!("{name} must be a number from {least} to {most}"))),
    }
}

fn every(ms: Option<u64>) -> Result<Option<Duration>, Refusal> {
    let every = |ms| milliseconds("every_ms", Some(ms), MIN_EVERY_MS, MAX_EVERY_MS);
    ms.map(every).transpose()
}

fn status(status: Option<u16>) -> Result<u16, Refusal> {
    match status {
        Some(status @ (410 | 429 | 500)) => Ok(status),
        _ => Err(Refusal::of("status must be 410, 429 or 500")),
    }
}

fn point(point: Option<&Value>) -> Result<KillPoint, Refusal> {
    let wrong = || {
        Refusal::of(
            "point must be \"before\", \"after\", {\"delay_ms\": 1 to 60000} or {\"log\": a text}",
        )
    };
    match point.ok_or_else(wrong)? {
        Value::String(text) if text == "before" => Ok(KillPoint::Before),
        Value::String(text) if text == "after" => Ok(KillPoint::After),
        Value::Object(map) if map.len() == 1 => match map.iter().next() {
            Some((name, Value::String(text))) if name == "log" => match text.len() {
                1..=MAX_TEXT_BYTES => Ok(KillPoint::Log(text.clone())),
                _ => Err(wrong()),
            },
            Some((name, value)) if name == "delay_ms" => {
                milliseconds("delay_ms", value.as_u64(), 1, MAX_MS).map(KillPoint::Delay)
            }
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(json: &str) -> Refusal {
        let functions = ["send-message".to_owned()].into();
        read(json.as_bytes(), &functions).map(|request| request.fault).unwrap_err()
    }

    fn accepted(json: &str) -> Fault {
        let functions = ["send-message".to_owned()].into();
        read(json.as_bytes(), &functions).unwrap().fault
    }

    #[test]
    fn every_fault_can_be_asked_for() {
        for (name, own) in FAULTS {
            let field = |name: &&str| match *name {
                "ms" => "\"ms\":50".to_owned(),
                "status" => "\"status\":429".to_owned(),
                "every_ms" => "\"every_ms\":500".to_owned(),
                "point" => "\"point\":\"before\"".to_owned(),
                "function" => "\"function\":\"send-message\"".to_owned(),
                other => format!("\"{other}\":\"x\""),
            };
            let own: Vec<String> = own.iter().map(field).collect();
            accepted(&format!("{{\"fault\":\"{name}\",\"seed\":1,{}}}", own.join(",")));
        }
        let kill =
            |point| format!(r#"{{"fault":"function.kill","function":"send-message",{point}}}"#);
        let log = Fault::Function(FunctionFault::Kill(KillPoint::Log("stored".to_owned())));
        assert_eq!(accepted(&kill(r#""point":{"log":"stored"}"#)), log);
        let after = Duration::from_millis(20);
        let delay = Fault::Function(FunctionFault::Kill(KillPoint::Delay(after)));
        assert_eq!(accepted(&kill(r#""point":{"delay_ms":20}"#)), delay);
    }

    #[test]
    fn what_is_no_json_is_400_and_what_is_no_rule_is_422() {
        for broken in ["", "{", "not json", "{\"fault\":}", "\u{0}"] {
            assert_eq!(refusal(broken).status, 400, "{broken}");
        }
        let deep = format!("{{\"fault\":{}", "[".repeat(10_000));
        assert_eq!(refusal(&deep).status, 400);
        for (wrong, expected) in [
            ("[]", "expected a map"),
            ("{}", "missing field `fault`"),
            (r#"{"fault":"other"}"#, "fault must be one of push.drop, push.delay"),
            (r#"{"fault":7}"#, "expected a string"),
            (r#"{"fault":"push.drop","probability":1.5}"#, "from 0 to 1"),
            (r#"{"fault":"push.drop","probability":-0.1}"#, "from 0 to 1"),
            (r#"{"fault":"push.drop","probability":"1"}"#, "expected f64"),
            (r#"{"fault":"push.drop","times":0}"#, "at least 1"),
            (r#"{"fault":"push.drop","times":-1}"#, "expected u64"),
            (r#"{"fault":"push.drop","skip":1.5}"#, "expected u64"),
            (r#"{"fault":"push.drop","seed":18446744073709551616}"#, "expected u64"),
            (r#"{"fault":"push.drop","ms":5}"#, "push.drop knows no ms"),
            (r#"{"fault":"push.drop","surprise":5}"#, "surprise"),
            (r#"{"fault":"push.drop","connection_id":""}"#, "connection_id must have 1 to 200"),
            (r#"{"fault":"push.delay"}"#, "ms must be a number from 1 to 60000"),
            (r#"{"fault":"push.delay","ms":0}"#, "ms must be"),
            (r#"{"fault":"push.delay","ms":60001}"#, "ms must be"),
            (r#"{"fault":"push.status"}"#, "410, 429 or 500"),
            (r#"{"fault":"push.status","status":200}"#, "410, 429 or 500"),
            (r#"{"fault":"push.status","status":70000}"#, "expected u16"),
            (r#"{"fault":"socket.cut","every_ms":1}"#, "every_ms must be"),
            (r#"{"fault":"socket.cut","frame_type":"x"}"#, "socket.cut knows no frame_type"),
            (r#"{"fault":"function.error"}"#, "function is missing"),
            (r#"{"fault":"function.error","function":"rm"}"#, "there is no function rm"),
            (r#"{"fault":"function.kill","function":"send-message"}"#, "point must be"),
            (r#"{"fault":"function.kill","function":"send-message","point":"now"}"#, "point"),
            (r#"{"fault":"function.kill","function":"send-message","point":{"log":""}}"#, "point"),
            (
                r#"{"fault":"function.kill","function":"send-message","point":{"log":"a","b":1}}"#,
                "point must be",
            ),
            (
                r#"{"fault":"function.kill","function":"send-message","point":{"delay_ms":"1"}}"#,
                "delay_ms must be",
            ),
        ] {
            let refusal = refusal(wrong);
            assert_eq!(refusal.status, 422, "{wrong}");
            assert!(refusal.text.contains(expected), "{wrong}: {refusal}");
        }
    }
}
