//! People and their groups, for tests of what happens at once. Each change comes from a process of
//! its own.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use domain::{
    ClientId, ConversationId, Draft, DraftParts, MessageText, Timestamp, Title, TraceId, UserId,
};
use postgres::{Database, PgConversations, PgGroups, PgMessages};
use service::port::{
    ConversationStore, GroupChange, GroupChanged, GroupError, GroupRequest, GroupStore,
    MessageStore, NewGroup, Submission, Verdict,
};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::support::TestDatabase;

pub struct People {
    database: TestDatabase,
    count: u128,
}

pub fn at() -> Timestamp {
    Timestamp::from_unix_ms(1_770_000_000_000).unwrap()
}

pub fn client_id(number: u128) -> ClientId {
    ClientId(Uuid::from_u128(number))
}

pub fn digest(number: u128) -> String {
    format!("{number:064x}")
}

pub fn says(conversation_id: ConversationId, sender_id: UserId, number: u128) -> Submission {
    let draft = Draft::parse(DraftParts {
        client_id: client_id(number),
        kind: None,
        text: Some(MessageText::parse("hello").unwrap()),
        reply_to: None,
        attachment_ids: Vec::new(),
        mentions: Vec::new(),
        sent_at: None,
    });
    let draft = draft.unwrap();
    let trace_id = TraceId(Uuid::from_u128(number));
    Submission { conversation_id, sender_id, draft, accepted_at: at(), trace_id }
}

impl People {
    pub async fn new(count: u128) -> Self {
        let database = TestDatabase::migrated().await;
        let client = database.connect().await;
        let ids: Vec<Uuid> = (0..count).map(|number| Uuid::from_u128(0xA000 + number)).collect();
        let sql = "
            INSERT INTO users (id, username, email, display_name, password_hash, created_at)
            SELECT id, 'person' || place - 1, 'person' || place - 1 || '@example.org', 'Somebody',
                'hash', now()
            FROM unnest($1::uuid[]) WITH ORDINALITY AS person (id, place)";
        client.execute(sql, &[&ids]).await.unwrap();
        Self { database, count }
    }

    pub fn id(&self, number: u128) -> UserId {
        assert!(number < self.count);
        UserId(Uuid::from_u128(0xA000 + number))
    }

    /// A process of its own.
    pub fn database(&self) -> Database {
        self.database.database()
    }

    pub async fn connect(&self) -> Client {
        self.database.connect().await
    }

    pub async fn say(&self, conversation_id: ConversationId, sender_id: UserId) {
        let says = says(conversation_id, sender_id, 0x7777);
        let commit = PgMessages::new(self.database()).append(&[says]).await.unwrap();
        assert!(matches!(commit.appended[0].verdict, Verdict::Stored(_)));
    }

    pub fn group_id(number: u128) -> ConversationId {
        ConversationId(Uuid::from_u128(0xC000 + number))
    }

    pub async fn group(&self, number: u128, owner: UserId, others: &[UserId]) -> ConversationId {
        let group = NewGroup {
            id: Self::group_id(number),
            client_id: client_id(0xC000 + number),
            creator: owner,
            title: Title::parse("Room").unwrap(),
            member_ids: others.to_vec(),
            created_at: at(),
        };
        PgConversations::new(self.database()).open_group(group).await.unwrap();
        Self::group_id(number)
    }

    pub async fn change(
        &self,
        conversation_id: ConversationId,
        actor_id: UserId,
        change: GroupChange,
    ) -> Result<GroupChanged, GroupError> {
        #[expect(clippy::disallowed_methods, reason = "names that differ, and nothing else")]
        let message_ids = std::array::from_fn(|_| ClientId(Uuid::new_v4()));
        let request = GroupRequest { conversation_id, actor_id, change, message_ids, at: at() };
        PgGroups::new(self.database()).change(request).await
    }

    /// Active ones.
    pub async fn owners(&self, group: ConversationId) -> i64 {
        let sql = "SELECT count(*) FROM members
            WHERE conversation_id = $1 AND role = 'owner' AND left_seq IS NULL";
        let client = self.database.connect().await;
        client.query_one(sql, &[&group.0]).await.unwrap().get(0)
    }
    /// In this database. Ends with the test if nobody ever does.
    pub async fn until_somebody_waits_for_a_lock(&self) {
        let client = self.database.connect().await;
        let sql = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        for _ in 0..500 {
            let waiting: i64 = client.query_one(sql, &[]).await.unwrap().get(0);
            if waiting > 0 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("nobody waits for a lock");
    }
}
