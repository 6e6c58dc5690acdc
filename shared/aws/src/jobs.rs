//! Queue jobs as text: what is sent and how it is read stand beside each other.

use domain::{ConnectionId, ConversationId, Invalid, Seq, SessionId, UserId, limits};
use protocol::job::{
    FanOutEventsTag, FanOutEventsV1, FanOutTo, JobConnection, JobRecipient, PersistMessagesV1,
};
use serde_json::Value;
use serde_json::error::Category;
use service::port::{FanOutJob, Submission};
use service::{Connection, Event, Identity, Recipient};

use crate::batch::BYTES_PER_CALL;
use crate::frames::{self, EventError};

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
    let origin = |s: &Submission| (s.conversation_id, s.sender_id, s.accepted_at);
    if !submissions.iter().all(|submission| origin(submission) == origin(first)) {
        return Err(EncodeError::Mixed);
    }
    let (conversation_id, sender_id, accepted_at) = origin(first);
    let drafts = submissions.iter().map(|submission| &submission.draft);
    let job = PersistMessagesV1::new(conversation_id, sender_id, accepted_at, drafts);
    Ok(serde_json::to_string(&job)?)
}

/// The submissions, at least one, in their order.
pub fn decode_persist(text: &str) -> Result<Vec<Submission>, JobError> {
    let job: PersistMessagesV1 = read(text, "persist-messages/1")?;
    let (accepted_at, drafts) = job.parse().map_err(|fields| {
        let refused = fields.0.iter().map(|(name, why)| format!("{name} {}", why.code));
        JobError::Refused(refused.collect::<Vec<_>>().join(", "))
    })?;
    if !(1..=limits::MESSAGES_PER_FRAME).contains(&drafts.len()) {
        return Err(JobError::Refused("messages must be 1 to 10".to_owned()));
    }
    let submission = |draft| Submission {
        conversation_id: ConversationId(job.conversation_id),
        sender_id: UserId(job.sender_id),
        draft,
        accepted_at,
    };
    Ok(drafts.into_iter().map(submission).collect())
}

/// One job, or several with a part of the messages each when one would be too large for a queue.
pub fn encode_fan_out(job: &FanOutJob) -> Result<Vec<String>, EncodeError> {
    let (event, to) = match job {
        FanOutJob::ToConnections { event, connections } => {
            (event, FanOutTo::Connections(connections.iter().map(wire_connection).collect()))
        }
        FanOutJob::ToMembers { event, recipients } => {
            (event, FanOutTo::Members(recipients.iter().map(wire_recipient).collect()))
        }
    };
    let mut texts = Vec::new();
    encode_parts(event, &to, &mut texts)?;
    Ok(texts)
}

/// Halves what is too large; ends at single messages at the latest.
fn encode_parts(event: &Event, to: &FanOutTo, texts: &mut Vec<String>) -> Result<(), EncodeError> {
    let (said, to_these) = (frames::said(event), to.clone());
    let job = FanOutEventsV1 { job: FanOutEventsTag::V1, event: said, to: to_these };
    let text = serde_json::to_string(&job)?;
    match halves(event).filter(|_| text.len() > BYTES_PER_CALL) {
        Some(halves) => halves.iter().try_for_each(|half| encode_parts(half, to, texts)),
        None => {
            texts.push(text);
            Ok(())
        }
    }
}

fn halves(event: &Event) -> Option<[Event; 2]> {
    let Event::MessagesNew { conversation_id, after, through, messages } = event else {
        return None;
    };
    let (first, second) = messages.split_at(messages.len() / 2);
    let boundary = first.last()?.rev;
    let half = |after, through, messages: &[domain::Message]| Event::MessagesNew {
        conversation_id: *conversation_id,
        after,
        through,
        messages: messages.to_vec(),
    };
    frames::can_be_parted(*after, *through, messages)
        .then(|| [half(*after, boundary, first), half(boundary, *through, second)])
}

/// What to say, and to whom.
pub fn decode_fan_out(text: &str) -> Result<FanOutJob, JobError> {
    let job: FanOutEventsV1 = read(text, "fan-out-events/1")?;
    let event = frames::event(&job.event)?;
    let refused = |invalid: Invalid| JobError::Refused(format!("to {}", invalid.code));
    Ok(match job.to {
        FanOutTo::Connections(wire) => {
            bounded(wire.len(), limits::CONNECTIONS_PER_JOB)?;
            let connections = wire.iter().map(read_connection).collect::<Result<_, _>>();
            FanOutJob::ToConnections { event, connections: connections.map_err(refused)? }
        }
        FanOutTo::Members(wire) => {
            bounded(wire.len(), limits::USERS_PER_JOB)?;
            let recipients = wire.iter().map(read_recipient).collect::<Result<_, _>>();
            FanOutJob::ToMembers { event, recipients: recipients.map_err(refused)? }
        }
    })
}

fn bounded(count: usize, most: usize) -> Result<(), JobError> {
    if count > most {
        return Err(JobError::Refused(format!("to names {count}, and at most {most} are allowed")));
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
