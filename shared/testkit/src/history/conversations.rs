//! `ConversationStore`.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use domain::{
    ClientId, Conversation, ConversationId, ConversationType, EventType, Member, Membership,
    Message, MessageKind, Role, Seq, SystemEvent, Timestamp, UserId, limits,
};
use service::port::{
    Behind, ConversationStore, Created, Failure, MembershipCopy, NewDirect, NewGroup, OpenError,
    PageError,
};
use service::{ConversationEntry, Page};
use uuid::Uuid;

use super::{FakeHistory, Room, Seat, Stamp, State, as_member};

#[async_trait]
impl ConversationStore for FakeHistory {
    async fn open_direct(&self, direct: NewDirect) -> Result<Created, OpenError> {
        let now = self.clock.now();
        let mut state = self.reach()?;
        if let Some(room) = state.rooms.get(&direct.id) {
            return known(room, direct.creator);
        }
        let pair = [direct.creator, direct.other];
        check_people(&state, direct.creator, &pair)?;
        let seat = Seat::new(Role::Member, Seq::ZERO, direct.created_at, now);
        let room = Room {
            conversation: Conversation {
                id: direct.id,
                conversation_type: ConversationType::Direct,
                title: None,
                description: None,
                avatar_url: None,
                shares_history: false,
                created_by: direct.creator,
                created_at: direct.created_at,
                changed_at: direct.created_at,
                last_seq: Seq::ZERO,
                member_count: 0,
            },
            client_id: None,
            active_at: direct.created_at,
            seats: pair.map(|user| (user, seat.clone())).into(),
            messages: Vec::new(),
            stamps: BTreeMap::new(),
            reactors: BTreeMap::new(),
            reacted: 0,
            touched_at: now,
        };
        Ok(state.insert(room, now))
    }

    async fn open_group(&self, group: NewGroup) -> Result<Created, OpenError> {
        let now = self.clock.now();
        let mut state = self.reach()?;
        let same = |room: &&Room| {
            room.client_id == Some(group.client_id) && room.conversation.created_by == group.creator
        };
        if let Some(room) = state.rooms.values().find(same) {
            return known(room, group.creator);
        }
        let people: Vec<UserId> =
            std::iter::once(group.creator).chain(group.member_ids.iter().copied()).collect();
        check_people(&state, group.creator, &people)?;
        Ok(state.insert(new_group(&group, &people, now), now))
    }

    async fn list(
        &self,
        user: UserId,
        page: Page,
    ) -> Result<(Vec<ConversationEntry>, Option<String>), PageError> {
        let state = self.reach()?;
        let last = page.cursor.as_deref().map(read_cursor).transpose()?;
        let place = |room: &Room| (room.active_at, room.conversation.id.0);
        let mut rooms: Vec<(&Room, &Seat)> = state
            .rooms
            .values()
            .filter_map(|room| Some((room, room.seat_of(user)?)))
            .filter(|(room, seat)| !room.is_hidden(seat))
            .filter(|(room, _)| last.is_none_or(|last| place(room) < last))
            .collect();
        rooms.sort_by_key(|(room, _)| std::cmp::Reverse(place(room)));
        let has_more = rooms.len() > page.limit as usize;
        rooms.truncate(page.limit as usize);
        let next = rooms.last().filter(|_| has_more).map(|(room, _)| write_cursor(place(room)));
        Ok((rooms.into_iter().map(|(room, seat)| entry(user, room, seat)).collect(), next))
    }

    async fn get(&self, user: UserId, id: ConversationId) -> Result<Option<Conversation>, Failure> {
        Ok(self.reach()?.room_of(user, id).map(|(room, _)| room.seen()))
    }

    async fn members(
        &self,
        user: UserId,
        id: ConversationId,
        page: Page,
    ) -> Result<Option<(Vec<Member>, Option<String>)>, PageError> {
        let state = self.reach()?;
        let last = page.cursor.as_deref().map(read_cursor).transpose()?;
        let Some((room, _)) = state.room_of(user, id) else { return Ok(None) };
        let mut members: Vec<Member> = room
            .in_order_of_joining()
            .into_iter()
            .filter(|(id, seat)| last.is_none_or(|last| (seat.joined_at, id.0) > last))
            .filter_map(|(id, seat)| as_member(&state, id, seat))
            .collect();
        let has_more = members.len() > page.limit as usize;
        members.truncate(page.limit as usize);
        let place = |member: &Member| (member.joined_at, member.user_id.0);
        let next = members.last().filter(|_| has_more).map(|member| write_cursor(place(member)));
        Ok(Some((members, next)))
    }

    async fn behind(
        &self,
        user: UserId,
        cursors: &[(ConversationId, Seq)],
    ) -> Result<Vec<Behind>, Failure> {
        let state = self.reach()?;
        let mut behind = BTreeMap::new();
        for (conversation_id, cursor) in cursors {
            let Some((room, _)) = state.room_of(user, *conversation_id) else { continue };
            let last_seq = room.conversation.last_seq;
            if *cursor < last_seq {
                let found = Behind { conversation_id: *conversation_id, last_seq };
                behind.insert(*conversation_id, found);
            }
        }
        Ok(behind.into_values().collect())
    }
}

fn check_people(state: &State, creator: UserId, people: &[UserId]) -> Result<(), OpenError> {
    let unknown: BTreeSet<UserId> =
        people.iter().copied().filter(|id| state.account(*id).is_none()).collect();
    if !unknown.is_empty() {
        return Err(OpenError::UnknownUsers(unknown.into_iter().collect()));
    }
    if people.iter().any(|id| state.is_block_between(creator, *id)) {
        return Err(OpenError::Blocked);
    }
    Ok(())
}

impl State {
    /// Takes in a new conversation, whose copies are to be written.
    fn insert(&mut self, room: Room, now: Timestamp) -> Created {
        let answer = created(&room, true);
        let Conversation { id, last_seq, .. } = room.conversation;
        for (user_id, _) in room.active() {
            let copy =
                MembershipCopy { conversation_id: id, user_id, is_active: true, version: last_seq };
            self.unconfirmed.insert((id, user_id), (copy, now));
        }
        self.rooms.insert(id, room);
        answer
    }
}

fn new_group(group: &NewGroup, people: &[UserId], now: Timestamp) -> Room {
    let role = |id| if id == group.creator { Role::Owner } else { Role::Member };
    let seat = |id| (id, Seat::new(role(id), Seq::ZERO, group.created_at, now));
    let first = Message {
        conversation_id: group.id,
        seq: Seq(1),
        rev: Seq(1),
        client_id: ClientId(group.id.0),
        sender_id: group.creator,
        kind: MessageKind::System,
        text: None,
        reply_to: None,
        mentions: Vec::new(),
        reactions: Vec::new(),
        event: Some(SystemEvent::new(
            EventType::ConversationCreated,
            group.creator,
            group.member_ids.clone(),
        )),
        pinned: false,
        sent_at: None,
        created_at: group.created_at,
        edited_at: None,
        deleted_at: None,
    };
    Room {
        conversation: Conversation {
            id: group.id,
            conversation_type: ConversationType::Group,
            title: Some(group.title.clone()),
            description: None,
            avatar_url: None,
            shares_history: false,
            created_by: group.creator,
            created_at: group.created_at,
            changed_at: group.created_at,
            last_seq: Seq(1),
            member_count: 0,
        },
        client_id: Some(group.client_id),
        active_at: group.created_at,
        seats: people.iter().copied().map(seat).collect(),
        messages: vec![first],
        stamps: [(Seq(1), Stamp { trace_id: None, stored_at: now, touched_at: now })].into(),
        reactors: BTreeMap::new(),
        reacted: 0,
        touched_at: now,
    }
}

/// What is there, for who is in it.
fn known(room: &Room, creator: UserId) -> Result<Created, OpenError> {
    room.seat_of(creator).map(|_| created(room, false)).ok_or(OpenError::NotAMember)
}

fn created(room: &Room, is_new: bool) -> Created {
    Created {
        conversation: room.seen(),
        is_new,
        member_ids: room.in_order_of_joining().into_iter().map(|(id, _)| id).collect(),
        first_message: room.messages.first().filter(|_| is_new).cloned(),
    }
}

pub(super) fn entry(user: UserId, room: &Room, seat: &Seat) -> ConversationEntry {
    let counts = |message: &&Message| {
        message.sender_id != user
            && message.kind != MessageKind::System
            && message.deleted_at.is_none()
    };
    let beyond = room.messages.iter().filter(|one| one.seq > seat.marks.read.max(seat.joined_seq));
    let looked_at = beyond.take(limits::UNREAD_LOOKED_AT as usize);
    let unread = looked_at.filter(counts).take(limits::UNREAD_MOST as usize).count();
    ConversationEntry {
        conversation: room.seen(),
        my: seat.membership(),
        last_message: room.messages.last().filter(|last| last.seq > seat.joined_seq).cloned(),
        unread_count: u32::try_from(unread).unwrap_or(u32::MAX),
    }
}

impl Seat {
    pub(super) fn membership(&self) -> Membership {
        Membership {
            role: self.role,
            joined_seq: self.joined_seq,
            delivered: self.marks.delivered,
            read: self.marks.read,
            muted_until: self.muted_until,
            archived: self.archived,
            pinned: self.pinned,
        }
    }
}

pub(super) fn write_cursor((at, id): (Timestamp, Uuid)) -> String {
    format!("{}_{id}", at.unix_ms())
}

pub(super) fn read_cursor(raw: &str) -> Result<(Timestamp, Uuid), PageError> {
    let read = || {
        let (ms, id) = raw.split_once('_')?;
        Some((Timestamp::from_unix_ms(ms.parse().ok()?)?, id.parse().ok()?))
    };
    read().ok_or(PageError::InvalidCursor)
}
