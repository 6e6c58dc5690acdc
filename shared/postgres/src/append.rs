//! Writing history: one transaction of two statements, sent at once.

use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use domain::{ClientId, ConversationId, Message, Rejection, UserId, limits};
use serde_json::Value;
use service::Recipient;
use service::port::{AppendError, Appended, Commit, Submission, Verdict};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::database::{Database, Parameter};
use crate::error::DatabaseError;
use crate::query;
use crate::row::{Read, column, instant, mentions_json, message, recipients as row_recipients};

/// What makes a message the same message.
type Key = (ConversationId, UserId, ClientId);

fn key(submission: &Submission) -> Key {
    (submission.conversation_id, submission.sender_id, submission.draft.client_id)
}

pub(crate) async fn append(
    database: &Database,
    submissions: &[Submission],
) -> Result<Commit, AppendError> {
    if submissions.is_empty() {
        return Ok(Commit::default());
    }
    let columns = Columns::of(submissions);
    let mut races = 0;
    let rows = loop {
        match write(database, &columns).await {
            Err(error) if error.is_message_race() && races < limits::UNIQUE_RACE_RETRIES => {
                races += 1;
            }
            Err(error) if error.is_message_race() => return Err(error.into_transient().into()),
            answer => break answer?,
        }
    };
    Ok(commit(submissions, &rows)?)
}

/// `BEGIN`, the locks, the writing and `COMMIT` leave together and cost one round trip. The
/// server runs them one after another, so the second statement's snapshot is taken after the
/// locks. When one fails, the rest is refused and the commit rolls back.
async fn write(database: &Database, columns: &Columns) -> Result<Vec<Row>, DatabaseError> {
    let mut lease = database.lease().await?;
    let client = lease.client();
    let lock: [Parameter<'_>; 1] = [(&columns.conversation_ids, Type::UUID_ARRAY)];
    let parameters = columns.parameters();
    let pipeline = async {
        let (begun, locked, written, committed) = tokio::join!(
            client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED"),
            client.query_typed(query::LOCK_CONVERSATIONS, &lock),
            client.query_typed(query::APPEND, &parameters),
            client.batch_execute("COMMIT"),
        );
        begun?;
        locked?;
        let rows = written?;
        committed?;
        Ok(rows)
    };
    lease.settle(pipeline).await
}

/// The submissions as the arrays that the statement takes.
#[derive(Default)]
struct Columns {
    conversation_ids: Vec<Uuid>,
    sender_ids: Vec<Uuid>,
    client_ids: Vec<Uuid>,
    kinds: Vec<&'static str>,
    texts: Vec<Option<String>>,
    reply_to: Vec<Option<i64>>,
    mentions: Vec<Value>,
    sent_at: Vec<Option<SystemTime>>,
    accepted_at: Vec<SystemTime>,
    trace_ids: Vec<Uuid>,
}

impl Columns {
    fn of(submissions: &[Submission]) -> Self {
        let mut columns = Self::default();
        for Submission { conversation_id, sender_id, draft, accepted_at, trace_id } in submissions {
            columns.conversation_ids.push(conversation_id.0);
            columns.sender_ids.push(sender_id.0);
            columns.client_ids.push(draft.client_id.0);
            columns.kinds.push(draft.kind.as_str());
            columns.texts.push(draft.text.as_ref().map(ToString::to_string));
            columns.reply_to.push(draft.reply_to.map(|seq| seq.0));
            columns.mentions.push(mentions_json(&draft.mentions));
            columns.sent_at.push(draft.sent_at.map(instant));
            columns.accepted_at.push(instant(*accepted_at));
            columns.trace_ids.push(trace_id.0);
        }
        columns
    }

    fn parameters(&self) -> [Parameter<'_>; 10] {
        [
            (&self.conversation_ids, Type::UUID_ARRAY),
            (&self.sender_ids, Type::UUID_ARRAY),
            (&self.client_ids, Type::UUID_ARRAY),
            (&self.kinds, Type::TEXT_ARRAY),
            (&self.texts, Type::TEXT_ARRAY),
            (&self.reply_to, Type::INT8_ARRAY),
            (&self.mentions, Type::JSONB_ARRAY),
            (&self.sent_at, Type::TIMESTAMPTZ_ARRAY),
            (&self.accepted_at, Type::TIMESTAMPTZ_ARRAY),
            (&self.trace_ids, Type::UUID_ARRAY),
        ]
    }
}

/// One row answers the first submission of its key; the same key again, further down in the
/// batch, is known by then.
fn commit(submissions: &[Submission], rows: &[Row]) -> Read<Commit> {
    let mut commit = Commit::default();
    let mut told: HashMap<Key, Verdict> = HashMap::with_capacity(rows.len());
    for row in rows {
        let position: i64 = column(row, "position")?;
        let submission = usize::try_from(position - 1).ok().and_then(|at| submissions.get(at));
        let submission = submission.ok_or_else(|| DatabaseError::unreadable("a position"))?;
        told.insert(key(submission), verdict(row)?);
        recipients(row, submission.conversation_id, &mut commit.recipients)?;
    }
    for submission in submissions {
        let verdict = told.get_mut(&key(submission));
        let verdict = verdict.ok_or_else(|| DatabaseError::unreadable("a missing verdict"))?;
        commit.appended.push(Appended { verdict: verdict.clone() });
        if let Verdict::Stored(message) = verdict {
            *verdict = Verdict::Known(message.clone());
        }
    }
    Ok(commit)
}

fn verdict(row: &Row) -> Read<Verdict> {
    let stored = |row| -> Read<Message> {
        message(row, "")?.ok_or_else(|| DatabaseError::unreadable("a verdict without its message"))
    };
    match column(row, "verdict")? {
        "fresh" => stored(row).map(Verdict::Stored),
        "known" => stored(row).map(Verdict::Known),
        "blocked" => Ok(Verdict::Rejected(Rejection::Blocked)),
        "not_a_member" => Ok(Verdict::Rejected(Rejection::NotAMember)),
        "invalid_reply_to" => Ok(Verdict::Rejected(Rejection::InvalidReplyTo)),
        "invalid_mention" => Ok(Verdict::Rejected(Rejection::InvalidMention)),
        _ => Err(DatabaseError::unreadable("a verdict")),
    }
}

fn recipients(
    row: &Row,
    conversation_id: ConversationId,
    recipients: &mut BTreeMap<ConversationId, Vec<Recipient>>,
) -> Read<()> {
    if column::<Option<i64>>(row, "seq")?.is_none() {
        return Ok(());
    }
    let told = recipients.entry(conversation_id).or_default();
    told.extend(row_recipients(row, "recipient_ids", "recipient_joined")?);
    Ok(())
}
