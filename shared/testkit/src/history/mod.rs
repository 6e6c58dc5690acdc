//! The Postgres ports in memory.

mod accounts;
mod changes;
mod contacts;
mod conversations;
mod credentials;
mod erasure;
mod export;
mod feed;
mod groups;
mod invites;
mod messages;
mod people;
mod receipts;
mod traces;
mod two_factor;
mod upkeep;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{
    ClientId, ContactRequestId, Conversation, ConversationId, ConversationType, InviteId, Marks,
    Member, Message, Role, Seq, SessionId, Timestamp, TraceId, User, UserId,
};
use service::port::{AppendError, Clock, Failure, MembershipCopy, NewMailToken};
use service::{ContactRequest, Recipient};

use crate::ambient::FrozenClock;

/// Accounts, sessions, conversations and history, with the helping hands that tests need because
/// no port does these things yet, and with faults on demand.
pub struct FakeHistory {
    /// The database's own time.
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    users: BTreeMap<UserId, Account>,
    sessions: BTreeMap<SessionId, Session>,
    tokens: BTreeMap<String, Token>,
    rooms: BTreeMap<ConversationId, Room>,
    /// (who blocks, whom).
    blocks: BTreeSet<(UserId, UserId)>,
    /// Both ways.
    contacts: BTreeSet<(UserId, UserId)>,
    /// Those that wait.
    requests: BTreeMap<ContactRequestId, ContactRequest>,
    invites: BTreeMap<InviteId, invites::Kept>,
    /// Those that are worth something, by their digest.
    mail_tokens: BTreeMap<String, NewMailToken>,
    factors: BTreeMap<UserId, two_factor::Factor>,
    /// Membership changes whose copies nobody confirmed, and when they were.
    unconfirmed: BTreeMap<(ConversationId, UserId), (MembershipCopy, Timestamp)>,
    /// How often stragglers were looked for.
    sweeps: u64,
    /// In the order in which they were left.
    notes: Vec<traces::Note>,
    is_down: bool,
    poisoned: BTreeSet<ClientId>,
    unstorable: BTreeSet<ClientId>,
}

struct Account {
    user: User,
    password_hash: String,
    /// It is "deleted user" now.
    is_erased: bool,
}

struct Session {
    user_id: UserId,
    device_name: Option<String>,
    address: Option<String>,
    created_at: Timestamp,
    last_used_at: Timestamp,
    revoked_at: Option<Timestamp>,
}

struct Token {
    session_id: SessionId,
    expires_at: Timestamp,
    spent_at: Option<Timestamp>,
}

struct Room {
    /// `member_count` is not kept here but counted.
    conversation: Conversation,
    client_id: Option<ClientId>,
    active_at: Timestamp,
    seats: BTreeMap<UserId, Seat>,
    /// Ascending by seq.
    messages: Vec<Message>,
    /// What the database knows of each message besides.
    stamps: BTreeMap<Seq, Stamp>,
    /// Who reacted to which message with which emoji, in their order.
    reactors: BTreeMap<(Seq, String), BTreeMap<u64, UserId>>,
    /// The place of the last reaction in that order.
    reacted: u64,
    /// When it last changed, by the database's time.
    touched_at: Timestamp,
}

#[derive(Clone, Copy)]
struct Stamp {
    trace_id: Option<TraceId>,
    stored_at: Timestamp,
    /// The last change of the message, by the database's time.
    touched_at: Timestamp,
}

#[derive(Clone)]
struct Seat {
    role: Role,
    joined_seq: Seq,
    joined_at: Timestamp,
    marks: Marks,
    is_active: bool,
    /// By the database's time.
    changed_at: Timestamp,
    nudged: Nudged,
    muted_until: Option<Timestamp>,
    archived: bool,
    pinned: bool,
    /// The last message when they hid it.
    hidden_through: Option<Seq>,
}

#[derive(Clone, Copy, Default)]
struct Nudged {
    /// What was delivered to them when they were nudged last, and how often since it was that.
    delivered: Seq,
    count: u32,
    /// The last sweep that nudged them; the first sweep is 1.
    sweep: u64,
}

impl Seat {
    /// `now` is the database's time.
    fn new(role: Role, joined_seq: Seq, joined_at: Timestamp, now: Timestamp) -> Self {
        let marks = Marks { delivered: joined_seq, read: joined_seq };
        Self {
            role,
            joined_seq,
            joined_at,
            marks,
            is_active: true,
            changed_at: now,
            nudged: Nudged::default(),
            muted_until: None,
            archived: false,
            pinned: false,
            hidden_through: None,
        }
    }
}

impl Room {
    fn active(&self) -> impl Iterator<Item = (UserId, &Seat)> {
        self.seats.iter().filter(|(_, seat)| seat.is_active).map(|(id, seat)| (*id, seat))
    }

    fn seat_of(&self, user: UserId) -> Option<&Seat> {
        self.seats.get(&user).filter(|seat| seat.is_active)
    }

    /// Whether they hid it, and nothing was said since.
    fn is_hidden(&self, seat: &Seat) -> bool {
        let last = self.messages.last().map_or(Seq::ZERO, |message| message.seq);
        seat.hidden_through.is_some_and(|seq| last <= seq)
    }

    fn seen(&self) -> Conversation {
        let member_count = u32::try_from(self.active().count()).unwrap_or(u32::MAX);
        Conversation { member_count, ..self.conversation.clone() }
    }

    fn in_order_of_joining(&self) -> Vec<(UserId, &Seat)> {
        let mut members: Vec<_> = self.active().collect();
        members.sort_by_key(|(id, seat)| (seat.joined_at, *id));
        members
    }

    /// Takes the next number for a change at this time of the database.
    fn next_seq(&mut self, now: Timestamp) -> Seq {
        self.conversation.last_seq.0 += 1;
        self.touched_at = now;
        self.conversation.last_seq
    }

    fn place_of(&self, seq: Seq) -> Option<usize> {
        self.messages.binary_search_by_key(&seq, |message| message.seq).ok()
    }

    /// As the transaction that changes it sees them.
    fn recipients(&self) -> Vec<Recipient> {
        let of = |(user_id, seat): (_, &Seat)| Recipient { user_id, joined_seq: seat.joined_seq };
        self.active().map(of).collect()
    }
}

impl State {
    fn room_of(&self, user: UserId, id: ConversationId) -> Option<(&Room, &Seat)> {
        let room = self.rooms.get(&id)?;
        Some((room, room.seat_of(user)?))
    }

    /// Who has an account that is not erased.
    fn account(&self, user: UserId) -> Option<&Account> {
        self.users.get(&user).filter(|account| !account.is_erased)
    }

    /// Whether a block stands between them and the other one of a direct conversation.
    fn is_blocked(&self, user: UserId, id: ConversationId) -> bool {
        let room = self.rooms.get(&id).map(|room| (&room.conversation, &room.seats));
        room.is_some_and(|(conversation, seats)| {
            conversation.conversation_type == ConversationType::Direct
                && seats.keys().any(|other| self.is_block_between(user, *other))
        })
    }

    fn is_block_between(&self, one: UserId, other: UserId) -> bool {
        self.blocks.contains(&(one, other)) || self.blocks.contains(&(other, one))
    }
}

/// What a fake says when it was told to be down.
const TOLD_TO_BE_DOWN: &str = "told to be down";

impl Default for FakeHistory {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeHistory {
    /// Whose time stands still.
    pub fn new() -> Self {
        Self::with_clock(FrozenClock::new())
    }

    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    /// From now on every call fails as if nothing could be reached, or works again.
    pub fn set_down(&self, is_down: bool) {
        self.lock().is_down = is_down;
    }

    /// A batch with this message fails in an unknown way, until it is healed.
    pub fn poison(&self, client_id: ClientId) {
        self.lock().poisoned.insert(client_id);
    }

    pub fn heal(&self, client_id: ClientId) {
        self.lock().poisoned.remove(&client_id);
    }

    /// A batch with this message fails because its content cannot be stored.
    pub fn make_unstorable(&self, client_id: ClientId) {
        self.lock().unstorable.insert(client_id);
    }

    pub fn block(&self, blocker: UserId, blocked: UserId) {
        self.lock().blocks.insert((blocker, blocked));
    }

    /// Joins, or joins again, at the present end of the history.
    pub fn add_member(&self, id: ConversationId, user: UserId, now: Timestamp) {
        if let Some(room) = self.lock().rooms.get_mut(&id) {
            let last_seq = room.conversation.last_seq;
            let seat = Seat::new(Role::Member, last_seq, now, self.clock.now());
            room.seats.insert(user, seat);
        }
    }

    pub fn remove_member(&self, id: ConversationId, user: UserId) {
        let mut state = self.lock();
        let seats = state.rooms.get_mut(&id).map(|room| &mut room.seats);
        if let Some(seat) = seats.and_then(|seats| seats.get_mut(&user)) {
            seat.is_active = false;
            seat.changed_at = self.clock.now();
        }
    }

    /// Everybody who is in, as the others see them.
    pub fn active_members(&self, id: ConversationId) -> Vec<UserId> {
        let state = self.lock();
        let members = state.rooms.get(&id).map(Room::in_order_of_joining).unwrap_or_default();
        members.into_iter().map(|(user, _)| user).collect()
    }

    /// The whole history, whoever may see it.
    pub fn history(&self, id: ConversationId) -> Vec<Message> {
        self.lock().rooms.get(&id).map(|room| room.messages.clone()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, unless it was told to be down.
    fn reach(&self) -> Result<MutexGuard<'_, State>, Failure> {
        let state = self.lock();
        if state.is_down {
            return Err(Failure::unavailable("the database", TOLD_TO_BE_DOWN));
        }
        Ok(state)
    }

    fn reach_for_append(&self) -> Result<MutexGuard<'_, State>, AppendError> {
        self.reach().map_err(|failure| AppendError::Transient(Box::new(failure)))
    }
}

fn as_member(state: &State, user_id: UserId, seat: &Seat) -> Option<Member> {
    let user = &state.users.get(&user_id)?.user;
    Some(Member {
        user_id,
        username: user.username.clone(),
        display_name: user.display_name.clone(),
        role: seat.role,
        joined_at: seat.joined_at,
        joined_seq: seat.joined_seq,
    })
}
