//! The Postgres ports in memory.

mod accounts;
mod conversations;
mod messages;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::{
    ClientId, Conversation, ConversationId, Member, Message, MessageText, Role, Seq, SessionId,
    Timestamp, User, UserId,
};
use service::port::{AppendError, Failure};

/// Accounts, sessions, conversations and history, with the helping hands that tests need because
/// no port does these things yet, and with faults on demand.
#[derive(Default)]
pub struct FakeHistory {
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
    is_down: bool,
    poisoned: BTreeSet<ClientId>,
    unstorable: BTreeSet<ClientId>,
}

struct Account {
    user: User,
    password_hash: String,
}

struct Session {
    user_id: UserId,
    is_revoked: bool,
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
}

#[derive(Clone)]
struct Seat {
    role: Role,
    joined_seq: Seq,
    joined_at: Timestamp,
    delivered: Seq,
    read: Seq,
    is_active: bool,
}

impl Seat {
    fn new(role: Role, joined_seq: Seq, joined_at: Timestamp) -> Self {
        let (delivered, read) = (joined_seq, joined_seq);
        Self { role, joined_seq, joined_at, delivered, read, is_active: true }
    }
}

impl Room {
    fn active(&self) -> impl Iterator<Item = (UserId, &Seat)> {
        self.seats.iter().filter(|(_, seat)| seat.is_active).map(|(id, seat)| (*id, seat))
    }

    fn seat_of(&self, user: UserId) -> Option<&Seat> {
        self.seats.get(&user).filter(|seat| seat.is_active)
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

    fn next_seq(&mut self) -> Seq {
        self.conversation.last_seq.0 += 1;
        self.conversation.last_seq
    }
}

impl State {
    fn room_of(&self, user: UserId, id: ConversationId) -> Option<(&Room, &Seat)> {
        let room = self.rooms.get(&id)?;
        Some((room, room.seat_of(user)?))
    }

    fn is_block_between(&self, one: UserId, other: UserId) -> bool {
        self.blocks.contains(&(one, other)) || self.blocks.contains(&(other, one))
    }
}

/// What a fake says when it was told to be down.
const TOLD_TO_BE_DOWN: &str = "told to be down";

impl FakeHistory {
    pub fn new() -> Self {
        Self::default()
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
            let seat = Seat::new(Role::Member, room.conversation.last_seq, now);
            room.seats.insert(user, seat);
        }
    }

    pub fn remove_member(&self, id: ConversationId, user: UserId) {
        self.at_seat(id, user, |seat| seat.is_active = false);
    }

    /// Raises both marks.
    pub fn mark_read(&self, id: ConversationId, user: UserId, seq: Seq) {
        self.at_seat(id, user, |seat| {
            seat.read = seat.read.max(seq);
            seat.delivered = seat.delivered.max(seq);
        });
    }

    /// Gives the message another text and the next number.
    pub fn edit(&self, id: ConversationId, seq: Seq, text: MessageText, now: Timestamp) {
        self.change(id, seq, |message| {
            message.text = Some(text);
            message.edited_at = Some(now);
        });
    }

    /// Leaves a tombstone with the next number.
    pub fn delete(&self, id: ConversationId, seq: Seq, now: Timestamp) {
        self.change(id, seq, |message| {
            message.text = None;
            message.mentions.clear();
            message.deleted_at = Some(now);
        });
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

    fn change(&self, id: ConversationId, seq: Seq, change: impl FnOnce(&mut Message)) {
        if let Some(room) = self.lock().rooms.get_mut(&id) {
            let rev = room.next_seq();
            if let Some(message) = room.messages.iter_mut().find(|message| message.seq == seq) {
                message.rev = rev;
                change(message);
            }
        }
    }

    fn at_seat(&self, id: ConversationId, user: UserId, change: impl FnOnce(&mut Seat)) {
        if let Some(seat) = self.lock().rooms.get_mut(&id).and_then(|r| r.seats.get_mut(&user)) {
            change(seat);
        }
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
