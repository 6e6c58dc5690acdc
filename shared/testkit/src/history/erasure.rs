//! `Erasure`.

use async_trait::async_trait;
use domain::{
    Bio, ClientId, ConversationId, DisplayName, EmailAddress, EventType, Invalid, Role,
    SystemEvent, Timestamp, User, UserId, Username,
};
use service::Identity;
use service::port::{Erased, Erasure, Failure, LeftConversations};
use uuid::Uuid;

use super::groups::{Plan, role_changed};
use super::traces::{Note, NoteKind};
use super::{FakeHistory, State};

#[async_trait]
impl Erasure for FakeHistory {
    async fn end_account(&self, user: UserId, now: Timestamp) -> Result<Erased, Failure> {
        let mut state = self.reach()?;
        let rows = state.remnants(user);
        let sessions = state.end_account(user, now)?;
        Ok(Erased { sessions, rows })
    }

    async fn leave_some(
        &self,
        user: UserId,
        most: usize,
        at: Timestamp,
    ) -> Result<LeftConversations, Failure> {
        let now = self.clock.now();
        let mut state = self.reach()?;
        let mut changes = vec![];
        for id in state.rooms_of(user).into_iter().take(most) {
            let plan = state.departure(user, id);
            let message_ids = [1, 2].map(|part| ClientId(Uuid::from_u128(id.0.as_u128() ^ part)));
            let left = state.carry_out(plan, &message_ids, at, now);
            changes.push(left.map_err(|error| Failure::bug("erasure", error))?);
        }
        let is_last = changes.len() < most;
        Ok(LeftConversations { changes, is_last })
    }

    async fn empty_memberships(&self, user: UserId) -> Result<Vec<(&'static str, u64)>, Failure> {
        let mut state = self.reach()?;
        let before = state.notes.len();
        state.notes.retain(|note| !is_of(note, user));
        Ok(of_count("traces", before - state.notes.len()).into_iter().collect())
    }

    async fn forget_sessions(&self, ended: &[Identity]) -> Result<(), Failure> {
        let mut guard = self.reach()?;
        let state = &mut *guard;
        let is_over = |identity: &&Identity| {
            state.users.get(&identity.user_id).is_some_and(|account| account.is_erased)
        };
        for Identity { user_id, session_id } in ended.iter().filter(is_over) {
            if state.sessions.get(session_id).is_some_and(|one| one.user_id == *user_id) {
                state.sessions.remove(session_id);
            }
        }
        Ok(())
    }

    async fn residue(
        &self,
        user: UserId,
        email: &EmailAddress,
    ) -> Result<Vec<(&'static str, u64)>, Failure> {
        let state = self.reach()?;
        let mut rows = state.remnants(user);
        let holds = state.account(user).is_some_and(|account| account.user.email == *email);
        rows.extend(holds.then_some(("users", 1)));
        rows.extend(of_count("members", state.rooms_of(user).len()));
        Ok(rows)
    }
}

/// What is left of an account.
fn nobody(user: &User) -> Result<User, Invalid> {
    let id = user.id.0.simple().to_string();
    Ok(User {
        username: Username::parse(&format!("deleted-{}", &id[..24]))?,
        email: EmailAddress::parse(&format!("{id}@deleted.invalid"))?,
        email_verified: false,
        display_name: DisplayName::parse("Deleted user")?,
        bio: Bio::parse("")?,
        avatar_url: None,
        ..user.clone()
    })
}

fn of_count(table: &'static str, count: usize) -> Option<(&'static str, u64)> {
    (count > 0).then(|| (table, u64::try_from(count).unwrap_or(u64::MAX)))
}

fn is_of(note: &Note, user: UserId) -> bool {
    matches!(note.kind, NoteKind::Delivered(one) | NoteKind::Read(one) if one == user)
}

impl State {
    fn end_account(&mut self, user: UserId, now: Timestamp) -> Result<Vec<Identity>, Failure> {
        let sessions = self.end_sessions(user, now);
        self.forget(user);
        if let Some(account) = self.users.get_mut(&user) {
            let nobody = nobody(&account.user).map_err(|error| Failure::bug("erasure", error))?;
            account.user = nobody;
            account.is_erased = true;
            account.password_hash.clear();
        }
        Ok(sessions)
    }

    /// Of the sessions that end now, and of those that ended with the account before, the bare
    /// ids stay; the others go.
    fn end_sessions(&mut self, user_id: UserId, now: Timestamp) -> Vec<Identity> {
        let is_erased = self.users.get(&user_id).is_some_and(|account| account.is_erased);
        self.sessions
            .retain(|_, one| one.user_id != user_id || one.revoked_at.is_none() || is_erased);
        let mut ended = vec![];
        for (id, one) in self.sessions.iter_mut().filter(|(_, one)| one.user_id == user_id) {
            one.revoked_at.get_or_insert(now);
            (one.device_name, one.address) = (None, None);
            ended.push(Identity { user_id, session_id: *id });
        }
        ended
    }

    fn rooms_of(&self, user: UserId) -> Vec<ConversationId> {
        let is_in = |room: &&super::Room| room.seat_of(user).is_some();
        self.rooms.values().filter(is_in).map(|room| room.conversation.id).collect()
    }

    /// Beside the account and the memberships.
    fn remnants(&self, user: UserId) -> Vec<(&'static str, u64)> {
        let pairs = |pairs: &std::collections::BTreeSet<(UserId, UserId)>| {
            pairs.iter().filter(|(one, other)| [*one, *other].contains(&user)).count()
        };
        let sessions = self.sessions.values().filter(|session| session.user_id == user);
        let tokens = self.mail_tokens.values().filter(|token| token.user_id == user);
        let requests = self.requests.values().filter(|one| [one.from, one.to].contains(&user));
        let notes = self.notes.iter().filter(|note| is_of(note, user));
        let counts = [
            of_count("sessions", sessions.count()),
            of_count("mail_tokens", tokens.count()),
            of_count("two_factor", usize::from(self.factors.contains_key(&user))),
            of_count("contacts", pairs(&self.contacts)),
            of_count("contact_requests", requests.count()),
            of_count("blocks", pairs(&self.blocks)),
            of_count("traces", notes.count()),
        ];
        counts.into_iter().flatten().collect()
    }

    fn forget(&mut self, user: UserId) {
        let sessions = &self.sessions;
        let is_theirs = |token: &super::Token| {
            sessions.get(&token.session_id).is_none_or(|session| session.user_id == user)
        };
        self.tokens.retain(|_, token| !is_theirs(token));
        self.mail_tokens.retain(|_, token| token.user_id != user);
        self.factors.remove(&user);
        self.contacts.retain(|(one, other)| ![*one, *other].contains(&user));
        self.requests.retain(|_, one| ![one.from, one.to].contains(&user));
        self.blocks.retain(|(one, other)| ![*one, *other].contains(&user));
    }

    /// Leaves, and makes somebody else the owner where nobody else is.
    fn departure(&self, user: UserId, id: ConversationId) -> Plan {
        let mut plan = Plan::nothing(id);
        plan.leaving.push(user);
        let left = SystemEvent::new(EventType::MemberLeft, user, vec![user]);
        let Some((room, seat)) = self.room_of(user, id) else { return plan };
        let others = room.in_order_of_joining();
        let others = || others.iter().filter(|(other, _)| *other != user);
        let has_owner = others().any(|(_, seat)| seat.role == Role::Owner);
        let admin = others().find(|(_, seat)| seat.role == Role::Admin);
        let heir = admin.or_else(|| others().next()).filter(|_| seat.role == Role::Owner);
        if let Some((heir, _)) = heir.filter(|_| !has_owner) {
            plan.role = Some((*heir, Role::Owner));
            plan.events.push(role_changed(user, *heir, Role::Owner));
        }
        plan.events.push(left);
        plan
    }
}
