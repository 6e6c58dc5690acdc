//! Queue jobs as text: what is sent and how it is read stand beside each other.

mod people;

use domain::{ConnectionId, ConversationId, Invalid, Seq, SessionId, TraceId, UserId, limits};
use protocol::Fields;
use protocol::job::{
    AnnouncePresenceTag, AnnouncePresenceV1, FanOutEventsTag, FanOutEventsV1, FanOutTo,
    JobConnection, JobRecipient, PersistMessagesV1, RecordPushTag, RecordPushV1, RecordReceiptTag,
    RecordReceiptV1,
};
use protocol::value::Progress;
use serde_json::Value;
use serde_json::error::Category;
use service::port::{FanOutJob, PushRecord, ReceiptClaim, RecordJob, Submission};
use service::{Connection, Event, Identity, Recipient};
use uuid::Uuid;

use crate::batch::BYTES_PER_CALL;
use crate::frames::{self, EventError};

pub use people::{decode_erasure, decode_mail, encode_erasure, encode_mail};

/// Frames whose messages one job tells: all that one batch of the persist lane may bring.
const TRACES_PER_JOB: usize = limits::PERSIST_BATCH * limits::MESSAGES_PER_FRAME;

/// Why text is not a job, without the text itself: it may hold what people wrote.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    #[error("not JSON (line {line}, column {column})")]
    NotJson { line: usize, column: usize },
    #[error("no job of this worker, or not of its version")]
    UnknownJob,
    #[error("not of the job's shape (line {line}, column {column})")]
    WrongShape { line: usize, column: usize },
    #[error("the job's fields were refused: {0}")]
    Refused(String),
    #[error(transparent)]
    Event(#[from] EventError),
}

/// Why submissions are not a job.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    #[error("a job needs a submission")]
    Empty,
    #[error("the submissions of a job are of one sender in one conversation, accepted at once")]
    Mixed,
    #[error("the job cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// All submissions of one frame, as one job.
pub fn encode_persist(submissions: &[Submission]) -> Result<String, EncodeError> {
    let first = submissions.first().ok_or(EncodeError::Empty)?;
    let origin = |s: &Submission| (s.conversation_id, s.sender_id, s.accepted_at, s.trace_id);
    if !submissions.iter().all(|submission| origin(submission) == origin(first)) {
        return Err(EncodeError::Mixed);
    }
    let (conversation_id, sender_id, accepted_at, trace_id) = origin(first);
    let drafts = submissions.iter().map(|submission| &submission.draft);
    let job = PersistMessagesV1::new(conversation_id, sender_id, accepted_at, trace_id, drafts);
    Ok(serde_json::to_string(&job)?)
}

/// The submissions, at least one, in their order.
pub fn decode_persist(text: &str) -> Result<Vec<Submission>, JobError> {
    let job: PersistMessagesV1 = read(text, "persist-messages/1")?;
    let (accepted_at, drafts) = job.parse().map_err(|fields| refused_fields(&fields))?;
    if !(1..=limits::MESSAGES_PER_FRAME).contains(&drafts.len()) {
        return Err(JobError::Refused("messages must be 1 to 10".to_owned()));
    }
    let submission = |draft| Submission {
        conversation_id: ConversationId(job.conversation_id),
        sender_id: UserId(job.sender_id),
        draft,
        accepted_at,
        trace_id: TraceId(job.trace_id),
    };
    Ok(drafts.into_iter().map(submission).collect())
}

/// One job, or several with a part of the news each when one would be too large for a queue.
pub fn encode_fan_out(job: &FanOutJob) -> Result<Vec<String>, EncodeError> {
    let (event, trace_ids, to) = match job {
        FanOutJob::ToConnections { event, trace_ids, connections } => {
            let connections = connections.iter().map(wire_connection).collect();
            (event, trace_ids, FanOutTo::Connections(connections))
        }
        FanOutJob::ToMembers { event, trace_ids, recipients } => {
            let recipients = recipients.iter().map(wire_recipient).collect();
            (event, trace_ids, FanOutTo::Members(recipients))
        }
    };
    let trace_ids: Vec<Uuid> = trace_ids.iter().map(|id| id.0).collect();
    let mut texts = Vec::new();
    encode_parts(event, &trace_ids, &to, &mut texts)?;
    Ok(texts)
}

/// Halves what is too large; ends at single messages at the latest.
fn encode_parts(
    event: &Event,
    trace_ids: &[Uuid],
    to: &FanOutTo,
    texts: &mut Vec<String>,
) -> Result<(), EncodeError> {
    let text = serde_json::to_string(&FanOutEventsV1 {
        job: FanOutEventsTag::V1,
        event: frames::said(event),
        trace_ids: trace_ids.to_vec(),
        to: to.clone(),
    })?;
    if text.len() > BYTES_PER_CALL
        && let Some(halves) = frames::halves(event)
    {
        return halves.iter().try_for_each(|half| encode_parts(half, trace_ids, to, texts));
    }
    texts.push(text);
    Ok(())
}

/// What to say, and to whom.
pub fn decode_fan_out(text: &str) -> Result<FanOutJob, JobError> {
    let job: FanOutEventsV1 = read(text, "fan-out-events/1")?;
    let event = frames::event(&job.event)?;
    bounded("trace_ids", job.trace_ids.len(), TRACES_PER_JOB)?;
    let trace_ids = job.trace_ids.into_iter().map(TraceId).collect();
    Ok(match job.to {
        FanOutTo::Connections(wire) => {
            bounded("to", wire.len(), limits::CONNECTIONS_PER_JOB)?;
            let connections = wire.iter().map(read_connection).collect::<Result<_, _>>();
            let connections = connections.map_err(refused("to"))?;
            FanOutJob::ToConnections { event, trace_ids, connections }
        }
        FanOutTo::Members(wire) => {
            bounded("to", wire.len(), limits::USERS_PER_JOB)?;
            let recipients = wire.iter().map(read_recipient).collect::<Result<_, _>>();
            let recipients = recipients.map_err(refused("to"))?;
            FanOutJob::ToMembers { event, trace_ids, recipients }
        }
    })
}

/// What `receipts-to-record` carries, as one job.
pub fn encode_record(job: &RecordJob) -> Result<String, EncodeError> {
    Ok(match job {
        RecordJob::Receipt(claim) => {
            let (delivered, read) = (claim.delivered.map(|seq| seq.0), claim.read.map(|seq| seq.0));
            serde_json::to_string(&RecordReceiptV1 {
                job: RecordReceiptTag::V1,
                conversation_id: claim.conversation_id.0,
                user_id: claim.user_id.0,
                progress: Progress { delivered, read },
            })?
        }
        RecordJob::Push(push) => serde_json::to_string(&RecordPushV1 {
            job: RecordPushTag::V1,
            conversation_id: push.conversation_id.0,
            after: push.after.0,
            through: push.through.0,
            devices: push.devices,
            at: push.at.map(|at| at.to_string()),
        })?,
    })
}

/// A receipt, or a push to note.
pub fn decode_record(text: &str) -> Result<RecordJob, JobError> {
    match read::<RecordPushV1>(text, "record-push/1") {
        Ok(job) => {
            let after = Seq::parse(job.after).map_err(refused("after"))?;
            let through = Seq::parse(job.through).map_err(refused("through"))?;
            let conversation_id = ConversationId(job.conversation_id);
            let at = job.at.map(|at| at.parse()).transpose().map_err(refused("at"))?;
            let devices = job.devices;
            let push = PushRecord { conversation_id, after, through, devices, at };
            return Ok(RecordJob::Push(push));
        }
        Err(JobError::UnknownJob) => {}
        Err(error) => return Err(error),
    }
    let job: RecordReceiptV1 = read(text, "record-receipt/1")?;
    let mark = |raw: Option<i64>| raw.map(Seq::parse).transpose();
    Ok(RecordJob::Receipt(ReceiptClaim {
        conversation_id: ConversationId(job.conversation_id),
        user_id: UserId(job.user_id),
        delivered: mark(job.progress.delivered).map_err(refused("delivered"))?,
        read: mark(job.progress.read).map_err(refused("read"))?,
    }))
}

/// That somebody may have come or gone.
pub fn encode_announcement(user: UserId) -> Result<String, EncodeError> {
    let job = AnnouncePresenceV1 { job: AnnouncePresenceTag::V1, user_id: user.0 };
    Ok(serde_json::to_string(&job)?)
}

/// Who may have come or gone.
pub fn decode_announcement(text: &str) -> Result<UserId, JobError> {
    let job: AnnouncePresenceV1 = read(text, "announce-presence/1")?;
    Ok(UserId(job.user_id))
}

fn refused(field: &'static str) -> impl Fn(Invalid) -> JobError {
    move |invalid| JobError::Refused(format!("{field} {}", invalid.code))
}

fn refused_fields(fields: &Fields) -> JobError {
    let refused = fields.0.iter().map(|(name, why)| format!("{name} {}", why.code));
    JobError::Refused(refused.collect::<Vec<_>>().join(", "))
}

fn bounded(field: &str, count: usize, most: usize) -> Result<(), JobError> {
    if count > most {
        let why = format!("{field} names {count}, and at most {most} are allowed");
        return Err(JobError::Refused(why));
    }
    Ok(())
}

/// The job, or which of the three ways it is none.
fn read<T: serde::de::DeserializeOwned>(text: &str, tag: &str) -> Result<T, JobError> {
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        match (error.classify(), serde_json::from_str::<Value>(text)) {
            (Category::Data, Ok(value)) if value["job"] == tag => {
                JobError::WrongShape { line, column }
            }
            (_, Ok(_)) => JobError::UnknownJob,
            _ => JobError::NotJson { line, column },
        }
    })
}

fn wire_connection(connection: &Connection) -> JobConnection {
    JobConnection {
        connection_id: connection.id.to_string(),
        user_id: connection.identity.user_id.0,
        session_id: connection.identity.session_id.0,
        since: connection.since.to_string(),
        seen_at: connection.seen_at.to_string(),
    }
}

fn read_connection(wire: &JobConnection) -> Result<Connection, Invalid> {
    let id: ConnectionId = wire.id()?;
    let (user_id, session_id) = (UserId(wire.user_id), SessionId(wire.session_id));
    let (since, seen_at) = (wire.since.parse()?, wire.seen_at.parse()?);
    Ok(Connection { id, identity: Identity { user_id, session_id }, since, seen_at })
}

fn wire_recipient(recipient: &Recipient) -> JobRecipient {
    JobRecipient { user_id: recipient.user_id.0, joined_seq: recipient.joined_seq.0 }
}

fn read_recipient(wire: &JobRecipient) -> Result<Recipient, Invalid> {
    Ok(Recipient { user_id: UserId(wire.user_id), joined_seq: Seq::parse(wire.joined_seq)? })
}
