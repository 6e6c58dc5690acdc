//! The quarantine as people work with it: look at what was set aside, put it back on its lane, or
//! throw it away.
//!
//! SQS cannot be browsed. To look is to receive, which hides a message from others for a moment,
//! and then to give it back. Of one conversation a FIFO queue hands out ten messages at a time;
//! the rest shows when these are gone, and [`Look::count`] tells that there is more.

mod words;

use std::collections::BTreeSet;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::SdkError;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, Message, MessageSystemAttributeName,
    QueueAttributeName,
};
use service::port::{Failure, Submission};

use crate::batch::ENTRIES_PER_CALL;
use crate::queues::{WHAT, bug};
use crate::{call, jobs};

pub use words::{heading, line, printable, shown};

/// Messages looked at in one go.
const LOOK_MAX: usize = 1_000;
/// How long a message is hidden while it is looked at; one whose reader died shows again after it.
const HIDDEN_SECONDS: i32 = 60;
/// What a receive asks for: all that SQS has.
const PER_RECEIVE: i32 = 10;

/// The two queues, as they are named in a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queues {
    pub quarantine_url: String,
    pub persist_url: String,
}

impl Queues {
    /// By the names that `template.yaml` gives them.
    pub async fn of_stack(client: &Client, stack: &str) -> Result<Self, Failure> {
        let url = async |name: &str| {
            let name = format!("{stack}-{name}");
            let answer = match client.get_queue_url().queue_name(&name).send().await {
                Err(SdkError::ServiceError(refused)) if refused.err().is_queue_does_not_exist() => {
                    let why = format!("there is no queue {name}: is {stack} the stack's name?");
                    return Err(Failure::bug(WHAT, why));
                }
                answer => answer.map_err(|error| call::failure(WHAT, error))?,
            };
            answer.queue_url.ok_or_else(|| Failure::bug(WHAT, "the queue has no address"))
        };
        let quarantine_url = url("quarantined-messages.fifo").await?;
        Ok(Self { quarantine_url, persist_url: url("messages-to-persist.fifo").await? })
    }
}

/// A job that was set aside.
#[derive(Debug, Clone)]
pub struct SetAside {
    /// SQS's name of the message.
    pub id: String,
    pub conversation_id: Option<String>,
    /// Why, in our own words.
    pub reason: String,
    pub quarantined_at: Option<String>,
    /// As it came from the lane.
    pub body: String,
    group: String,
    handle: String,
}

impl SetAside {
    /// What the body says, or why it cannot be read.
    pub fn submissions(&self) -> Result<Vec<Submission>, jobs::JobError> {
        jobs::decode_persist(&self.body)
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Look {
    pub found: Vec<SetAside>,
    /// How many SQS says there are, about; more than were found when one conversation has more
    /// than ten, or when others are looking too.
    pub count: usize,
}

/// What became of a job that was to go back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Replayed,
    Dropped,
    /// It stays, for this reason.
    Refused(String),
}

/// What became of each, by its name.
pub type Outcomes = Vec<(String, Outcome)>;

/// Works on one quarantine.
pub struct Quarantine {
    client: Client,
    queues: Queues,
}

impl Quarantine {
    pub fn new(client: Client, queues: Queues) -> Self {
        Self { client, queues }
    }

    /// Looks at what is there, and gives all of it back.
    pub async fn look(&self) -> Result<Look, Failure> {
        let found = self.take_all().await;
        let count = self.count().await;
        if let Ok(found) = &found {
            self.give_back(found).await?;
        }
        let found = found?;
        Ok(Look { count: count?.max(found.len()), found })
    }

    /// Puts one job back on its lane; `None` when there is none of this name.
    pub async fn replay(&self, id: &str) -> Result<Option<Outcome>, Failure> {
        self.with_one(id, Deed::Replay).await
    }

    /// Throws one job away for good; `None` when there is none of this name.
    pub async fn throw_away(&self, id: &str) -> Result<Option<Outcome>, Failure> {
        self.with_one(id, Deed::Drop).await
    }

    /// Puts every job back, each conversation's in its order. Also answers what ended it early.
    pub async fn replay_all(&self) -> (Outcomes, Result<(), Failure>) {
        self.with_all(Deed::Replay).await
    }

    /// Throws every job away for good. Also answers what ended it early.
    pub async fn throw_all_away(&self) -> (Outcomes, Result<(), Failure>) {
        self.with_all(Deed::Drop).await
    }

    async fn with_one(&self, id: &str, deed: Deed) -> Result<Option<Outcome>, Failure> {
        let mut found = self.take_all().await?;
        let Some(at) = found.iter().position(|job| job.id == id) else {
            self.give_back(&found).await?;
            return Ok(None);
        };
        let job = found.swap_remove(at);
        let outcome = self.one(&job, deed).await;
        if !matches!(outcome, Ok(Outcome::Replayed | Outcome::Dropped)) {
            found.push(job);
        }
        // The deed is done or not, whatever becomes of this: they show again within a minute.
        if let Err(failure) = self.give_back(&found).await {
            tracing::warn!(%failure, "jobs stay hidden for a minute");
        }
        outcome.map(Some)
    }

    /// Round by round, since what is hidden lets nothing of its conversation pass. What is refused
    /// stays hidden until all others are done.
    async fn with_all(&self, deed: Deed) -> (Outcomes, Result<(), Failure>) {
        let (mut done, mut kept) = (Vec::new(), Vec::new());
        let ended = self.rounds(deed, &mut done, &mut kept).await;
        (done, ended.and(self.give_back(&kept).await))
    }

    async fn rounds(
        &self,
        deed: Deed,
        done: &mut Outcomes,
        kept: &mut Vec<SetAside>,
    ) -> Result<(), Failure> {
        while done.len() < LOOK_MAX {
            let round = self.receive().await?;
            if round.is_empty() {
                break;
            }
            let mut round = round.into_iter();
            while let Some(job) = round.next() {
                let outcome = self.one(&job, deed).await;
                if !matches!(outcome, Ok(Outcome::Replayed | Outcome::Dropped)) {
                    kept.push(job.clone());
                }
                match outcome {
                    Ok(outcome) => done.push((job.id, outcome)),
                    Err(failure) => {
                        kept.extend(round);
                        return Err(failure);
                    }
                }
            }
        }
        Ok(())
    }

    async fn one(&self, job: &SetAside, deed: Deed) -> Result<Outcome, Failure> {
        if deed == Deed::Drop {
            self.delete(job).await?;
            return Ok(Outcome::Dropped);
        }
        let group = match job.submissions() {
            Ok(submissions) => submissions.first().map(|first| first.conversation_id.to_string()),
            Err(why) => return Ok(Outcome::Refused(why.to_string())),
        };
        // Its name in the quarantine is new to the lane. Should the deletion below fail, a replay
        // within five minutes sends nothing twice; after that, the client ids see to it.
        let send = self.client.send_message().queue_url(&self.queues.persist_url);
        let send = send.message_body(&job.body).message_deduplication_id(&job.id);
        let sent = send.set_message_group_id(group).send().await;
        sent.map_err(|error| call::failure(WHAT, error))?;
        self.delete(job).await?;
        Ok(Outcome::Replayed)
    }

    async fn delete(&self, job: &SetAside) -> Result<(), Failure> {
        let delete = self.client.delete_message().queue_url(&self.queues.quarantine_url);
        let deleted = delete.receipt_handle(&job.handle).send().await;
        deleted.map(drop).map_err(|error| call::failure(WHAT, error))
    }

    /// All that SQS hands out, hidden for a minute.
    async fn take_all(&self) -> Result<Vec<SetAside>, Failure> {
        let (mut found, mut ids) = (Vec::new(), BTreeSet::new());
        while found.len() < LOOK_MAX {
            let round = match self.receive().await {
                Ok(round) => round,
                Err(failure) => {
                    self.give_back(&found).await?;
                    return Err(failure);
                }
            };
            let before = found.len();
            found.extend(round.into_iter().filter(|job| ids.insert(job.id.clone())));
            if found.len() == before {
                break;
            }
        }
        Ok(found)
    }

    async fn receive(&self) -> Result<Vec<SetAside>, Failure> {
        let receive = self.client.receive_message().queue_url(&self.queues.quarantine_url);
        let answer = receive
            .max_number_of_messages(PER_RECEIVE)
            .visibility_timeout(HIDDEN_SECONDS)
            .wait_time_seconds(1)
            .message_system_attribute_names(MessageSystemAttributeName::MessageGroupId)
            .message_attribute_names("All")
            .send()
            .await;
        let answer = answer.map_err(|error| call::failure(WHAT, error))?;
        Ok(answer.messages.unwrap_or_default().into_iter().filter_map(set_aside).collect())
    }

    /// Lets others see them at once, in their order. One that is gone meanwhile is fine.
    async fn give_back(&self, jobs: &[SetAside]) -> Result<(), Failure> {
        for some in jobs.chunks(ENTRIES_PER_CALL) {
            let entry = |(index, job): (usize, &SetAside)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder();
                let entry = entry.id(index.to_string()).receipt_handle(&job.handle);
                entry.visibility_timeout(0).build()
            };
            let entries = some.iter().enumerate().map(entry).collect::<Result<_, _>>();
            let change = self.client.change_message_visibility_batch();
            let change = change.queue_url(&self.queues.quarantine_url);
            let changed = change.set_entries(Some(entries.map_err(bug)?)).send().await;
            changed.map_err(|error| call::failure(WHAT, error))?;
        }
        Ok(())
    }

    async fn count(&self) -> Result<usize, Failure> {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let get = self.client.get_queue_attributes().queue_url(&self.queues.quarantine_url);
        let get = get.set_attribute_names(Some(names.to_vec()));
        let answer = get.send().await.map_err(|error| call::failure(WHAT, error))?;
        let attributes = answer.attributes.unwrap_or_default();
        let counts = names.iter().filter_map(|name| attributes.get(name)?.parse::<usize>().ok());
        Ok(counts.sum())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Replay,
    Drop,
}

/// `None` for a message without a handle, with which nothing could be done.
fn set_aside(message: Message) -> Option<SetAside> {
    let attributes = message.message_attributes.unwrap_or_default();
    let text = |name: &str| attributes.get(name)?.string_value.clone();
    let system = message.attributes.unwrap_or_default();
    let group = system.get(&MessageSystemAttributeName::MessageGroupId).cloned();
    Some(SetAside {
        id: message.message_id?,
        conversation_id: text("conversation_id"),
        reason: text("reason").unwrap_or_else(|| "unknown".to_owned()),
        quarantined_at: text("quarantined_at"),
        body: message.body.unwrap_or_default(),
        group: group.unwrap_or_default(),
        handle: message.receipt_handle?,
    })
}
