//! `GroupStore`.

use async_trait::async_trait;
use domain::{
    ClientId, ConversationId, ConversationType, EventType, GroupAction, GroupRefusal, InviteId,
    Marks, Membership, Message, MessageKind, Role, Seq, SystemEvent, Timestamp, UserId,
    keeps_an_owner, limits,
};
use service::Preferences;
use service::port::{
    Failure, GroupChange, GroupChanged, GroupEdit, GroupError, GroupRequest, GroupStore,
    MembershipCopy,
};

use super::{FakeHistory, Room, Seat, Stamp, State};

#[async_trait]
impl GroupStore for FakeHistory {
    async fn change(&self, request: GroupRequest) -> Result<GroupChanged, GroupError> {
        let now = self.clock.now();
        let mut state = self.reach()?;
        let plan = state.plan(&request)?;
        if let Some(invite) = plan.invite.and_then(|id| state.invites.get_mut(&id)) {
            invite.shown.uses += 1;
        }
        let changed = state.carry_out(plan, &request.message_ids, request.at, now)?;
        let of_it =
            |kept: &&mut super::invites::Kept| kept.conversation_id == changed.conversation.id;
        for kept in state.invites.values_mut().filter(of_it) {
            let is_over = match request.change {
                GroupChange::Delete => true,
                GroupChange::Remove(user) => {
                    user != request.actor_id && kept.shown.creator_id == user
                }
                _ => false,
            };
            if is_over {
                kept.shown.revoked_at.get_or_insert(request.at);
            }
        }
        Ok(changed)
    }

    async fn hide(&self, user: UserId, id: ConversationId) -> Result<bool, GroupError> {
        let now = self.clock.now();
        let mut state = self.reach()?;
        let Some(room) = state.rooms.get_mut(&id) else { return Ok(false) };
        let last = room.messages.last().map_or(Seq::ZERO, |message| message.seq);
        let is_direct = room.conversation.conversation_type == ConversationType::Direct;
        let Some(seat) = room.seats.get_mut(&user).filter(|seat| seat.is_active) else {
            return Ok(false);
        };
        if !is_direct {
            return Err(GroupError::Refused(GroupRefusal::NotAllowed));
        }
        seat.hidden_through = Some(last);
        seat.changed_at = now;
        Ok(true)
    }

    async fn prefer(
        &self,
        user: UserId,
        id: ConversationId,
        preferences: Preferences,
    ) -> Result<Option<Membership>, Failure> {
        let now = self.clock.now();
        let mut state = self.reach()?;
        let seat = state.rooms.get_mut(&id).and_then(|room| room.seats.get_mut(&user));
        let Some(seat) = seat.filter(|seat| seat.is_active) else { return Ok(None) };
        seat.muted_until = preferences.muted_until.unwrap_or(seat.muted_until);
        seat.archived = preferences.archived.unwrap_or(seat.archived);
        seat.pinned = preferences.pinned.unwrap_or(seat.pinned);
        seat.changed_at = now;
        Ok(Some(seat.membership()))
    }
}

/// What is to be written.
pub(super) struct Plan {
    pub(super) id: ConversationId,
    pub(super) edit: GroupEdit,
    pub(super) joining: Vec<UserId>,
    pub(super) leaving: Vec<UserId>,
    pub(super) role: Option<(UserId, Role)>,
    pub(super) events: Vec<SystemEvent>,
    pub(super) invite: Option<InviteId>,
}

impl Plan {
    pub(super) fn nothing(id: ConversationId) -> Self {
        Self {
            id,
            edit: GroupEdit::default(),
            joining: vec![],
            leaving: vec![],
            role: None,
            events: vec![],
            invite: None,
        }
    }

    fn lose(&mut self, event_type: EventType, actor: UserId, users: Vec<UserId>) {
        self.leaving.clone_from(&users);
        self.events.push(SystemEvent::new(event_type, actor, users));
    }
}

impl State {
    fn plan(&self, request: &GroupRequest) -> Result<Plan, GroupError> {
        let actor = request.actor_id;
        if let GroupChange::Join { digest } = &request.change {
            return self.plan_join(digest, actor, request.at);
        }
        let id = request.conversation_id;
        let (room, seat) = self.room_of(actor, id).ok_or(GroupError::NotAMember)?;
        let action = room.action(&request.change)?;
        let checked = action.check(seat.role, room.conversation.conversation_type);
        checked.map_err(GroupError::Refused)?;
        let mut plan = Plan::nothing(id);
        match &request.change {
            GroupChange::Edit(edit) => (plan.edit, plan.events) = room.edits(edit, actor),
            GroupChange::Add(users) => {
                plan.joining = self.newcomers(room, actor, users)?;
                if !plan.joining.is_empty() {
                    let added = plan.joining.clone();
                    plan.events.push(SystemEvent::new(EventType::MembersAdded, actor, added));
                }
            }
            GroupChange::Remove(user) => {
                room.can_do_without(*user, None)?;
                plan.lose(EventType::MemberRemoved, actor, vec![*user]);
            }
            GroupChange::SetRole { user_id, role } => {
                room.can_do_without(*user_id, Some(*role))?;
                if room.seat_of(*user_id).is_some_and(|seat| seat.role != *role) {
                    plan.role = Some((*user_id, *role));
                    plan.events.push(role_changed(actor, *user_id, *role));
                }
            }
            GroupChange::Delete => {
                let everybody = room.active().map(|(user, _)| user).collect();
                plan.lose(EventType::MemberRemoved, actor, everybody);
            }
            GroupChange::Leave | GroupChange::Join { .. } => {
                room.can_do_without(actor, None)?;
                plan.lose(EventType::MemberLeft, actor, vec![actor]);
            }
        }
        Ok(plan)
    }

    fn plan_join(&self, digest: &str, actor: UserId, at: Timestamp) -> Result<Plan, GroupError> {
        let kept = self.valid_invite(digest, at)?;
        let room = self.rooms.get(&kept.conversation_id).ok_or(GroupError::NotAMember)?;
        let mut plan = Plan::nothing(kept.conversation_id);
        if room.seat_of(actor).is_some() {
            return Ok(plan);
        }
        kept.check_uses()?;
        if self.account(actor).is_none() {
            return Err(GroupError::UnknownUsers(vec![actor]));
        }
        room.has_place_for(1)?;
        plan.invite = Some(kept.shown.id);
        plan.joining.push(actor);
        plan.events.push(SystemEvent::new(EventType::MemberJoined, actor, vec![actor]));
        Ok(plan)
    }

    /// Those of them who are not in yet, each once.
    fn newcomers(
        &self,
        room: &Room,
        actor: UserId,
        users: &[UserId],
    ) -> Result<Vec<UserId>, GroupError> {
        let mut new: Vec<UserId> = vec![];
        for user in users {
            if room.seat_of(*user).is_none() && !new.contains(user) {
                new.push(*user);
            }
        }
        let unknown: Vec<_> =
            new.iter().copied().filter(|user| self.account(*user).is_none()).collect();
        if !unknown.is_empty() {
            return Err(GroupError::UnknownUsers(unknown));
        }
        if new.iter().any(|user| self.is_block_between(actor, *user)) {
            return Err(GroupError::Blocked);
        }
        room.has_place_for(new.len())?;
        Ok(new)
    }

    pub(super) fn carry_out(
        &mut self,
        plan: Plan,
        message_ids: &[ClientId],
        at: Timestamp,
        now: Timestamp,
    ) -> Result<GroupChanged, GroupError> {
        let Plan { id, edit, joining, leaving, role, events, .. } = plan;
        let room = self.rooms.get_mut(&id).ok_or(GroupError::NotAMember)?;
        let before = room.conversation.last_seq;
        if !events.is_empty() {
            room.conversation.changed_at = room.conversation.changed_at.max(at);
        }
        room.apply(edit);
        let events = events.into_iter().zip(message_ids);
        let messages: Vec<_> =
            events.map(|(event, client_id)| room.tell(event, *client_id, at, now)).collect();
        let last = room.conversation.last_seq;
        let joined_seq = if room.conversation.shares_history { Seq::ZERO } else { before };
        for user in &joining {
            let marks = Marks { delivered: last, read: last };
            let seat = Seat { marks, ..Seat::new(Role::Member, joined_seq, at, now) };
            room.seats.insert(*user, seat);
        }
        for user in &leaving {
            if let Some(seat) = room.seats.get_mut(user) {
                (seat.is_active, seat.changed_at) = (false, now);
            }
        }
        if let Some((user, role)) = role
            && let Some(seat) = room.seats.get_mut(&user)
        {
            (seat.role, seat.changed_at) = (role, now);
        }
        let copy = |user_id: &UserId, is_active| MembershipCopy {
            conversation_id: id,
            user_id: *user_id,
            is_active,
            version: last,
        };
        let joined = joining.iter().map(|user| copy(user, true));
        let copies: Vec<_> = joined.chain(leaving.iter().map(|user| copy(user, false))).collect();
        let (conversation, recipients) = (room.seen(), room.recipients());
        for copy in &copies {
            self.unconfirmed.insert((id, copy.user_id), (*copy, now));
        }
        Ok(GroupChanged { conversation, messages, recipients, gone: leaving, copies })
    }
}

pub(super) fn role_changed(actor: UserId, user: UserId, role: Role) -> SystemEvent {
    let event = SystemEvent::new(EventType::RoleChanged, actor, vec![user]);
    SystemEvent { role: Some(role), ..event }
}

impl Room {
    fn action(&self, change: &GroupChange) -> Result<GroupAction, GroupError> {
        let role_of = |user: &UserId| match self.seat_of(*user) {
            Some(seat) => Ok(seat.role),
            None => Err(GroupError::NoSuchMember),
        };
        Ok(match change {
            GroupChange::Edit(_) => GroupAction::Edit,
            GroupChange::Add(_) => GroupAction::Add,
            GroupChange::Remove(user) => GroupAction::Remove(role_of(user)?),
            GroupChange::SetRole { user_id, role } => {
                GroupAction::ChangeRole(role_of(user_id)?, *role)
            }
            GroupChange::Delete => GroupAction::Delete,
            GroupChange::Leave | GroupChange::Join { .. } => GroupAction::Leave,
        })
    }

    fn can_do_without(&self, user: UserId, becomes: Option<Role>) -> Result<(), GroupError> {
        let roles = self.active().map(|(user, seat)| (user, seat.role));
        keeps_an_owner(roles, user, becomes).map_err(GroupError::Refused)
    }

    fn has_place_for(&self, count: usize) -> Result<(), GroupError> {
        let is_full = self.active().count() + count > limits::MEMBERS_PER_GROUP;
        if count > 0 && is_full { Err(GroupError::Full) } else { Ok(()) }
    }

    /// What really changes, and what tells of it.
    fn edits(&self, wish: &GroupEdit, actor: UserId) -> (GroupEdit, Vec<SystemEvent>) {
        let now = &self.conversation;
        let edit = GroupEdit {
            title: wish.title.clone().filter(|title| now.title.as_ref() != Some(title)),
            description: wish.description.clone().filter(|new| *new != now.description),
            avatar_url: wish.avatar_url.clone().filter(|new| *new != now.avatar_url),
            shares_history: wish.shares_history.filter(|new| *new != now.shares_history),
        };
        let event = |event_type| SystemEvent::new(event_type, actor, vec![]);
        let title = edit
            .title
            .clone()
            .map(|title| SystemEvent { title: Some(title), ..event(EventType::TitleChanged) });
        let description = edit.description.is_some().then(|| event(EventType::DescriptionChanged));
        let picture = edit.avatar_url.is_some().then(|| event(EventType::PictureChanged));
        let history = edit.shares_history.is_some().then(|| event(EventType::HistoryChanged));
        let events = [title, description, picture, history].into_iter().flatten().collect();
        (edit, events)
    }

    fn apply(&mut self, edit: GroupEdit) {
        let now = &mut self.conversation;
        now.title = edit.title.or_else(|| now.title.take());
        now.description = edit.description.unwrap_or_else(|| now.description.take());
        now.avatar_url = edit.avatar_url.unwrap_or_else(|| now.avatar_url.take());
        now.shares_history = edit.shares_history.unwrap_or(now.shares_history);
    }

    fn tell(
        &mut self,
        event: SystemEvent,
        client_id: ClientId,
        at: Timestamp,
        now: Timestamp,
    ) -> Message {
        let seq = self.next_seq(now);
        let message = Message {
            conversation_id: self.conversation.id,
            seq,
            rev: seq,
            client_id,
            sender_id: event.actor_id,
            kind: MessageKind::System,
            text: None,
            reply_to: None,
            mentions: Vec::new(),
            reactions: Vec::new(),
            event: Some(event),
            pinned: false,
            sent_at: None,
            created_at: at,
            edited_at: None,
            deleted_at: None,
        };
        self.stamps.insert(seq, Stamp { trace_id: None, stored_at: now, touched_at: now });
        self.active_at = self.active_at.max(at);
        self.messages.push(message.clone());
        message
    }
}
