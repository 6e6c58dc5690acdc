//! All fakes at once, the services over them, and the few steps that most stories begin with.

#![allow(clippy::expect_used, reason = "a story that cannot begin panics")]

mod people;
mod services;

use std::sync::Arc;
use std::time::Duration;

use domain::{
    ClientId, ConnectionId, ConversationId, Draft, DraftParts, EmailAddress, MessageText, Password,
    Title, TraceId, UserId, Username, limits,
};
use service::port::{Clock, ConnectionStore, Entropy, Mail, PersistLane, PersistQueue, Submission};
use service::{
    Archive, Caller, Connection, Device, Event, GroupDraft, Identity, Login, PersistJob,
    Registration, SignedIn,
};
use tokio::time::Instant;
use uuid::Uuid;

use crate::ambient::{FakeHasher, FakeTokens, FrozenClock, SeededEntropy};
use crate::history::FakeHistory;
use crate::live::{FakeLive, FakePusher, FakeQueues, ReceivedJob};
use crate::mail::FakeMailer;
use crate::proof::FakeCodes;

/// What everybody's password is.
pub const PASSWORD: &str = "correct horse battery";
/// What the worker may take for one batch.
const WORKER_TIMEOUT: Duration = Duration::from_millis(4_700);

/// Everything outside of the services, in memory.
pub struct World {
    pub clock: Arc<FrozenClock>,
    pub entropy: Arc<SeededEntropy>,
    pub hasher: Arc<FakeHasher>,
    pub tokens: Arc<FakeTokens>,
    pub history: Arc<FakeHistory>,
    pub live: Arc<FakeLive>,
    pub queues: Arc<FakeQueues>,
    pub pusher: Arc<FakePusher>,
    pub mailer: Arc<FakeMailer>,
    pub codes: Arc<FakeCodes>,
}

impl World {
    pub fn new() -> Self {
        let clock = FrozenClock::new();
        Self {
            entropy: SeededEntropy::new(1),
            hasher: FakeHasher::new(),
            tokens: FakeTokens::new(clock.clone()),
            history: Arc::new(FakeHistory::with_clock(clock.clone())),
            live: FakeLive::new(),
            queues: FakeQueues::new(clock.clone()),
            pusher: FakePusher::new(),
            mailer: FakeMailer::new(),
            codes: FakeCodes::new(),
            clock,
        }
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// What a person with this name gives to sign up.
pub fn registration(name: &str) -> Registration {
    Registration {
        username: Username::parse(name).expect("a user name"),
        email: EmailAddress::parse(&format!("{name}@example.org")).expect("an address"),
        password: Password::parse(PASSWORD.to_owned()).expect("a password"),
        display_name: None,
        device: Device::default(),
    }
}

/// What they give to sign in.
pub fn login(name: &str, password: &str) -> Login {
    Login {
        login: name.to_owned(),
        password: Password::parse(password.to_owned()).expect("a password"),
        totp: None,
        device: Device::default(),
    }
}

pub fn client_id(number: u128) -> ClientId {
    ClientId(Uuid::from_u128(number))
}

/// A text message with this number as its `client_id`.
pub fn draft(number: u128) -> Draft {
    let text = MessageText::parse(&format!("message {number}")).expect("a text");
    Draft::parse(DraftParts {
        client_id: client_id(number),
        kind: None,
        text: Some(text),
        reply_to: None,
        attachment_ids: vec![],
        mentions: vec![],
        sent_at: None,
    })
    .expect("a draft")
}

pub fn caller(signed_in: &SignedIn) -> Caller {
    Caller::verified(signed_in.user.id, signed_in.session_id)
}

/// A received queue message as the worker's transport hands it over.
pub fn persist_job(received: ReceivedJob) -> PersistJob {
    let group_id = received.submissions.first().map(|one| one.conversation_id.to_string());
    PersistJob {
        receipt: received.receipt,
        group_id: group_id.unwrap_or_default(),
        receive_count: received.receives,
        body: format!("{} messages", received.submissions.len()),
        submissions: Ok(received.submissions),
    }
}

/// The steps that most stories begin with.
impl World {
    /// Signs somebody up.
    pub async fn person(&self, name: &str) -> Caller {
        let signed_in = self.registrations().register(registration(name)).await;
        caller(&signed_in.expect("the name is free"))
    }

    /// What `send-mail` does with everything that waits; answers what was sent.
    pub async fn deliver_mails(&self) -> Vec<Mail> {
        for job in self.queues.drain_mails() {
            self.post_office().send(job).await.expect("mail goes out");
        }
        self.mailer.drain()
    }

    /// Opens a socket the way a client does.
    pub async fn socket(&self, caller: Caller, name: &str) -> ConnectionId {
        let id = ConnectionId::parse(name).expect("a connection id");
        let ticket = self.tickets().issue(caller).await.expect("an active session");
        self.upgrades().connect(id.clone(), &ticket).await.expect("a fresh ticket");
        id
    }

    /// Opens a group; what its members would be told of that is dropped.
    pub async fn group(&self, owner: Caller, others: &[Caller]) -> ConversationId {
        let draft = GroupDraft {
            client_id: ClientId(self.entropy.uuid_v7()),
            title: Title::parse("a group").expect("a title"),
            member_ids: others.iter().map(|other| other.user_id()).collect(),
        };
        let opened = self.openings().open_group(owner, draft).await.expect("everybody exists");
        self.queues.drain_fan_out();
        opened.conversation.id
    }

    /// Puts one job into the lane, without the checks before it.
    pub async fn submit(&self, sender: Caller, to: ConversationId, numbers: &[u128]) {
        let trace_id = TraceId(self.entropy.uuid_v7());
        let submission = |number: &u128| Submission {
            conversation_id: to,
            sender_id: sender.user_id(),
            draft: draft(*number),
            accepted_at: self.clock.now(),
            trace_id,
        };
        let submissions: Vec<_> = numbers.iter().map(submission).collect();
        self.queues.enqueue(&submissions).await.expect("the queue is up");
    }

    /// Receives one batch and lets the archive work through it. As the platform does, deletes
    /// what did not fail. Answers the ids of what failed.
    pub async fn work(&self, archive: &Archive) -> Vec<String> {
        self.work_within(WORKER_TIMEOUT, archive).await
    }

    /// The same with another time for the batch.
    pub async fn work_within(&self, timeout: Duration, archive: &Archive) -> Vec<String> {
        let received = self.queues.receive(limits::PERSIST_BATCH);
        let receipts: Vec<_> = received.iter().map(|job| job.receipt.clone()).collect();
        let jobs = received.into_iter().map(persist_job).collect();
        let failed = archive.persist(jobs, Instant::now() + timeout).await;
        let done: Vec<_> =
            receipts.into_iter().filter(|r| !failed.contains(&r.message_id)).collect();
        // Refused while the queue is down; then they come again, as on the platform.
        let _ = self.queues.delete(&done).await;
        failed
    }

    /// A connection that was opened without a ticket, at the present time.
    pub async fn connected(&self, user_id: UserId, name: &str) -> Connection {
        let now = self.clock.now();
        let connection = Connection {
            id: ConnectionId::parse(name).expect("a connection id"),
            identity: Identity { user_id, session_id: domain::SessionId(user_id.0) },
            since: now,
            seen_at: now,
        };
        self.live.open(&connection).await.expect("the table is up");
        connection
    }

    /// The numbers of the messages that this connection was shown as new, frame by frame.
    pub fn seqs_heard_by(&self, id: &ConnectionId) -> Vec<Vec<i64>> {
        let heard = self.pusher.heard_by(id);
        let numbers = heard.iter().filter_map(|event| match event {
            Event::MessagesNew { messages, .. } => {
                Some(messages.iter().map(|message| message.seq.0).collect())
            }
            _ => None,
        });
        numbers.collect()
    }

    /// The texts of the whole history by number, the creation of a group left out.
    pub fn texts(&self, id: ConversationId) -> Vec<String> {
        let messages = self.history.history(id);
        let texts = messages.into_iter().filter_map(|message| message.text);
        texts.map(|text| text.as_str().to_owned()).collect()
    }
}
