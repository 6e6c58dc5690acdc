//! `MessageChanges`: edits, deletions, reactions and pins.

use std::str::FromStr;

use async_trait::async_trait;
use domain::{Actor, Change, ConversationId, Emoji, Message, Reaction, Seq, UserId, limits};
use service::Page;
use service::port::{ChangeError, ChangeRequest, Changed, MessageChanges, PageError};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::cursor::{decode_number, encode_number};
use crate::database::{Lease, Parameter};
use crate::error::DatabaseError;
use crate::messages::PgMessages;
use crate::query;
use crate::row::{
    Read, column, instant, mentions_json, message, parsed, reactions_json, recipients, seq,
    user_id, user_ids,
};

/// What comes of a request.
enum Judgement {
    /// The message as it is to be, without its new number.
    Write(Box<Message>),
    Unchanged(Box<Message>),
    Refused(ChangeError),
}

#[async_trait]
impl MessageChanges for PgMessages {
    /// Two round trips: the lock and what the change is judged by, then the writing and the end.
    async fn change(&self, request: ChangeRequest) -> Result<Changed, ChangeError> {
        let mut lease = self.database.lease().await?;
        let target = lock_and_read(&mut lease, &request).await?;
        let answer = match judge(&request, target.as_ref())? {
            Judgement::Write(after) => return Ok(write(&mut lease, &request, *after).await?),
            Judgement::Unchanged(message) => Ok(Changed { message: *message, recipients: None }),
            Judgement::Refused(refusal) => Err(refusal),
        };
        let client = lease.client();
        lease.settle(client.batch_execute("ROLLBACK")).await?;
        answer
    }

    async fn reactors(
        &self,
        user: UserId,
        conversation_id: ConversationId,
        seq: Seq,
        emoji: &Emoji,
        page: Page,
    ) -> Result<Option<(Vec<UserId>, Option<String>)>, PageError> {
        let last = page.cursor.as_deref().map(decode_number).transpose()?.unwrap_or_default();
        let limit = page.limit.clamp(1, limits::PAGE_MAX);
        let parameters: [Parameter<'_>; 6] = [
            (&conversation_id.0, Type::UUID),
            (&user.0, Type::UUID),
            (&seq.0, Type::INT8),
            (&emoji.as_str(), Type::TEXT),
            (&last, Type::INT8),
            (&(i64::from(limit) + 1), Type::INT8),
        ];
        let rows = self.database.query(query::REACTORS, &parameters).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        Ok(Some(reactors(&rows, limit as usize)?))
    }
}

/// Leaves the transaction open.
async fn lock_and_read(
    lease: &mut Lease<'_>,
    request: &ChangeRequest,
) -> Result<Option<Row>, DatabaseError> {
    let client = lease.client();
    let ids = [request.conversation_id.0].to_vec();
    let emoji = match &request.change {
        Change::React(emoji) | Change::Unreact(emoji) => Some(emoji.as_str()),
        _ => None,
    };
    let mentions = match &request.change {
        Change::Edit { mentions, .. } if !mentions.is_empty() => Some(mentions_json(mentions)),
        _ => None,
    };
    let lock: [Parameter<'_>; 1] = [(&ids, Type::UUID_ARRAY)];
    let first = i64::try_from(limits::USERS_PER_REACTION).unwrap_or(i64::MAX - 1) + 1;
    let target: [Parameter<'_>; 6] = [
        (&request.conversation_id.0, Type::UUID),
        (&request.user_id.0, Type::UUID),
        (&request.seq.0, Type::INT8),
        (&emoji, Type::TEXT),
        (&first, Type::INT8),
        (&mentions, Type::JSONB),
    ];
    let pipeline = async {
        let (begun, locked, read) = tokio::join!(
            client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED"),
            client.query_typed(query::LOCK_CONVERSATIONS, &lock),
            client.query_typed(query::CHANGE_TARGET, &target),
        );
        begun?;
        locked?;
        Ok(read?.into_iter().next())
    };
    lease.step(pipeline).await
}

fn judge(request: &ChangeRequest, target: Option<&Row>) -> Read<Judgement> {
    let Some(row) = target else { return Ok(Judgement::Refused(ChangeError::NotAMember)) };
    let Some(message) = message(row, "")? else {
        return Ok(Judgement::Refused(ChangeError::NoSuchMessage));
    };
    let actor = Actor {
        user_id: request.user_id,
        role: parsed(row, "role", FromStr::from_str)?,
        conversation_type: parsed(row, "conversation_type", FromStr::from_str)?,
        is_blocked: column(row, "is_blocked")?,
    };
    if let Err(refusal) = request.change.check(&actor, &message) {
        return Ok(Judgement::Refused(ChangeError::Refused(refusal)));
    }
    if column(row, "mentions_a_stranger")? {
        return Ok(Judgement::Refused(ChangeError::InvalidMention));
    }
    let after = match &request.change {
        Change::React(emoji) | Change::Unreact(emoji) => {
            let reaction = reaction_after(request, emoji, &message, row)?;
            reaction.map(|reaction| {
                let mut after = message.clone();
                after.set_reaction(reaction);
                after
            })
        }
        change => change.apply(&message, request.at),
    };
    Ok(match after {
        Some(after) => Judgement::Write(Box::new(after)),
        None => Judgement::Unchanged(Box::new(message)),
    })
}

/// The reactions of this emoji once the user has given theirs, or taken it back; `None` when they
/// had.
fn reaction_after(
    request: &ChangeRequest,
    emoji: &Emoji,
    message: &Message,
    row: &Row,
) -> Read<Option<Reaction>> {
    let has_reacted: bool = column(row, "has_reacted")?;
    let mut users = user_ids(row, "first_reactors")?;
    let known = message.reactions.iter().find(|reaction| reaction.emoji == *emoji);
    let before = known.map_or(0, |reaction| reaction.count);
    let count = match (&request.change, has_reacted) {
        (Change::React(_), false) => {
            users.push(request.user_id);
            before + 1
        }
        (Change::Unreact(_), true) => {
            users.retain(|user| *user != request.user_id);
            before.saturating_sub(1)
        }
        _ => return Ok(None),
    };
    users.truncate(limits::USERS_PER_REACTION);
    Ok(Some(Reaction { emoji: emoji.clone(), count, user_ids: users }))
}

/// Ends the transaction that [`lock_and_read`] began.
async fn write(
    lease: &mut Lease<'_>,
    request: &ChangeRequest,
    after: Message,
) -> Result<Changed, DatabaseError> {
    let client = lease.client();
    let (given, taken_back) = match &request.change {
        Change::React(emoji) => (Some(emoji.as_str()), None),
        Change::Unreact(emoji) => (None, Some(emoji.as_str())),
        _ => (None, None),
    };
    let text = after.text.as_ref().map(ToString::to_string);
    let parameters: [Parameter<'_>; 12] = [
        (&request.conversation_id.0, Type::UUID),
        (&request.seq.0, Type::INT8),
        (&text, Type::TEXT),
        (&mentions_json(&after.mentions), Type::JSONB),
        (&reactions_json(&after.reactions), Type::JSONB),
        (&after.pinned, Type::BOOL),
        (&after.edited_at.map(instant), Type::TIMESTAMPTZ),
        (&after.deleted_at.map(instant), Type::TIMESTAMPTZ),
        (&request.user_id.0, Type::UUID),
        (&given, Type::TEXT),
        (&taken_back, Type::TEXT),
        (&instant(request.at), Type::TIMESTAMPTZ),
    ];
    let pipeline = async {
        let (written, committed) = tokio::join!(
            client.query_typed(query::WRITE_CHANGE, &parameters),
            client.batch_execute("COMMIT"),
        );
        let rows = written?;
        committed?;
        Ok(rows)
    };
    let rows = lease.settle(pipeline).await?;
    let row = rows.first().ok_or_else(|| DatabaseError::unreadable("a change without a row"))?;
    let recipients = recipients(row, "recipient_ids", "recipient_joined")?;
    let message = Message { rev: seq(row, "rev")?, ..after };
    Ok(Changed { message, recipients: Some(recipients) })
}

/// Without the row that tells that there are more, and without the one that stands for none.
fn reactors(rows: &[Row], limit: usize) -> Read<(Vec<UserId>, Option<String>)> {
    let shown = &rows[..rows.len().min(limit)];
    let next = match shown.last() {
        Some(last) if rows.len() > limit => Some(encode_number(column(last, "rev")?)),
        _ => None,
    };
    let mut users = Vec::with_capacity(shown.len());
    for row in shown {
        if column::<Option<Uuid>>(row, "user_id")?.is_some() {
            users.push(user_id(row, "user_id")?);
        }
    }
    Ok((users, next))
}

impl From<DatabaseError> for ChangeError {
    fn from(error: DatabaseError) -> Self {
        Self::Failure(error.into())
    }
}
