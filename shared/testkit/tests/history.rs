//! The fake keeps what the Postgres ports promise.

#![allow(clippy::unwrap_used, reason = "a test may end at what it does not expect")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{
    ClientId, ConversationId, Draft, DraftParts, MessageText, Timestamp, TraceId, UserId,
};
use service::port::{AppendError, Failure, MessageStore, Submission};
use testkit::ambient::FrozenClock;
use testkit::contract::history::{HistoryFixture, HistoryPorts, Work};
use testkit::history::FakeHistory;
use uuid::Uuid;

/// A history and the database's time.
struct InMemory {
    history: Arc<FakeHistory>,
    clock: Arc<FrozenClock>,
}

impl InMemory {
    fn new() -> Self {
        let clock = FrozenClock::new();
        let history = Arc::new(FakeHistory::with_clock(clock.clone()));
        Self { history, clock }
    }
}

fn now() -> Timestamp {
    Timestamp::from_unix_ms(1_771_000_000_000).unwrap()
}

#[async_trait]
impl HistoryFixture for InMemory {
    fn process(&self) -> HistoryPorts {
        let fake = &self.history;
        HistoryPorts {
            users: fake.clone(),
            sessions: fake.clone(),
            conversations: fake.clone(),
            messages: fake.clone(),
            changes: fake.clone(),
            receipts: fake.clone(),
            acquaintances: fake.clone(),
            upkeep: fake.clone(),
            feed: fake.clone(),
            push_log: fake.clone(),
            traces: fake.clone(),
            groups: fake.clone(),
            invites: fake.clone(),
            contacts: fake.clone(),
            blocks: fake.clone(),
            mail_tokens: fake.clone(),
            passwords: fake.clone(),
            directory: fake.clone(),
            factors: fake.clone(),
            erasure: fake.clone(),
            export: fake.clone(),
        }
    }

    async fn add_member(&self, conversation: ConversationId, user: UserId) {
        self.history.add_member(conversation, user, now());
    }

    async fn remove_member(&self, conversation: ConversationId, user: UserId) {
        self.history.remove_member(conversation, user);
    }

    async fn block(&self, blocker: UserId, blocked: UserId) {
        self.history.block(blocker, blocked);
    }

    async fn age(&self, by: Duration) {
        self.clock.advance(by);
    }

    async fn cursor_from(&self, ago: Duration) -> String {
        self.history.sync_cursor_from(ago)
    }

    /// In memory nothing waits for a lock longer than a line of code.
    async fn remove_member_during(&self, conversation: ConversationId, user: UserId, work: Work) {
        self.history.remove_member(conversation, user);
        work.await;
    }
}

testkit::history_contract!(InMemory::new());

fn says(number: u128) -> Submission {
    let draft = Draft::parse(DraftParts {
        client_id: ClientId(Uuid::from_u128(number)),
        kind: None,
        text: Some(MessageText::parse("hello").unwrap()),
        reply_to: None,
        attachment_ids: Vec::new(),
        mentions: Vec::new(),
        sent_at: None,
    });
    Submission {
        conversation_id: ConversationId(Uuid::from_u128(1)),
        sender_id: UserId(Uuid::from_u128(2)),
        draft: draft.unwrap(),
        accepted_at: now(),
        trace_id: TraceId(Uuid::from_u128(3)),
    }
}

#[tokio::test]
async fn a_fake_that_is_down_can_be_reached_by_nobody_until_it_is_up() {
    let fake = FakeHistory::new();
    fake.set_down(true);
    assert!(matches!(fake.ping().await, Err(Failure::Unavailable { .. })));
    assert!(matches!(fake.append(&[says(1)]).await, Err(AppendError::Transient(_))));
    fake.set_down(false);
    assert!(fake.append(&[says(1)]).await.is_ok());
}

#[tokio::test]
async fn a_marked_message_fails_its_whole_batch() {
    let fake = FakeHistory::new();
    let (poison, garbage) = (says(1), says(2));
    fake.poison(poison.draft.client_id);
    fake.make_unstorable(garbage.draft.client_id);
    let outcome = fake.append(&[says(3), poison.clone()]).await;
    assert!(matches!(outcome, Err(AppendError::Unknown(_))), "{outcome:?}");
    let outcome = fake.append(&[says(3), garbage]).await;
    assert!(matches!(outcome, Err(AppendError::BadData(_))), "{outcome:?}");
    fake.heal(poison.draft.client_id);
    assert!(fake.append(&[says(3), poison]).await.is_ok());
}

#[test]
fn every_promise_of_the_suites_is_kept_as_a_test() {
    let suites = [
        include_str!("../src/contract/history/users.rs"),
        include_str!("../src/contract/history/sessions.rs"),
        include_str!("../src/contract/history/conversations.rs"),
        include_str!("../src/contract/history/lists.rs"),
        include_str!("../src/contract/history/messages.rs"),
        include_str!("../src/contract/history/reading.rs"),
        include_str!("../src/contract/history/changes.rs"),
        include_str!("../src/contract/history/reactions.rs"),
        include_str!("../src/contract/history/receipts.rs"),
        include_str!("../src/contract/history/people.rs"),
        include_str!("../src/contract/history/upkeep.rs"),
        include_str!("../src/contract/history/feed.rs"),
        include_str!("../src/contract/history/traces.rs"),
        include_str!("../src/contract/history/groups.rs"),
        include_str!("../src/contract/history/edits.rs"),
        include_str!("../src/contract/history/invites.rs"),
        include_str!("../src/contract/history/contacts.rs"),
        include_str!("../src/contract/history/blocks.rs"),
        include_str!("../src/contract/history/mail_tokens.rs"),
        include_str!("../src/contract/history/passwords.rs"),
        include_str!("../src/contract/history/directory.rs"),
        include_str!("../src/contract/history/factors.rs"),
        include_str!("../src/contract/history/erasure.rs"),
        include_str!("../src/contract/history/export.rs"),
    ];
    let lists = [
        include_str!("../src/contract/history/mod.rs"),
        include_str!("../src/contract/history/promises.rs"),
    ];
    let lines = lists.iter().flat_map(|list| list.lines());
    let listed = |name: &str| lines.clone().any(|line| line.trim() == name);
    for line in suites.iter().flat_map(|suite| suite.lines()) {
        let Some(rest) = line.strip_prefix("pub async fn ") else { continue };
        let name = rest.split('(').next().unwrap();
        assert!(listed(name), "{name} is not in history_contract!");
    }
}
