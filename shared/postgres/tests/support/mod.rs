//! A database of its own for each test, on the server that TEST_DATABASE_URL names.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test may end at what it does not expect")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::{ConversationId, MessageText, Seq, UserId};
use postgres::{Database, DatabaseConfig, PgAccounts, PgConversations, PgMessages};
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
        HistoryPorts {
            users: accounts.clone(),
            sessions: accounts,
            conversations: Arc::new(PgConversations::new(database.clone())),
            messages: Arc::new(PgMessages::new(database)),
        }
    }

    async fn add_member(&self, conversation: ConversationId, user: UserId) {
        let sql = "
            INSERT INTO members (conversation_id, user_id, role, joined_seq, delivered_seq,
                read_seq, joined_at, changed_at)
            SELECT id, $2, 'member', last_seq, last_seq, last_seq, now(), now()
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

    async fn mark_read(&self, conversation: ConversationId, user: UserId, seq: Seq) {
        let sql = "
            UPDATE members
            SET read_seq = greatest(read_seq, $3), delivered_seq = greatest(delivered_seq, $3)
            WHERE conversation_id = $1 AND user_id = $2";
        let client = self.connect().await;
        client.execute(sql, &[&conversation.0, &user.0, &seq.0]).await.expect("marks");
    }

    async fn edit(&self, conversation: ConversationId, seq: Seq, text: MessageText) {
        let sql = "
            WITH next AS (
                UPDATE conversations SET last_seq = last_seq + 1 WHERE id = $1 RETURNING last_seq
            )
            UPDATE messages SET rev = next.last_seq, text = $3, edited_at = now()
            FROM next WHERE conversation_id = $1 AND seq = $2";
        let client = self.connect().await;
        client.execute(sql, &[&conversation.0, &seq.0, &text.as_str()]).await.expect("edits");
    }

    async fn delete(&self, conversation: ConversationId, seq: Seq) {
        let sql = "
            WITH next AS (
                UPDATE conversations SET last_seq = last_seq + 1 WHERE id = $1 RETURNING last_seq
            )
            UPDATE messages
            SET rev = next.last_seq, text = NULL, mentions = '[]', deleted_at = now()
            FROM next WHERE conversation_id = $1 AND seq = $2";
        self.connect().await.execute(sql, &[&conversation.0, &seq.0]).await.expect("deletes");
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
