//! Running a group: who is in it, what it is, and who may come in.

use std::sync::Arc;
use std::time::Duration;

use domain::{
    ClientId, Conversation, ConversationId, GroupRefusal, Invalid, InviteId, Membership,
    TokenBucket, UserId, limits,
};
use tokio::time::Instant;

use crate::pace::{take_messages, throttle};
use crate::port::{
    Clock, Entropy, GroupChange, GroupChanged, GroupError, GroupRequest, GroupStore, Invite,
    InvitePreview, InviteRefusal, InviteStore, NewInvite, RateLimiter,
};
use crate::{Announcement, Caller, Error, Event, FieldError, Preferences, Recipient, Telling};

/// Changes of groups, each committed in Postgres before anybody is told.
#[derive(Clone)]
pub struct Groups {
    pub groups: Arc<dyn GroupStore>,
    pub telling: Telling,
    pub limiter: Arc<dyn RateLimiter>,
    pub entropy: Arc<dyn Entropy>,
    pub clock: Arc<dyn Clock>,
    /// The one of the actor's messages: each change is told to everybody by some.
    pub bucket: TokenBucket,
}

impl Groups {
    /// The conversation afterwards. 404 for who is no member, 403 `not_allowed`, 409 `last_owner`
    /// or `group_full`, 410 for an invite that opens nothing any more.
    pub async fn change(
        &self,
        caller: Caller,
        conversation_id: ConversationId,
        change: GroupChange,
    ) -> Result<Conversation, Error> {
        let (begun, now) = (Instant::now(), self.clock.now());
        take_messages(&*self.limiter, (caller.user_id(), self.bucket), 1, now).await?;
        let named = match &change {
            GroupChange::Add(users) => users.clone(),
            _ => vec![],
        };
        let id = || ClientId(self.entropy.uuid_v7());
        let request = GroupRequest {
            conversation_id,
            actor_id: caller.user_id(),
            change,
            message_ids: [id(), id(), id(), id()],
            at: now,
        };
        let changed = self.groups.change(request).await;
        let changed = changed.map_err(|error| refused(error, &named))?;
        // It is committed, so the answer is yes whatever fails here.
        self.telling.follow(begun, &changed.copies, announcements(&changed)).await;
        Ok(changed.conversation)
    }

    /// A group ends for everybody; a direct conversation is out of one's own list until its next
    /// message.
    pub async fn delete(&self, caller: Caller, id: ConversationId) -> Result<(), Error> {
        match self.groups.hide(caller.user_id(), id).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::conversation_not_found()),
            Err(GroupError::Refused(GroupRefusal::NotAllowed)) => {
                self.change(caller, id, GroupChange::Delete).await.map(|_| ())
            }
            Err(error) => Err(refused(error, &[])),
        }
    }
}

/// How somebody keeps a conversation in their own list.
#[derive(Clone)]
pub struct PreferenceBook {
    pub groups: Arc<dyn GroupStore>,
}

impl PreferenceBook {
    /// One's own side of it afterwards.
    pub async fn prefer(
        &self,
        caller: Caller,
        id: ConversationId,
        preferences: Preferences,
    ) -> Result<Membership, Error> {
        let my = self.groups.prefer(caller.user_id(), id, preferences).await?;
        my.ok_or_else(Error::conversation_not_found)
    }
}

/// To the members what it is now and what happened; to who is out, that they are.
pub(crate) fn announcements(changed: &GroupChanged) -> Vec<Announcement> {
    let GroupChanged { conversation, messages, recipients, gone, .. } = changed;
    if messages.is_empty() && gone.is_empty() {
        return vec![];
    }
    let conversation_id = conversation.id;
    let news = Event::ConversationChanged { conversation: conversation.clone() };
    let members = std::iter::once(news).chain(Event::of_new(conversation_id, messages.clone()));
    let members = members.map(|event| Announcement::new(event, recipients.clone()));
    let removed = Event::ConversationRemoved { conversation_id };
    let gone = gone.iter().map(|user| Recipient::from_the_start(*user));
    let gone = Announcement::new(removed, gone.collect());
    members.chain((!gone.recipients.is_empty()).then_some(gone)).collect()
}

/// `named`: the people of the request, in its order.
fn refused(error: GroupError, named: &[UserId]) -> Error {
    let forbidden = |detail| Error::Forbidden { code: "not_allowed", detail };
    match error {
        GroupError::NotAMember => Error::conversation_not_found(),
        GroupError::NoSuchMember => {
            let detail = "there is no such member in this conversation";
            Error::NotFound { code: "member_not_found", detail }
        }
        // Nobody else was named: the one who joins is no more.
        GroupError::UnknownUsers(_) if named.is_empty() => Error::unauthenticated(),
        GroupError::UnknownUsers(unknown) => {
            let field = |id: &UserId| {
                let index = named.iter().position(|other| other == id).unwrap_or(0);
                let invalid = Invalid::new("user_not_found", "there is no such user");
                FieldError::new(format!("user_ids[{index}]"), invalid)
            };
            Error::Invalid(unknown.iter().map(field).collect())
        }
        GroupError::Blocked => forbidden("one of you has blocked the other"),
        GroupError::Full => {
            let detail = "the group has as many members as a group may have";
            Error::Conflict { code: "group_full", detail }
        }
        GroupError::TooManyInvites => {
            let detail = "the group has as many open invites as it may have: take one back";
            Error::Conflict { code: "too_many_invites", detail }
        }
        GroupError::Refused(GroupRefusal::NotAllowed) => {
            forbidden("your role in this conversation does not allow it")
        }
        GroupError::Refused(GroupRefusal::LastOwner) => {
            let detail = "the group needs an owner: make somebody else one first";
            Error::Conflict { code: "last_owner", detail }
        }
        GroupError::Invite(refusal) => invite_refused(refusal),
        GroupError::Failure(failure) => failure.into(),
    }
}

fn invite_refused(refusal: InviteRefusal) -> Error {
    let gone = |code, detail| Error::Gone { code, detail };
    match refusal {
        InviteRefusal::Unknown => {
            Error::NotFound { code: "invite_not_found", detail: "there is no such invite" }
        }
        InviteRefusal::Expired => gone("invite_expired", "the invite has expired: ask for another"),
        InviteRefusal::UsedUp => gone("invite_used_up", "the invite was used as often as it may"),
        InviteRefusal::Revoked => gone("invite_revoked", "the invite was taken back"),
    }
}

/// What somebody gives to make an invite.
#[derive(Debug, Clone, Copy, Default)]
pub struct InviteTerms {
    pub max_uses: Option<u32>,
    pub expires_in: Option<Duration>,
}

/// An invite that was just made, with its token: nobody sees that again.
#[derive(Debug, Clone)]
pub struct MadeInvite {
    pub invite: Invite,
    pub token: String,
}

const INVITES: TokenBucket = TokenBucket::per_hour(limits::INVITES_PER_HOUR);

/// Makes invites into groups, and shows whoever holds one where it leads.
#[derive(Clone)]
pub struct Invites {
    pub invites: Arc<dyn InviteStore>,
    pub limiter: Arc<dyn RateLimiter>,
    pub entropy: Arc<dyn Entropy>,
    pub clock: Arc<dyn Clock>,
}

impl Invites {
    pub async fn create(
        &self,
        caller: Caller,
        conversation_id: ConversationId,
        terms: InviteTerms,
    ) -> Result<MadeInvite, Error> {
        let scope = format!("invite/{}", caller.user_id());
        throttle(&*self.limiter, &*self.clock, &scope, INVITES).await?;
        let now = self.clock.now();
        let lifetime = terms.expires_in.unwrap_or(limits::INVITE_LIFETIME);
        let token = self.entropy.secret();
        let invite = NewInvite {
            id: InviteId(self.entropy.uuid_v7()),
            conversation_id,
            creator_id: caller.user_id(),
            digest: self.entropy.digest(&token),
            max_uses: terms.max_uses,
            expires_at: now.plus(lifetime.min(limits::INVITE_LIFETIME_MAX)),
            created_at: now,
        };
        let invite = self.invites.create(invite).await.map_err(|error| refused(error, &[]))?;
        Ok(MadeInvite { invite, token })
    }

    /// What one would join.
    pub async fn preview(&self, caller: Caller, token: &str) -> Result<InvitePreview, Error> {
        throttle_guesses(&*self.limiter, &*self.clock, caller).await?;
        let (digest, now) = (self.entropy.digest(token), self.clock.now());
        let preview = self.invites.preview(caller.user_id(), &digest, now).await;
        preview.map_err(|error| refused(error, &[]))
    }
}

/// One bucket for looking and for joining: both try a token.
async fn throttle_guesses(
    limiter: &dyn RateLimiter,
    clock: &dyn Clock,
    caller: Caller,
) -> Result<(), Error> {
    throttle(limiter, clock, &format!("invite-guess/{}", caller.user_id()), INVITES).await
}

/// The invites of a group.
#[derive(Clone)]
pub struct InviteBook {
    pub invites: Arc<dyn InviteStore>,
    pub clock: Arc<dyn Clock>,
}

impl InviteBook {
    pub async fn list(&self, caller: Caller, id: ConversationId) -> Result<Vec<Invite>, Error> {
        let listed = self.invites.list(caller.user_id(), id, self.clock.now()).await;
        listed.map_err(|error| refused(error, &[]))
    }

    pub async fn revoke(
        &self,
        caller: Caller,
        id: ConversationId,
        invite: InviteId,
    ) -> Result<(), Error> {
        let revoked = self.invites.revoke(caller.user_id(), id, invite, self.clock.now()).await;
        revoked.map_err(|error| refused(error, &[]))
    }
}

/// Coming in by an invite.
#[derive(Clone)]
pub struct Admissions {
    pub groups: Groups,
    pub limiter: Arc<dyn RateLimiter>,
}

impl Admissions {
    /// Who is in already stays as they are, and no use is counted.
    pub async fn accept(&self, caller: Caller, token: &str) -> Result<Conversation, Error> {
        throttle_guesses(&*self.limiter, &*self.groups.clock, caller).await?;
        let digest = self.groups.entropy.digest(token);
        let nowhere = ConversationId(uuid::Uuid::nil());
        self.groups.change(caller, nowhere, GroupChange::Join { digest }).await
    }
}
