//! Own messages of one conversation, from the keyboard to history.

use std::collections::{BTreeMap, VecDeque};

use protocol::frame::ErrorData;
use protocol::value::MessageDraft;
use uuid::Uuid;

use super::chance::Chance;

/// A frame without an answer is said again.
const ANSWER_PATIENCE_MS: u64 = 10_000;
/// An accepted message that nobody pushes is looked for, then said again.
const PUSH_PATIENCE_MS: u64 = 30_000;
/// The longest, when it vanished again and again.
const PUSH_PATIENCE_MOST_MS: u64 = 600_000;
/// After the first failure that does not say when to come again.
const RETRY_FIRST_MS: u64 = 500;
const RETRY_MOST_MS: u64 = 30_000;
/// A rejection that may be retried is, so often.
const REJECTIONS_MOST: u32 = 3;
/// Before a rejected message is tried again, times the number of its rejections.
const REJECTED_RETRY_MS: u64 = 2_000;
/// `internal` is an error of the server; so often it is taken for a passing one.
const INTERNAL_MOST: u32 = 5;
/// Of the protocol.
const MESSAGES_PER_FRAME: usize = 10;
/// 30,720 bytes less the envelope.
const DRAFT_BYTES_PER_FRAME: usize = 30_000;
/// More is refused: nobody writes so much offline by hand.
const POSTS_MOST: usize = 1_000;
/// Refusals that are kept for the screen.
const REFUSALS_MOST: usize = 1_000;

/// How far an own message has got that is not in history yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Not known to be in the queue.
    Waiting,
    /// Durable in the queue.
    Accepted,
}

/// An own message that is not in history yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    pub client_id: Uuid,
    pub draft: MessageDraft,
    pub stage: Stage,
}

#[derive(Debug, Clone)]
struct Post {
    client_id: Uuid,
    draft: MessageDraft,
    /// Place in the order of posting.
    number: u64,
    bytes: usize,
    rejections: u32,
    /// How often it was accepted and not seen.
    vanished: u32,
}

#[derive(Debug)]
struct InFlight {
    frame_id: Uuid,
    socket: u64,
    posts: Vec<Post>,
    since: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    No,
    /// For a fetch that is yet to begin.
    Wanted,
    /// A fetch began after that and is under way.
    Begun,
}

#[derive(Debug)]
struct Unseen {
    post: Post,
    since: u64,
    look: Look,
}

impl Unseen {
    /// When history is looked through for it. Twice as late each time: copies of what a slow lane
    /// has not stored yet would make it slower.
    fn look_at(&self) -> u64 {
        let doublings = self.post.vanished.min(10);
        self.since + (PUSH_PATIENCE_MS << doublings).min(PUSH_PATIENCE_MOST_MS)
    }
}

/// Keeps each message until its end is known, and the order in which they were posted.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    posted: u64,
    waiting: VecDeque<Post>,
    not_before: u64,
    /// In a row.
    failures: u32,
    in_flight: Option<InFlight>,
    /// Accepted, and not seen in history yet; in the order of posting.
    unseen: Vec<Unseen>,
    /// Rejected for now, with the time of the next try.
    rejected: Vec<(u64, Post)>,
    refusals: BTreeMap<Uuid, String>,
}

impl Outbox {
    /// A code when the message cannot be taken.
    pub(crate) fn post(
        &mut self,
        client_id: Uuid,
        draft: MessageDraft,
    ) -> Result<(), &'static str> {
        if self.everything().any(|(post, _)| post.client_id == client_id) {
            return Ok(());
        }
        if self.unsettled() >= POSTS_MOST {
            return Err("outbox_full");
        }
        let draft = MessageDraft { client_id: Some(client_id.to_string()), ..draft };
        let bytes = serde_json::to_string(&draft).map_or(usize::MAX, |text| text.len() + 1);
        if bytes > DRAFT_BYTES_PER_FRAME {
            return Err("frame_too_large");
        }
        self.posted += 1;
        let number = self.posted;
        self.waiting.push_back(Post {
            client_id,
            draft,
            number,
            bytes,
            rejections: 0,
            vanished: 0,
        });
        Ok(())
    }

    pub(crate) fn refusals(&self) -> &BTreeMap<Uuid, String> {
        &self.refusals
    }

    pub(crate) fn unaccepted(&self) -> usize {
        let in_flight = self.in_flight.as_ref().map_or(0, |frame| frame.posts.len());
        self.waiting.len() + in_flight + self.rejected.len()
    }

    pub(crate) fn unsettled(&self) -> usize {
        self.unaccepted() + self.unseen.len()
    }

    /// Everything without an end yet, in the order of posting.
    pub(crate) fn pending(&self) -> Vec<Pending> {
        let mut posts: Vec<_> = self.everything().collect();
        posts.sort_by_key(|(post, _)| post.number);
        let pending = |(post, stage): (&Post, Stage)| {
            let (client_id, draft) = (post.client_id, post.draft.clone());
            Pending { client_id, draft, stage }
        };
        posts.into_iter().map(pending).collect()
    }

    fn everything(&self) -> impl Iterator<Item = (&Post, Stage)> {
        let in_flight = self.in_flight.iter().flat_map(|frame| &frame.posts);
        let rejected = self.rejected.iter().map(|(_, post)| post);
        let unaccepted = in_flight.chain(&self.waiting).chain(rejected);
        let accepted = self.unseen.iter().map(|unseen| (&unseen.post, Stage::Accepted));
        accepted.chain(unaccepted.map(|post| (post, Stage::Waiting)))
    }

    /// Takes it out, wherever it is.
    fn take(&mut self, client_id: Uuid) -> Option<Post> {
        if let Some(at) = self.unseen.iter().position(|unseen| unseen.post.client_id == client_id) {
            return Some(self.unseen.remove(at).post);
        }
        if let Some(at) = self.waiting.iter().position(|post| post.client_id == client_id) {
            return self.waiting.remove(at);
        }
        if let Some(at) = self.rejected.iter().position(|(_, post)| post.client_id == client_id) {
            return Some(self.rejected.remove(at).1);
        }
        let frame = self.in_flight.as_mut()?;
        let at = frame.posts.iter().position(|post| post.client_id == client_id)?;
        let post = frame.posts.remove(at);
        if frame.posts.is_empty() {
            self.in_flight = None;
        }
        Some(post)
    }

    /// It is in history, which is better than its acceptance. `true`: it was waited for.
    pub(crate) fn seen(&mut self, client_id: Uuid) -> bool {
        let was_refused = self.refusals.remove(&client_id).is_some();
        self.take(client_id).is_some() || was_refused
    }

    /// Durable in the queue, whichever frame and socket it was. Answers those that were not before.
    pub(crate) fn accepted(&mut self, client_ids: &[Uuid], now: u64) -> Vec<Uuid> {
        let is_new = |id: &&Uuid| !self.unseen.iter().any(|unseen| unseen.post.client_id == **id);
        let new: Vec<Uuid> = client_ids.iter().filter(is_new).copied().collect();
        let posts: Vec<Post> = new.iter().filter_map(|id| self.take(*id)).collect();
        let accepted = posts.iter().map(|post| post.client_id).collect();
        let unseen = posts.into_iter().map(|post| Unseen { post, since: now, look: Look::No });
        self.unseen.extend(unseen);
        self.unseen.sort_by_key(|unseen| unseen.post.number);
        self.failures = 0;
        accepted
    }

    /// The end of it, without history.
    pub(crate) fn refuse(&mut self, client_id: Uuid, code: &str) {
        self.take(client_id);
        if self.refusals.len() >= REFUSALS_MOST {
            self.refusals.pop_first();
        }
        self.refusals.insert(client_id, code.to_owned());
    }

    /// `message.rejected`. `true`: that is its end.
    pub(crate) fn rejected(
        &mut self,
        client_id: Uuid,
        code: &str,
        retryable: bool,
        now: u64,
    ) -> bool {
        let Some(mut post) = self.take(client_id) else { return false };
        post.rejections += 1;
        if !retryable || post.rejections > REJECTIONS_MOST {
            self.refuse(client_id, code);
            return true;
        }
        self.rejected.push((now + REJECTED_RETRY_MS * u64::from(post.rejections), post));
        false
    }

    pub(crate) fn is_in_flight(&self, frame_id: Uuid) -> bool {
        self.in_flight.as_ref().is_some_and(|frame| frame.frame_id == frame_id)
    }

    pub(crate) fn is_in_flight_on(&self, socket: u64) -> bool {
        self.in_flight.as_ref().is_some_and(|frame| frame.socket == socket)
    }

    /// An `error` that answers the frame in flight. Answers what has thereby ended, and why.
    pub(crate) fn frame_failed(
        &mut self,
        error: &ErrorData,
        now: u64,
        chance: &mut Chance,
    ) -> Vec<(Uuid, String)> {
        if let Some(wait) = error.retry_after_ms {
            self.take_back(now.saturating_add(wait));
            return vec![];
        }
        let is_passing = error.code == "internal" && self.failures < INTERNAL_MOST;
        if is_passing || error.code == "unauthenticated" {
            self.take_back_after_failure(now, chance);
            return vec![];
        }
        let ids = self.in_flight.iter().flat_map(|frame| &frame.posts).map(|post| post.client_id);
        let named = |id: Uuid| {
            let mut items = error.items.iter().flatten();
            items.find(|item| item.client_id.as_deref() == Some(&id.to_string()))
        };
        let all: Vec<Uuid> = ids.collect();
        let mut ended: Vec<(Uuid, String)> =
            all.iter().filter_map(|id| named(*id).map(|item| (*id, item.code.clone()))).collect();
        if ended.is_empty() {
            ended = all.into_iter().map(|id| (id, error.code.clone())).collect();
        }
        ended.iter().for_each(|(id, code)| self.refuse(*id, code));
        self.take_back(now);
        ended
    }

    /// What is in flight is not any more; it is said again from then on, in its place.
    pub(crate) fn take_back(&mut self, not_before: u64) {
        let Some(frame) = self.in_flight.take() else { return };
        self.waiting.extend(frame.posts);
        self.sort_waiting();
        self.not_before = not_before;
    }

    /// Its socket has ended, and with it the hope for an answer.
    pub(crate) fn closed(&mut self, socket: u64, now: u64) {
        if self.is_in_flight_on(socket) {
            self.take_back(now);
        }
    }

    /// As [`Self::take_back`], later with each failure.
    pub(crate) fn take_back_after_failure(&mut self, now: u64, chance: &mut Chance) {
        self.failures = self.failures.saturating_add(1);
        let wait = chance.back_off(RETRY_FIRST_MS, RETRY_MOST_MS, self.failures);
        self.take_back(now + wait);
    }

    /// The socket on which a frame has no answer, for the second time at least, and since when.
    pub(crate) fn unanswered(&self, now: u64) -> Option<(u64, u64)> {
        let frame = self.in_flight.as_ref().filter(|_| self.failures > 0)?;
        (now >= frame.since + ANSWER_PATIENCE_MS).then_some((frame.socket, frame.since))
    }

    fn sort_waiting(&mut self) {
        self.waiting.make_contiguous().sort_by_key(|post| post.number);
    }

    /// Looks for patience that has run out. `true`: history is to be looked through.
    pub(crate) fn watch(&mut self, now: u64, chance: &mut Chance) -> bool {
        if self.in_flight.as_ref().is_some_and(|frame| now >= frame.since + ANSWER_PATIENCE_MS) {
            self.take_back_after_failure(now, chance);
        }
        let due = self.rejected.extract_if(.., |(at, _)| now >= *at).map(|(_, post)| post);
        self.waiting.extend(due);
        self.sort_waiting();
        let mut is_late = false;
        for unseen in &mut self.unseen {
            if unseen.look == Look::No && now >= unseen.look_at() {
                unseen.look = Look::Wanted;
                is_late = true;
            }
        }
        is_late
    }

    pub(crate) fn look_began(&mut self) {
        let wanted = self.unseen.iter_mut().filter(|unseen| unseen.look == Look::Wanted);
        wanted.for_each(|unseen| unseen.look = Look::Begun);
    }

    /// History was looked through to its end: what is still unseen is said again.
    pub(crate) fn look_ended(&mut self) {
        let begun = self.unseen.extract_if(.., |unseen| unseen.look == Look::Begun);
        self.waiting.extend(begun.map(|unseen| {
            let vanished = unseen.post.vanished.saturating_add(1);
            Post { vanished, ..unseen.post }
        }));
        self.sort_waiting();
    }

    /// The next frame's messages, if none is in flight.
    pub(crate) fn take_off(
        &mut self,
        socket: u64,
        now: u64,
        chance: &mut Chance,
    ) -> Option<(Uuid, Vec<MessageDraft>)> {
        if self.in_flight.is_some() || self.waiting.is_empty() || now < self.not_before {
            return None;
        }
        let mut posts: Vec<Post> = Vec::new();
        let mut bytes = 0;
        while let Some(next) = self.waiting.front() {
            bytes += next.bytes;
            let is_full = posts.len() == MESSAGES_PER_FRAME || bytes > DRAFT_BYTES_PER_FRAME;
            if is_full && !posts.is_empty() {
                break;
            }
            posts.extend(self.waiting.pop_front());
        }
        let drafts = posts.iter().map(|post| post.draft.clone()).collect();
        let frame_id = chance.id();
        self.in_flight = Some(InFlight { frame_id, socket, posts, since: now });
        Some((frame_id, drafts))
    }

    /// When something is to be done here next.
    pub(crate) fn wake(&self, is_online: bool) -> Option<u64> {
        let can_send = is_online && self.in_flight.is_none() && !self.waiting.is_empty();
        let send = can_send.then_some(self.not_before);
        let answer = self.in_flight.as_ref().map(|frame| frame.since + ANSWER_PATIENCE_MS);
        let unseen = self.unseen.iter().filter(|unseen| unseen.look == Look::No);
        let unseen = unseen.map(|unseen| unseen.look_at());
        let rejected = self.rejected.iter().map(|(at, _)| *at);
        send.into_iter().chain(answer).chain(unseen).chain(rejected).min()
    }
}
