//! What comes of a change of a group: judged by the rules of the domain, under the lock.

use std::collections::BTreeSet;

use domain::{
    AvatarUrl, Conversation, Description, EventType, GroupAction, GroupRefusal, InviteId, Role,
    SystemEvent, Timestamp, Title, UserId, keeps_an_owner, limits,
};
use service::Recipient;
use service::port::{GroupChange, GroupEdit, GroupError, InviteRefusal};

/// A conversation as its lock shows it.
pub(crate) struct Standing {
    pub(crate) conversation: Conversation,
    /// The active ones in the order they joined.
    pub(crate) members: Vec<(Recipient, Role)>,
    /// Of the people who are to be added: those who exist.
    pub(crate) known: BTreeSet<UserId>,
    /// Of the same: those with a block between them and the actor.
    pub(crate) blocked: BTreeSet<UserId>,
    pub(crate) invite: Option<InviteStanding>,
}

/// An invite as it is under the lock of its conversation.
pub(crate) struct InviteStanding {
    pub(crate) id: InviteId,
    pub(crate) terms: InviteTerms,
}

/// What an invite is judged by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InviteTerms {
    pub(crate) is_revoked: bool,
    pub(crate) expires_at: Timestamp,
    pub(crate) is_used_up: bool,
}

impl InviteTerms {
    /// By the first that is true: revoked, expired.
    pub(crate) fn check_time(self, now: Timestamp) -> Result<(), InviteRefusal> {
        match self {
            Self { is_revoked: true, .. } => Err(InviteRefusal::Revoked),
            Self { expires_at, .. } if expires_at <= now => Err(InviteRefusal::Expired),
            _ => Ok(()),
        }
    }

    pub(crate) fn check(self, now: Timestamp) -> Result<(), InviteRefusal> {
        self.check_time(now)?;
        if self.is_used_up { Err(InviteRefusal::UsedUp) } else { Ok(()) }
    }
}

/// What is to be written. Without an event, nothing.
pub(crate) struct Plan {
    pub(crate) title: Option<Title>,
    pub(crate) description: Option<Description>,
    pub(crate) avatar_url: Option<AvatarUrl>,
    pub(crate) shares_history: bool,
    /// One for each thing that changes.
    pub(crate) events: Vec<SystemEvent>,
    pub(crate) joining: Vec<UserId>,
    pub(crate) leaving: Vec<UserId>,
    pub(crate) role: Option<(UserId, Role)>,
    pub(crate) used_invite: Option<InviteId>,
    pub(crate) ends_invites: bool,
    /// Theirs end, or nobody's.
    pub(crate) ends_invites_of: Option<UserId>,
}

impl Standing {
    fn role_of(&self, user: UserId) -> Option<Role> {
        let mut members = self.members.iter();
        members.find(|(member, _)| member.user_id == user).map(|(_, role)| *role)
    }

    fn roles(&self) -> impl Iterator<Item = (UserId, Role)> + '_ {
        self.members.iter().map(|(member, role)| (member.user_id, *role))
    }

    fn unchanged(&self) -> Plan {
        let Conversation { title, description, avatar_url, shares_history, .. } =
            self.conversation.clone();
        Plan {
            title,
            description,
            avatar_url,
            shares_history,
            events: Vec::new(),
            joining: Vec::new(),
            leaving: Vec::new(),
            role: None,
            used_invite: None,
            ends_invites: false,
            ends_invites_of: None,
        }
    }

    pub(crate) fn judge(
        &self,
        actor: UserId,
        change: &GroupChange,
        at: Timestamp,
    ) -> Result<Plan, GroupError> {
        let check = |action: GroupAction| {
            let role = self.role_of(actor).ok_or(GroupError::NotAMember)?;
            action.check(role, self.conversation.conversation_type).map_err(GroupError::Refused)
        };
        // A stranger does not learn who is in.
        let role_of = |user| match self.role_of(actor) {
            Some(_) => self.role_of(user).ok_or(GroupError::NoSuchMember),
            None => Err(GroupError::NotAMember),
        };
        match change {
            GroupChange::Edit(edit) => {
                check(GroupAction::Edit)?;
                Ok(self.edit(actor, edit))
            }
            GroupChange::Add(named) => {
                check(GroupAction::Add)?;
                self.add(actor, named)
            }
            GroupChange::Remove(user) if *user != actor => {
                check(GroupAction::Remove(role_of(*user)?))?;
                let plan = self.depart(actor, *user, EventType::MemberRemoved)?;
                Ok(Plan { ends_invites_of: Some(*user), ..plan })
            }
            GroupChange::Leave | GroupChange::Remove(_) => {
                check(GroupAction::Leave)?;
                self.depart(actor, actor, EventType::MemberLeft)
            }
            GroupChange::SetRole { user_id, role } => {
                let before = role_of(*user_id)?;
                check(GroupAction::ChangeRole(before, *role))?;
                self.set_role(actor, *user_id, *role)
            }
            GroupChange::Delete => {
                check(GroupAction::Delete)?;
                Ok(self.delete(actor))
            }
            GroupChange::Join { .. } => self.join(actor, at),
        }
    }

    fn edit(&self, actor: UserId, edit: &GroupEdit) -> Plan {
        let mut plan = self.unchanged();
        let mut tell = |event_type| plan.events.push(event(event_type, actor, Vec::new()));
        let now = &self.conversation;
        if let Some(title) = edit.title.clone().filter(|title| now.title.as_ref() != Some(title)) {
            tell(EventType::TitleChanged);
            plan.title = Some(title);
        }
        let description = edit.description.clone().filter(|new| *new != now.description);
        if let Some(description) = description {
            tell(EventType::DescriptionChanged);
            plan.description = description;
        }
        if let Some(url) = edit.avatar_url.clone().filter(|new| *new != now.avatar_url) {
            tell(EventType::PictureChanged);
            plan.avatar_url = url;
        }
        if let Some(shares) = edit.shares_history.filter(|new| *new != now.shares_history) {
            tell(EventType::HistoryChanged);
            plan.shares_history = shares;
        }
        for event in &mut plan.events {
            if event.event_type == EventType::TitleChanged {
                event.title.clone_from(&plan.title);
            }
        }
        plan
    }

    fn add(&self, actor: UserId, named: &[UserId]) -> Result<Plan, GroupError> {
        let mut seen: BTreeSet<UserId> = self.roles().map(|(user, _)| user).collect();
        let new: Vec<UserId> = named.iter().copied().filter(|user| seen.insert(*user)).collect();
        let unknown: Vec<UserId> =
            new.iter().copied().filter(|user| !self.known.contains(user)).collect();
        if !unknown.is_empty() {
            return Err(GroupError::UnknownUsers(unknown));
        }
        if new.iter().any(|user| self.blocked.contains(user)) {
            return Err(GroupError::Blocked);
        }
        self.check_room(new.len())?;
        let mut plan = self.unchanged();
        if !new.is_empty() {
            plan.events.push(event(EventType::MembersAdded, actor, new.clone()));
        }
        plan.joining = new;
        Ok(plan)
    }

    /// A repeat whose answer was lost finds them in, and the invite perhaps used up by it.
    fn join(&self, actor: UserId, at: Timestamp) -> Result<Plan, GroupError> {
        let invite = self.invite.as_ref().ok_or(GroupError::Invite(InviteRefusal::Unknown))?;
        invite.terms.check_time(at).map_err(GroupError::Invite)?;
        let mut plan = self.unchanged();
        if self.role_of(actor).is_some() {
            return Ok(plan);
        }
        invite.terms.check(at).map_err(GroupError::Invite)?;
        if !self.known.contains(&actor) {
            return Err(GroupError::UnknownUsers(vec![actor]));
        }
        self.check_room(1)?;
        plan.events.push(event(EventType::MemberJoined, actor, vec![actor]));
        plan.joining.push(actor);
        plan.used_invite = Some(invite.id);
        Ok(plan)
    }

    fn check_room(&self, more: usize) -> Result<(), GroupError> {
        let is_full = self.members.len() + more > limits::MEMBERS_PER_GROUP;
        if more > 0 && is_full { Err(GroupError::Full) } else { Ok(()) }
    }

    fn depart(&self, actor: UserId, who: UserId, told: EventType) -> Result<Plan, GroupError> {
        keeps_an_owner(self.roles(), who, None).map_err(GroupError::Refused)?;
        let mut plan = self.unchanged();
        plan.events.push(event(told, actor, vec![who]));
        plan.leaving.push(who);
        Ok(plan)
    }

    fn set_role(&self, actor: UserId, who: UserId, role: Role) -> Result<Plan, GroupError> {
        keeps_an_owner(self.roles(), who, Some(role)).map_err(GroupError::Refused)?;
        let mut plan = self.unchanged();
        if self.role_of(who) != Some(role) {
            plan.promote(actor, who, role);
        }
        Ok(plan)
    }

    fn delete(&self, actor: UserId) -> Plan {
        let mut plan = self.unchanged();
        plan.leaving = self.roles().map(|(user, _)| user).collect();
        plan.leaving.sort_unstable();
        plan.events.push(event(EventType::MemberRemoved, actor, plan.leaving.clone()));
        plan.ends_invites = true;
        plan
    }

    /// Somebody whose account has ended. `None` when they are not in any more. Who takes the place
    /// of a last owner: the admin who joined first, else the member who did; with nobody left,
    /// nobody can come in either.
    pub(crate) fn vanish(&self, who: UserId) -> Option<Plan> {
        self.role_of(who)?;
        let mut plan = self.unchanged();
        let others = || self.roles().filter(|(user, _)| *user != who);
        let is_orphaned = keeps_an_owner(self.roles(), who, None) == Err(GroupRefusal::LastOwner);
        if self.conversation.title.is_some() && is_orphaned {
            let mut admins = others().filter(|(_, role)| *role == Role::Admin);
            if let Some((heir, _)) = admins.next().or_else(|| others().next()) {
                plan.promote(who, heir, Role::Owner);
            }
        }
        plan.events.push(event(EventType::MemberLeft, who, vec![who]));
        plan.leaving.push(who);
        plan.ends_invites = others().next().is_none();
        Some(plan)
    }
}

impl Plan {
    fn promote(&mut self, actor: UserId, who: UserId, role: Role) {
        let told = event(EventType::RoleChanged, actor, vec![who]);
        self.events.push(SystemEvent { role: Some(role), ..told });
        self.role = Some((who, role));
    }
}

fn event(event_type: EventType, actor_id: UserId, user_ids: Vec<UserId>) -> SystemEvent {
    SystemEvent { event_type, actor_id, user_ids, title: None, role: None }
}
