//! One conversation on one device: its cursor, its transcript, its outbox.

use std::collections::{BTreeMap, VecDeque};

use protocol::body::ChangeList;
use protocol::frame::Messages;
use protocol::value::{Message, MessageDraft};
use uuid::Uuid;

use crate::client::text_draft;

/// A push may overtake another by this much before it counts as a gap.
const GAP_PATIENCE_MS: u64 = 500;
/// A frame without an answer is said again.
const ANSWER_PATIENCE_MS: u64 = 10_000;
/// An accepted message that nobody pushes is looked for, then said again.
const PUSH_PATIENCE_MS: u64 = 30_000;
const FETCH_RETRY_MS: u64 = 1_000;
/// Of the protocol.
const MESSAGES_PER_FRAME: usize = 10;
/// Leaves room for the envelope and for escapes within 30,720 bytes.
const TEXT_BYTES_PER_FRAME: usize = 12_000;
/// Pushes that wait for an earlier one; more are fetched instead.
const HELD_MOST: usize = 200;

/// A message that a person wrote here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    pub client_id: Uuid,
    pub text: String,
}

#[derive(Debug)]
struct InFlight {
    frame_id: Uuid,
    posts: Vec<Post>,
    since: u64,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Fetch {
    #[default]
    Idle,
    At(u64),
    Running,
}

#[derive(Debug, Default)]
pub struct Room {
    cursor: i64,
    /// In the order of rendering.
    rendered: Vec<Message>,
    held: Vec<Messages>,
    gap_since: Option<u64>,
    fetch: Fetch,
    outbox: VecDeque<Post>,
    not_before: u64,
    in_flight: Option<InFlight>,
    /// Accepted, and not seen in history yet.
    unseen: BTreeMap<Uuid, (Post, u64)>,
    refusals: BTreeMap<Uuid, String>,
}

impl Room {
    pub fn cursor(&self) -> i64 {
        self.cursor
    }

    pub fn rendered(&self) -> &[Message] {
        &self.rendered
    }

    pub fn refusals(&self) -> &BTreeMap<Uuid, String> {
        &self.refusals
    }

    pub fn unaccepted(&self) -> usize {
        let in_flight = self.in_flight.as_ref().map_or(0, |frame| frame.posts.len());
        self.outbox.len() + in_flight
    }

    pub fn unsettled(&self) -> usize {
        self.unaccepted() + self.unseen.len()
    }

    pub fn post(&mut self, post: Post) {
        self.outbox.push_back(post);
    }

    /// A fetch under way may have begun too early to see what this one is for, so it is repeated.
    pub fn fetch_at(&mut self, at: u64) {
        self.fetch = match self.fetch {
            Fetch::At(earlier) => Fetch::At(earlier.min(at)),
            Fetch::Idle | Fetch::Running => Fetch::At(at),
        };
    }

    pub fn pushed(&mut self, messages: Messages, me: Uuid, now: u64) {
        if self.held.len() < HELD_MOST {
            self.held.push(messages);
        }
        self.settle(me, now);
    }

    /// `after ≤ cursor < through` is news, `through ≤ cursor` was known, the rest waits.
    fn settle(&mut self, me: Uuid, now: u64) {
        self.held.sort_by_key(|frame| frame.after);
        while self.held.first().is_some_and(|frame| frame.after <= self.cursor) {
            let frame = self.held.remove(0);
            if frame.through > self.cursor {
                frame.messages.into_iter().for_each(|message| self.apply(message, me));
                self.cursor = frame.through;
            } else {
                // A repeat: it may be the confirmation that was asked for again.
                frame.messages.iter().for_each(|message| self.confirm(message, me));
            }
        }
        self.gap_since = if self.held.is_empty() { None } else { self.gap_since.or(Some(now)) };
    }

    fn apply(&mut self, message: Message, me: Uuid) {
        if message.rev <= self.cursor {
            return;
        }
        self.confirm(&message, me);
        match self.rendered.iter_mut().find(|known| known.seq == message.seq) {
            Some(known) => *known = message,
            None => self.rendered.push(message),
        }
    }

    /// Seeing one's own message is better than its acceptance.
    fn confirm(&mut self, message: &Message, me: Uuid) {
        if message.sender_id == me {
            self.forget(message.client_id);
        }
    }

    fn forget(&mut self, client_id: Uuid) {
        self.unseen.remove(&client_id);
        self.outbox.retain(|post| post.client_id != client_id);
        if let Some(frame) = &mut self.in_flight {
            frame.posts.retain(|post| post.client_id != client_id);
            if frame.posts.is_empty() {
                self.in_flight = None;
            }
        }
    }

    pub fn fetched(&mut self, changes: ChangeList, me: Uuid, now: u64) {
        if self.fetch == Fetch::Running {
            self.fetch = Fetch::Idle;
        }
        changes.items.into_iter().for_each(|message| self.apply(message, me));
        self.cursor = self.cursor.max(changes.through);
        if changes.has_more {
            self.fetch_at(now);
        }
        self.gap_since = None;
        self.settle(me, now);
    }

    pub fn fetch_failed(&mut self, now: u64) {
        self.fetch = Fetch::At(now + FETCH_RETRY_MS);
    }

    pub fn accepted(&mut self, client_ids: &[Uuid], now: u64) {
        let is_all =
            |frame: &mut InFlight| frame.posts.iter().all(|p| client_ids.contains(&p.client_id));
        let Some(frame) = self.in_flight.take_if(is_all) else { return };
        for post in frame.posts {
            self.unseen.insert(post.client_id, (post, now));
        }
    }

    pub fn refused(&mut self, client_id: Uuid, code: &str) {
        self.forget(client_id);
        self.refusals.insert(client_id, code.to_owned());
    }

    pub fn is_in_flight(&self, frame_id: Uuid) -> bool {
        self.in_flight.as_ref().is_some_and(|frame| frame.frame_id == frame_id)
    }

    pub fn refuse_all_in_flight(&mut self, code: &str) {
        for post in self.in_flight.take().into_iter().flat_map(|frame| frame.posts) {
            self.refused(post.client_id, code);
        }
    }

    /// What is in flight is not any more; it is said again from then on, in its place.
    pub fn take_back(&mut self, not_before: u64) {
        let Some(frame) = self.in_flight.take() else { return };
        frame.posts.into_iter().rev().for_each(|post| self.outbox.push_front(post));
        self.not_before = not_before;
    }

    /// Looks for patience that has run out.
    pub fn watch(&mut self, now: u64) {
        if self.gap_since.is_some_and(|since| now >= since + GAP_PATIENCE_MS) {
            self.gap_since = Some(now);
            self.fetch_at(now);
        }
        if self.in_flight.as_ref().is_some_and(|frame| now >= frame.since + ANSWER_PATIENCE_MS) {
            self.take_back(now);
        }
        let is_late = |since: &u64| now >= since + PUSH_PATIENCE_MS;
        let late: Vec<_> =
            self.unseen.values().filter(|(_, since)| is_late(since)).cloned().collect();
        if !late.is_empty() {
            self.fetch_at(now);
        }
        for (post, _) in late {
            self.unseen.remove(&post.client_id);
            self.outbox.push_front(post);
        }
    }

    pub fn take_fetch(&mut self, now: u64) -> Option<i64> {
        let is_due = matches!(self.fetch, Fetch::At(at) if now >= at);
        is_due.then(|| {
            self.fetch = Fetch::Running;
            self.cursor
        })
    }

    /// The next frame's messages, if none is in flight.
    pub fn take_off(&mut self, frame_id: Uuid, now: u64) -> Option<Vec<MessageDraft>> {
        if self.in_flight.is_some() || self.outbox.is_empty() || now < self.not_before {
            return None;
        }
        let mut posts: Vec<Post> = Vec::new();
        let mut bytes = 0;
        while let Some(next) = self.outbox.front() {
            bytes += next.text.len();
            let is_full = posts.len() == MESSAGES_PER_FRAME || bytes > TEXT_BYTES_PER_FRAME;
            if is_full && !posts.is_empty() {
                break;
            }
            posts.extend(self.outbox.pop_front());
        }
        let drafts = posts.iter().map(|post| text_draft(post.client_id, &post.text)).collect();
        self.in_flight = Some(InFlight { frame_id, posts, since: now });
        Some(drafts)
    }
}
