//! The two round trips of a change of a group: the lock and what it is judged by, then the writing.

use std::str::FromStr;

use domain::{
    AvatarUrl, ClientId, Conversation, ConversationId, Description, InviteId, Message, MessageKind,
    Role, Seq, SystemEvent, Timestamp, Title, UserId,
};
use serde_json::Value;
use service::Recipient;
use service::port::{GroupChanged, MembershipCopy};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::database::{Lease, Parameter};
use crate::error::DatabaseError;
use crate::group_change::{InviteStanding, InviteTerms, Plan, Standing};
use crate::query;
use crate::row::{
    Read, column, conversation, event_json, instant, recipients, seq, time, time_opt, user_ids,
};

/// How the conversation is found.
pub(crate) enum Found<'a> {
    ById(ConversationId),
    ByInvite(&'a str),
}

/// Begins a transaction with the conversation locked, and leaves it open. `named`: people who may
/// come in.
pub(crate) async fn lock_and_read(
    lease: &mut Lease<'_>,
    found: Found<'_>,
    actor: UserId,
    named: &[UserId],
) -> Result<Option<Standing>, DatabaseError> {
    let (id, digest) = match found {
        Found::ById(id) => (Some(id.0), None),
        Found::ByInvite(digest) => (None, Some(digest)),
    };
    let ids: Vec<Uuid> = id.into_iter().collect();
    let by_id: [Parameter<'_>; 1] = [(&ids, Type::UUID_ARRAY)];
    let by_invite: [Parameter<'_>; 1] = [(&digest, Type::TEXT)];
    let (lock, lock_parameters) = match digest {
        None => (query::LOCK_CONVERSATIONS, &by_id),
        Some(_) => (query::LOCK_BY_INVITE, &by_invite),
    };
    let named: Vec<Uuid> = named.iter().map(|user| user.0).collect();
    let parameters: [Parameter<'_>; 4] = [
        (&id, Type::UUID),
        (&digest, Type::TEXT),
        (&actor.0, Type::UUID),
        (&named, Type::UUID_ARRAY),
    ];
    let rows = begin(lease, (lock, lock_parameters), (query::GROUP_STANDING, &parameters)).await?;
    rows.first().map(standing).transpose()
}

/// Begins a transaction with a lock, and answers what is read under it.
pub(crate) async fn begin(
    lease: &mut Lease<'_>,
    (lock, lock_parameters): (&str, &[Parameter<'_>]),
    (read, read_parameters): (&str, &[Parameter<'_>]),
) -> Result<Vec<Row>, DatabaseError> {
    let client = lease.client();
    let pipeline = async {
        let (begun, locked, read) = tokio::join!(
            client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED"),
            client.query_typed(lock, lock_parameters),
            client.query_typed(read, read_parameters),
        );
        begun?;
        locked?;
        read
    };
    lease.step(pipeline).await
}

/// Ends the transaction of [`begin`] without a change.
pub(crate) async fn give_up(lease: &mut Lease<'_>) -> Result<(), DatabaseError> {
    let client = lease.client();
    lease.settle(client.batch_execute("ROLLBACK")).await
}

fn standing(row: &Row) -> Read<Standing> {
    let roles: Vec<&str> = column(row, "member_roles")?;
    let unreadable = |_| DatabaseError::unreadable("member_roles");
    let roles: Result<Vec<Role>, _> = roles.into_iter().map(Role::from_str).collect();
    let members = recipients(row, "member_ids", "member_joined")?;
    Ok(Standing {
        conversation: conversation(row)?,
        members: members.into_iter().zip(roles.map_err(unreadable)?).collect(),
        known: user_ids(row, "known_users")?.into_iter().collect(),
        blocked: user_ids(row, "blocked_users")?.into_iter().collect(),
        invite: invite(row)?,
    })
}

fn invite(row: &Row) -> Read<Option<InviteStanding>> {
    let Some(id) = column::<Option<Uuid>>(row, "invite_id")? else { return Ok(None) };
    let max_uses: Option<i64> = column(row, "invite_max_uses")?;
    let uses: i64 = column(row, "invite_uses")?;
    let terms = InviteTerms {
        is_revoked: time_opt(row, "invite_revoked_at")?.is_some(),
        expires_at: time(row, "invite_expires_at")?,
        is_used_up: max_uses.is_some_and(|most| uses >= most),
    };
    Ok(Some(InviteStanding { id: InviteId(id), terms }))
}

/// Who changes a group, when, and under which names its messages are known.
pub(crate) struct Author {
    pub(crate) user_id: UserId,
    pub(crate) message_ids: Vec<ClientId>,
    pub(crate) at: Timestamp,
}

/// Ends the transaction of [`lock_and_read`].
pub(crate) async fn write(
    lease: &mut Lease<'_>,
    standing: Standing,
    plan: Plan,
    author: &Author,
) -> Result<GroupChanged, DatabaseError> {
    if author.message_ids.len() < plan.events.len() {
        return Err(DatabaseError::unreadable("more messages than names for them"));
    }
    let ids: Vec<Uuid> = author.message_ids.iter().map(|id| id.0).collect();
    let ids = ids.get(..plan.events.len()).unwrap_or_default();
    let events: Vec<Value> = plan.events.iter().map(event_json).collect();
    let uuids = |users: &[UserId]| users.iter().map(|user| user.0).collect::<Vec<Uuid>>();
    let (joining, leaving) = (uuids(&plan.joining), uuids(&plan.leaving));
    let parameters: [Parameter<'_>; 16] = [
        (&standing.conversation.id.0, Type::UUID),
        (&author.user_id.0, Type::UUID),
        (&instant(author.at), Type::TIMESTAMPTZ),
        (&plan.title.as_ref().map(Title::as_str), Type::TEXT),
        (&plan.description.as_ref().map(Description::as_str), Type::TEXT),
        (&plan.avatar_url.as_ref().map(AvatarUrl::as_str), Type::TEXT),
        (&plan.shares_history, Type::BOOL),
        (&ids, Type::UUID_ARRAY),
        (&events, Type::JSONB_ARRAY),
        (&joining, Type::UUID_ARRAY),
        (&leaving, Type::UUID_ARRAY),
        (&plan.role.map(|(user, _)| user.0), Type::UUID),
        (&plan.role.map(|(_, role)| role.as_str()), Type::TEXT),
        (&plan.used_invite.map(|id| id.0), Type::UUID),
        (&plan.ends_invites, Type::BOOL),
        (&plan.ends_invites_of.map(|user| user.0), Type::UUID),
    ];
    let client = lease.client();
    let pipeline = async {
        let (written, committed) = tokio::join!(
            client.query_typed(query::WRITE_GROUP, &parameters),
            client.batch_execute("COMMIT"),
        );
        let rows = written?;
        committed?;
        Ok(rows)
    };
    let rows = lease.settle(pipeline).await?;
    let row = rows.first().ok_or_else(|| DatabaseError::unreadable("a change without a row"))?;
    Ok(changed(standing, plan, author, time(row, "changed_at")?, seq(row, "last_seq")?))
}

/// What there is now that this was written.
fn changed(
    standing: Standing,
    plan: Plan,
    author: &Author,
    changed_at: Timestamp,
    last_seq: Seq,
) -> GroupChanged {
    let base = standing.conversation.last_seq;
    let joined_seq = if plan.shares_history { Seq::ZERO } else { base };
    let joining = plan.joining.iter().map(|user_id| Recipient { user_id: *user_id, joined_seq });
    let staying = standing.members.iter().map(|(member, _)| *member);
    let staying = staying.filter(|member| !plan.leaving.contains(&member.user_id));
    let mut recipients: Vec<Recipient> = staying.chain(joining).collect();
    recipients.sort_unstable_by_key(|member| member.user_id);
    let conversation_id = standing.conversation.id;
    let copy = |user_id: &UserId, is_active| MembershipCopy {
        conversation_id,
        user_id: *user_id,
        is_active,
        version: last_seq,
    };
    let mut copies: Vec<MembershipCopy> =
        plan.joining.iter().map(|user| copy(user, true)).collect();
    copies.extend(plan.leaving.iter().map(|user| copy(user, false)));
    copies.sort_unstable_by_key(|copy| copy.user_id);
    let numbered = (base.0 + 1..).map(Seq).zip(&author.message_ids).zip(plan.events);
    let messages = numbered
        .map(|((seq, client_id), event)| told(conversation_id, seq, *client_id, author, event));
    GroupChanged {
        messages: messages.collect(),
        conversation: Conversation {
            title: plan.title,
            description: plan.description,
            avatar_url: plan.avatar_url,
            shares_history: plan.shares_history,
            changed_at,
            last_seq,
            member_count: u32::try_from(recipients.len()).unwrap_or(u32::MAX),
            ..standing.conversation
        },
        recipients,
        gone: plan.leaving,
        copies,
    }
}

/// The answer to a change that changes nothing.
pub(crate) fn unchanged(standing: Standing) -> GroupChanged {
    let mut recipients: Vec<Recipient> =
        standing.members.into_iter().map(|(member, _)| member).collect();
    recipients.sort_unstable_by_key(|member| member.user_id);
    GroupChanged {
        conversation: standing.conversation,
        messages: Vec::new(),
        recipients,
        gone: Vec::new(),
        copies: Vec::new(),
    }
}

fn told(
    conversation_id: ConversationId,
    seq: Seq,
    client_id: ClientId,
    author: &Author,
    event: SystemEvent,
) -> Message {
    Message {
        conversation_id,
        seq,
        rev: seq,
        client_id,
        sender_id: author.user_id,
        kind: MessageKind::System,
        text: None,
        reply_to: None,
        mentions: Vec::new(),
        reactions: Vec::new(),
        event: Some(event),
        pinned: false,
        sent_at: None,
        created_at: author.at,
        edited_at: None,
        deleted_at: None,
    }
}
