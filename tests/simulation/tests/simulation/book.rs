//! What really happened, written down where it happens, and looked at there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use client::core::Event as Shown;
use domain::{ClientId, ConversationId, Message, Rejection, Seq, UserId};
use protocol::value::Message as WireMessage;
use service::Event;
use service::port::{Commit, RaisedMarks, Submission, Verdict};
use uuid::Uuid;

use crate::check::{clients, live, pushes, storing};
use crate::device::Device;
use crate::gateway::short;
use crate::world::{World, lock};

/// More violations of one run tell nothing new.
const VIOLATIONS_MOST: usize = 20;

/// What names a message for ever.
pub type Key = (ConversationId, UserId, ClientId);

#[derive(Debug, Clone)]
pub struct Violation {
    pub invariant: u8,
    pub what: String,
    pub at_ms: u64,
}

/// From after this number to this one, if it has ended.
#[derive(Debug, Clone, Copy)]
pub struct Seat {
    pub joined: Seq,
    /// Where their marks began.
    pub marks: Seq,
    pub left: Option<Seq>,
}

#[derive(Debug, Default)]
pub struct Records {
    /// When each became durable in the queue.
    pub accepted: BTreeMap<Key, u64>,
    /// Which number each has in history.
    pub numbers: BTreeMap<Key, i64>,
    /// When each was first stored or rejected.
    pub ended: BTreeMap<Key, u64>,
    pub rejected: BTreeMap<Key, Rejection>,
    /// Every version of every message that was ever committed, by its rev.
    pub versions: BTreeMap<(ConversationId, i64), WireMessage>,
    pub last_seqs: BTreeMap<ConversationId, i64>,
    pub seats: BTreeMap<(ConversationId, UserId), Vec<Seat>>,
    /// Pairs that cannot write to each other any more.
    pub blocked: BTreeSet<ConversationId>,
    /// What each device posted, in its order.
    pub posted: BTreeMap<(usize, ConversationId), Vec<ClientId>>,
    /// The furthest cursor of any device of a person.
    pub applied: BTreeMap<(ConversationId, UserId), i64>,
    pub cursors: BTreeMap<(usize, Uuid), i64>,
    pub shown: BTreeSet<(usize, Uuid, i64)>,
    pub alarms: u64,
    /// Messages that were made to fail.
    pub bad: BTreeSet<ClientId>,
}

#[derive(Default)]
pub struct Book {
    records: Mutex<Records>,
    violations: Mutex<Vec<Violation>>,
}

impl Book {
    pub fn read<T>(&self, f: impl FnOnce(&Records) -> T) -> T {
        f(&lock(&self.records))
    }

    pub fn write<T>(&self, f: impl FnOnce(&mut Records) -> T) -> T {
        f(&mut lock(&self.records))
    }

    pub fn violate(&self, invariant: u8, what: String, at_ms: u64) {
        let mut violations = lock(&self.violations);
        if violations.len() < VIOLATIONS_MOST {
            violations.push(Violation { invariant, what, at_ms });
        }
    }

    pub fn violations(&self) -> Vec<Violation> {
        lock(&self.violations).clone()
    }

    pub fn is_violated(&self) -> bool {
        !lock(&self.violations).is_empty()
    }

    /// A frame is durable in the queue.
    pub fn accepted(&self, world: &World, submissions: &[Submission]) {
        let now = world.now_ms();
        for one in submissions {
            let again = self.write(|r| {
                let again = r.accepted.contains_key(&key(one));
                r.accepted.entry(key(one)).or_insert(now);
                again
            });
            if again {
                world.count("accepted again", "lane");
            }
        }
        world.lane_filled.notify_waiters();
        world.say(|| format!("accepted {}", names(submissions)));
    }

    /// A transaction of the persist lane has committed.
    pub fn committed(&self, world: &World, submissions: &[Submission], commit: &Commit) {
        let now = world.now_ms();
        for (one, appended) in submissions.iter().zip(&commit.appended) {
            let name = short(one.draft.client_id.0);
            match &appended.verdict {
                Verdict::Stored(message) => {
                    world.say(|| format!("stored {name} as {}", message.seq));
                    storing::i03_numbers_and_names_are_unique(world, message);
                    storing::i09_nothing_commits_after_removal(world, one);
                    self.version(world, message);
                }
                Verdict::Known(message) => {
                    world.count("known", "append");
                    world.say(|| format!("known {name} as {}", message.seq));
                }
                Verdict::Rejected(reason) => {
                    world.count("rejected", reason.code());
                    self.write(|r| r.rejected.insert(key(one), *reason));
                }
            }
            self.write(|r| *r.ended.entry(key(one)).or_insert(now));
        }
        let ids: BTreeSet<Key> = submissions.iter().map(key).collect();
        if ids.len() < submissions.len() {
            world.count("one client_id twice in a batch", "append");
        }
    }

    /// The database takes the content of this one message never.
    pub fn refused(&self, world: &World, submissions: &[Submission]) {
        if let [one] = submissions {
            world.count("rejected", "invalid_message");
            let now = world.now_ms();
            self.write(|r| {
                r.rejected.insert(key(one), Rejection::InvalidMessage);
                r.ended.entry(key(one)).or_insert(now);
            });
        }
    }

    /// A message was edited, deleted, reacted to or pinned.
    pub fn changed(&self, world: &World, message: &Message) {
        world.say(|| format!("changed {} with {}", message.seq, message.rev));
        self.version(world, message);
    }

    /// The server itself says that something of a group has changed.
    pub fn announced(&self, world: &World, message: &Message) {
        world.say(|| format!("told {}", message.seq));
        storing::i03_numbers_and_names_are_unique(world, message);
        self.version(world, message);
    }

    pub fn version(&self, world: &World, message: &Message) {
        storing::i04_numbers_are_given_in_their_order(world, message);
        self.write(|r| {
            let last = r.last_seqs.entry(message.conversation_id).or_default();
            *last = (*last).max(message.rev.0);
            r.versions.insert((message.conversation_id, message.rev.0), message.into());
        });
    }

    pub fn raised(&self, world: &World, marks: &RaisedMarks) {
        live::i07_marks_rise_and_tell_the_truth(world, marks);
    }

    /// A socket of this person has been told something.
    pub fn pushed(&self, world: &World, user: UserId, event: &Event) {
        pushes::i02_nothing_is_told_before_it_is_history(world, event);
        pushes::i09_nobody_is_told_of_before_or_after_their_time(world, user, event);
        pushes::i14_a_push_reaches_only_its_people(world, user, event);
    }

    /// A device has done a step.
    pub fn stepped(&self, world: &World, device: &Device) {
        let (events, cursors) = {
            let mut core = lock(&device.core);
            let ids: Vec<Uuid> = core.conversations().map(|(id, _)| id).collect();
            let cursors: Vec<_> = ids.into_iter().map(|id| (id, core.cursor(id))).collect();
            (core.take_events(), cursors)
        };
        for event in events {
            if let Shown::Shown { conversation, seq } = event {
                clients::i12_nothing_is_shown_twice(world, device, conversation, seq);
            }
        }
        for (id, cursor) in cursors {
            clients::i07_cursors_never_go_back(world, device, id, cursor);
            self.write(|r| {
                r.cursors.insert((device.index, id), cursor);
                let applied = r.applied.entry((ConversationId(id), device.user())).or_default();
                *applied = (*applied).max(cursor);
            });
        }
    }
}

pub fn key(one: &Submission) -> Key {
    (one.conversation_id, one.sender_id, one.draft.client_id)
}

fn names(submissions: &[Submission]) -> String {
    let names = submissions.iter().map(|one| short(one.draft.client_id.0));
    names.collect::<Vec<_>>().join(" ")
}
