//! A database of its own for each test, on the server that TEST_DATABASE_URL names.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test may end at what it does not expect")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{ConversationId, UserId, limits};
use postgres::{
    Database, DatabaseConfig, PgAccounts, PgConversations, PgErasure, PgGroups, PgMessages,
    PgPeople, PgReceipts, PgTraces, PgUpkeep,
};
use std::sync::Arc;
use testkit::contract::history::{HistoryFixture, HistoryPorts, Work};
use tokio_postgres::{Client, NoTls};

/// Dropped with the value.
pub struct TestDatabase {
    pub config: DatabaseConfig,
}

/// The server, with rights to create databases.
pub fn server() -> DatabaseConfig {
    #[expect(clippy::disallowed_methods, reason = "tests are told here where their server is")]
    let url = std::env::var("TEST_DATABASE_URL").expect(
        "these tests need a Postgres server: set TEST_DATABASE_URL to the URL of a superuser, \
         such as postgres://postgres:password@127.0.0.1:5432/postgres",
    );
    DatabaseConfig::from_url(&url).expect("TEST_DATABASE_URL must be the URL of a database")
}

pub async fn connect(config: &DatabaseConfig) -> Client {
    let (client, connection) = tokio_postgres::Config::new()
        .host(&config.host)
        .port(config.port)
        .user(&config.username)
        .password(&config.password)
        .dbname(&config.dbname)
        .connect(NoTls)
        .await
        .expect("the server of TEST_DATABASE_URL must let us in");
    tokio::spawn(connection);
    client
}

impl TestDatabase {
    pub async fn empty() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dbname = format!("confab_test_{}_{number}", std::process::id());
        let server = server();
        let admin = connect(&server).await;
        admin
            .batch_execute(&format!("DROP DATABASE IF EXISTS {dbname} WITH (FORCE)"))
            .await
            .expect("drops what a killed run left");
        let create = format!("CREATE DATABASE {dbname} ENCODING 'UTF8' TEMPLATE template0");
        admin.batch_execute(&create).await.expect("TEST_DATABASE_URL must allow CREATE DATABASE");
        Self { config: DatabaseConfig { dbname, ..server } }
    }

    pub async fn migrated() -> Self {
        let database = Self::empty().await;
        postgres::migrate(&database.config).await.expect("migrates");
        database
    }

    pub async fn connect(&self) -> Client {
        connect(&self.config).await
    }

    pub fn database(&self) -> Database {
        Database::new(self.config.clone())
    }
}

impl Drop for TestDatabase {
    /// In a thread of its own, because the test's runtime may be ending.
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.config.dbname);
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                connect(&server()).await.batch_execute(&drop).await.expect("drops");
            });
        });
        if dropping.join().is_err() {
            eprintln!("{} could not be dropped", self.config.dbname);
        }
    }
}

#[async_trait]
impl HistoryFixture for TestDatabase {
    /// With a connection of its own.
    fn process(&self) -> HistoryPorts {
        let database = self.database();
        let accounts = Arc::new(PgAccounts::new(database.clone()));
        let conversations = Arc::new(PgConversations::new(database.clone()));
        let messages = Arc::new(PgMessages::new(database.clone()));
        let traces = Arc::new(PgTraces::new(database.clone()));
        let groups = Arc::new(PgGroups::new(database.clone()));
        let people = Arc::new(PgPeople::new(database.clone()));
        let erasure = Arc::new(PgErasure::new(database.clone()));
        HistoryPorts {
            users: accounts.clone(),
            sessions: accounts.clone(),
            mail_tokens: accounts.clone(),
            passwords: accounts.clone(),
            directory: accounts.clone(),
            factors: accounts,
            groups: groups.clone(),
            invites: groups,
            contacts: people.clone(),
            blocks: people,
            erasure: erasure.clone(),
            export: erasure,
            conversations: conversations.clone(),
            messages: messages.clone(),
            changes: messages,
            receipts: Arc::new(PgReceipts::new(database.clone())),
            acquaintances: conversations.clone(),
            upkeep: Arc::new(PgUpkeep::new(database)),
            feed: conversations,
            push_log: traces.clone(),
            traces,
        }
    }

    async fn add_member(&self, conversation: ConversationId, user: UserId) {
        let sql = "
            INSERT INTO members (conversation_id, user_id, role, joined_seq, delivered_seq,
                read_seq, joined_at)
            SELECT id, $2, 'member', last_seq, last_seq, last_seq, now()
            FROM conversations WHERE id = $1
            ON CONFLICT (conversation_id, user_id) DO UPDATE
            SET joined_seq = excluded.joined_seq, delivered_seq = excluded.delivered_seq,
                read_seq = excluded.read_seq, joined_at = now(), left_seq = NULL";
        self.connect().await.execute(sql, &[&conversation.0, &user.0]).await.expect("adds");
    }

    async fn remove_member(&self, conversation: ConversationId, user: UserId) {
        self.connect().await.execute(REMOVE, &[&conversation.0, &user.0]).await.expect("removes");
    }

    async fn block(&self, blocker: UserId, blocked: UserId) {
        let sql = "INSERT INTO blocks VALUES ($1, $2, now())";
        self.connect().await.execute(sql, &[&blocker.0, &blocked.0]).await.expect("blocks");
    }

    /// Without the trigger that dates a member's row.
    async fn age(&self, by: Duration) {
        let mut sql = String::from("SET session_replication_role = replica;");
        for (table, column) in [
            ("messages", "touched_at"),
            ("messages", "stored_at"),
            ("conversations", "touched_at"),
            ("members", "changed_at"),
            ("members", "nudged_at"),
            ("membership_changes", "changed_at"),
            ("traces", "at"),
        ] {
            let seconds = by.as_secs_f64();
            let older = format!("{column} - make_interval(secs => {seconds})");
            sql.push_str(&format!("UPDATE {table} SET {column} = {older};"));
        }
        self.connect().await.batch_execute(&sql).await.expect("ages");
    }

    /// The layout is the one of src/sync_cursor.rs.
    async fn cursor_from(&self, ago: Duration) -> String {
        let sql = "SELECT (extract(epoch FROM now()) * 1000)::bigint";
        let row = self.connect().await.query_one(sql, &[]).await.expect("tells the time");
        let before = i64::try_from((ago + limits::SYNC_OVERLAP).as_millis()).expect("a time");
        let since = row.get::<_, i64>(0) - before;
        URL_SAFE_NO_PAD.encode([&[1][..], &since.to_be_bytes()].concat())
    }

    async fn remove_member_during(&self, conversation: ConversationId, user: UserId, work: Work) {
        let remover = self.connect().await;
        remover.batch_execute("BEGIN").await.expect("begins");
        let lock = "SELECT id FROM conversations WHERE id = $1 FOR UPDATE";
        remover.query_one(lock, &[&conversation.0]).await.expect("locks");
        let work = tokio::spawn(work);
        wait_for_a_lock_to_be_waited_for(&self.connect().await).await;
        remover.execute(REMOVE, &[&conversation.0, &user.0]).await.expect("removes");
        remover.batch_execute("COMMIT").await.expect("commits");
        work.await.expect("work that ends well");
    }
}

const REMOVE: &str = "
    UPDATE members SET left_seq = conversations.last_seq
    FROM conversations
    WHERE conversations.id = $1 AND conversation_id = $1 AND user_id = $2";

pub async fn wait_for_a_lock_to_be_waited_for(observer: &Client) {
    let waiting = "
        SELECT 1 FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    for _ in 0..1_000 {
        if !observer.query(waiting, &[]).await.expect("reads").is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nobody waits for the lock");
}
