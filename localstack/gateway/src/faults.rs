//! A test mode that breaks things on purpose: rules say what goes wrong, where and how often.
//!
//! Without `--faults` no rule can be added, and every question here is one look at a flag. A rule
//! decides by its own dice with its own seed, so the same events in the same order meet the same
//! faults. When several rules select an event, the first one that fires decides.

mod kind;
mod request;
mod rule;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(crate) use kind::{DisconnectFault, Fault, FrameFault, FunctionFault, KillPoint, PushFault};
pub use request::Refusal;
use rule::{Rule, Subject};

/// More rules than this are a mistake, and each one is looked at for each event.
const MAX_RULES: usize = 100;

/// Messages that rules hold back at one time; further ones go their way unharmed.
const MAX_HELD_BACK: usize = 4096;

#[derive(Debug)]
pub struct Faults {
    /// `None`: this gateway breaks nothing.
    functions: Option<BTreeSet<String>>,
    /// Whether there is any rule at all.
    armed: AtomicBool,
    rules: Mutex<Rules>,
    held_back: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Rules {
    all: Vec<Rule>,
    last_id: u64,
}

impl Default for Faults {
    /// None, and none can be added.
    fn default() -> Self {
        Self {
            functions: None,
            armed: AtomicBool::new(false),
            rules: Mutex::default(),
            held_back: Arc::new(Semaphore::new(MAX_HELD_BACK)),
        }
    }
}

impl Faults {
    /// Rules can be added; those about functions may name only these.
    pub fn allowed(functions: impl Iterator<Item = String>) -> Self {
        Self { functions: Some(functions.collect()), ..Self::default() }
    }

    pub(crate) fn is_allowed(&self) -> bool {
        self.functions.is_some()
    }

    /// The one check of the hot path.
    pub(crate) fn is_armed(&self) -> bool {
        self.armed.load(Ordering::Relaxed)
    }

    /// Adds a rule and returns its number.
    ///
    /// # Errors
    /// The rule is malformed, or there are too many, or no rules are allowed.
    pub fn add(&self, json: &[u8]) -> Result<u64, Refusal> {
        let known = self.functions.as_ref();
        let known = known.ok_or_else(|| Refusal::of("this gateway runs without --faults"))?;
        let request = request::read(json, known)?;
        let mut rules = self.lock();
        if rules.all.len() >= MAX_RULES {
            return Err(Refusal::of(&format!("there are {MAX_RULES} rules already; DELETE some")));
        }
        rules.last_id += 1;
        let id = rules.last_id;
        rules.all.push(Rule::new(id, request));
        self.armed.store(true, Ordering::Relaxed);
        Ok(id)
    }

    /// `false` if there is no such rule.
    pub fn remove(&self, id: u64) -> bool {
        let mut rules = self.lock();
        let before = rules.all.len();
        rules.all.retain(|rule| rule.id() != id);
        self.armed.store(!rules.all.is_empty(), Ordering::Relaxed);
        rules.all.len() < before
    }

    /// From here on everything works. What is held back comes when its time is over.
    pub fn clear(&self) {
        let mut rules = self.lock();
        rules.all.clear();
        self.armed.store(false, Ordering::Relaxed);
    }

    /// Every rule with how often it was asked and how often it fired.
    pub fn as_json(&self) -> Value {
        json!({ "rules": self.lock().all.iter().map(Rule::as_json).collect::<Vec<Value>>() })
    }

    /// For a message to a client.
    pub(crate) fn push(&self, connection: &str, text: &str) -> Option<PushFault> {
        if !self.is_armed() {
            return None;
        }
        let kind = frame_type(text).unwrap_or_default();
        let types = [kind.as_str()];
        self.decide(&Subject::of_socket(connection, &types), |fault| match fault {
            Fault::Push(push) => Some(*push),
            _ => None,
        })
    }

    /// For a client's frame, by its route's key and its own type.
    pub(crate) fn frame(&self, connection: &str, types: &[&str]) -> Option<FrameFault> {
        self.decide(&Subject::of_socket(connection, types), |fault| match fault {
            Fault::Frame(frame) => Some(*frame),
            _ => None,
        })
    }

    /// Whether the answer to a client's frame is lost; `types` are the frame's.
    pub(crate) fn drops_answer(&self, connection: &str, types: &[&str]) -> bool {
        let subject = Subject::of_socket(connection, types);
        self.decide(&subject, |fault| matches!(fault, Fault::AnswerDrop).then_some(())).is_some()
    }

    pub(crate) fn disconnect(&self, connection: &str) -> Option<DisconnectFault> {
        self.decide(&Subject::of_socket(connection, &[]), |fault| match fault {
            Fault::Disconnect(disconnect) => Some(*disconnect),
            _ => None,
        })
    }

    pub(crate) fn is_cut(&self, id: u64) -> bool {
        let rules = self.lock();
        let mut ours = rules.all.iter().filter(|rule| rule.id() == id);
        ours.any(|rule| matches!(rule.fault(), Fault::SocketCut { .. }))
    }

    /// How often the rule cuts by itself: `None` if it does not, or not any more.
    pub(crate) fn cuts_every(&self, id: u64) -> Option<Duration> {
        let rules = self.lock();
        let rule = rules.all.iter().find(|rule| rule.id() == id && !rule.is_used_up())?;
        match rule.fault() {
            Fault::SocketCut { every } => *every,
            _ => None,
        }
    }

    /// Whether this one rule cuts this socket now.
    pub(crate) fn cuts(&self, id: u64, connection: &str) -> bool {
        let mut rules = self.lock();
        let rule = rules.all.iter_mut().find(|rule| rule.id() == id);
        rule.is_some_and(|rule| {
            matches!(rule.fault(), Fault::SocketCut { .. })
                && rule.fires(&Subject::of_socket(connection, &[]))
        })
    }

    /// For an event on its way to a function.
    pub(crate) fn function(&self, function: &str) -> Option<FunctionFault> {
        self.decide(&Subject::of_function(function), |fault| match fault {
            // Lines decide about these.
            Fault::Function(FunctionFault::Kill(KillPoint::Log(_))) => None,
            Fault::Function(fault) => Some(fault.clone()),
            _ => None,
        })
    }

    /// Whether a function that prints this line is killed for it.
    pub(crate) fn kills_at_line(&self, function: &str, line: &[u8]) -> bool {
        let kills = |fault: &Fault| match fault {
            Fault::Function(FunctionFault::Kill(KillPoint::Log(text))) => {
                line.windows(text.len()).any(|part| part == text.as_bytes()).then_some(())
            }
            _ => None,
        };
        self.decide(&Subject::of_function(function), kills).is_some()
    }

    /// Whether a line of this function may still kill it.
    pub(crate) fn watches_lines(&self, function: &str) -> bool {
        let watches = |rule: &Rule| {
            let is_log =
                matches!(rule.fault(), Fault::Function(FunctionFault::Kill(KillPoint::Log(_))));
            is_log && !rule.is_used_up() && rule.selects(&Subject::of_function(function))
        };
        self.is_armed() && self.lock().all.iter().any(watches)
    }

    /// A place to hold something back; `None` when too much is held back already.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.held_back).try_acquire_owned().ok()
    }

    fn decide<T>(&self, subject: &Subject<'_>, pick: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        if !self.is_armed() {
            return None;
        }
        let mut rules = self.lock();
        rules.all.iter_mut().find_map(|rule| {
            let fault = pick(rule.fault())?;
            rule.fires(subject).then_some(fault)
        })
    }

    /// A panic elsewhere leaves the rules whole: every change is one step.
    fn lock(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The `type` of a frame of ours.
pub(crate) fn frame_type(text: &str) -> Option<String> {
    let frame: Value = serde_json::from_str(text).ok()?;
    frame.get("type")?.as_str().map(str::to_owned)
}
