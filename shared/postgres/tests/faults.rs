//! What happens when the database refuses, is slow or goes away.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may end at what it does not expect"
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use domain::{
    ClientId, ConversationId, Draft, DraftParts, MessageText, Seq, Timestamp, TraceId, UserId,
};
use postgres::{Database, DatabaseConfig, PgMessages, PgProbe};
use service::Window;
use service::port::{AppendError, Failure, MessageStore, Probe, Submission, Verdict};
use support::{TestDatabase, wait_for_a_lock_to_be_waited_for};
use testkit::contract::history::HistoryFixture;
use tokio_postgres::Client;
use uuid::Uuid;

const ADA: UserId = UserId(Uuid::from_u128(1));
const ROOM: ConversationId = ConversationId(Uuid::from_u128(2));

/// Ada alone in a group that has no message.
async fn room() -> (TestDatabase, Client) {
    let database = TestDatabase::migrated().await;
    let client = database.connect().await;
    let sql = format!(
        "INSERT INTO users (id, username, email, display_name, password_hash, created_at)
            VALUES ('{ADA}', 'ada', 'ada@example.org', 'Ada', 'hash', now());
        INSERT INTO conversations (id, type, title, created_by, client_id, active_at, changed_at,
                created_at)
            VALUES ('{ROOM}', 'group', 'Room', '{ADA}', '{ADA}', now(), now(), now());
        INSERT INTO members (conversation_id, user_id, role, joined_seq, delivered_seq, read_seq,
                joined_at, changed_at)
            VALUES ('{ROOM}', '{ADA}', 'owner', 0, 0, 0, now(), now())"
    );
    client.batch_execute(&sql).await.unwrap();
    (database, client)
}

fn says(number: u128) -> Submission {
    let draft = Draft::parse(DraftParts {
        client_id: ClientId(Uuid::from_u128(number)),
        kind: None,
        text: Some(MessageText::parse("the secret of Ada").unwrap()),
        reply_to: None,
        attachment_ids: Vec::new(),
        mentions: Vec::new(),
        sent_at: None,
    });
    Submission {
        conversation_id: ROOM,
        sender_id: ADA,
        draft: draft.unwrap(),
        accepted_at: Timestamp::from_unix_ms(1_770_000_000_000).unwrap(),
        trace_id: TraceId(Uuid::from_u128(3)),
    }
}

fn messages(config: &DatabaseConfig) -> Arc<PgMessages> {
    Arc::new(PgMessages::new(Database::new(config.clone())))
}

async fn numbers(store: &PgMessages) -> Vec<i64> {
    let page = store.page(ADA, ROOM, Window::Newest, 50).await.unwrap().unwrap();
    page.items.iter().map(|message| message.seq.0).collect()
}

/// Makes every insert into messages run this PL/pgSQL first.
async fn before_each_message(client: &Client, body: &str) {
    let sql = format!(
        "CREATE SEQUENCE inserts;
        CREATE FUNCTION interfere() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN {body} RETURN NEW; END $$;
        CREATE TRIGGER interfere BEFORE INSERT ON messages
            FOR EACH ROW EXECUTE FUNCTION interfere()"
    );
    client.batch_execute(&sql).await.unwrap();
}

/// Everything that an error would put into a log.
fn said(error: &dyn std::error::Error) -> String {
    let mut text = format!("{error} / {error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text} / {cause} / {cause:?}");
        source = cause.source();
    }
    text
}

#[tokio::test]
async fn a_race_for_a_message_is_run_again_at_once() {
    let (database, client) = room().await;
    let race = "IF nextval('inserts') <= 3 THEN RAISE unique_violation
        USING CONSTRAINT = 'messages_client_id_key'; END IF;";
    before_each_message(&client, race).await;
    let store = messages(&database.config);
    let commit = store.append(&[says(1)]).await.unwrap();
    assert!(matches!(&commit.appended[0].verdict, Verdict::Stored(one) if one.seq == Seq(1)));
}

#[tokio::test]
async fn a_race_that_does_not_end_is_transient() {
    let (database, client) = room().await;
    let race = "RAISE unique_violation USING CONSTRAINT = 'messages_client_id_key';";
    before_each_message(&client, race).await;
    let store = messages(&database.config);
    let error = store.append(&[says(1)]).await.unwrap_err();
    assert!(matches!(error, AppendError::Transient(_)), "{error:?}");
    assert_eq!(numbers(&store).await, [] as [i64; 0]);
}

#[tokio::test]
async fn a_failed_batch_leaves_nothing_and_the_next_one_works() {
    let (database, client) = room().await;
    before_each_message(
        &client,
        "IF NEW.client_id = '00000000-0000-0000-0000-000000000002'
        THEN RAISE EXCEPTION 'no'; END IF;",
    )
    .await;
    let store = messages(&database.config);
    let error = store.append(&[says(1), says(2)]).await.unwrap_err();
    assert!(matches!(error, AppendError::Unknown(_)), "{error:?}");
    store.append(&[says(1), says(3)]).await.unwrap();
    assert_eq!(numbers(&store).await, [1, 2]);
}

#[tokio::test]
async fn content_that_cannot_be_stored_is_bad_data() {
    let (database, client) = room().await;
    before_each_message(&client, "PERFORM convert_from('\\xff', 'UTF8');").await;
    let error = messages(&database.config).append(&[says(1)]).await.unwrap_err();
    assert!(matches!(error, AppendError::BadData(_)), "{error:?}");
}

#[tokio::test]
async fn a_cancelled_statement_is_transient() {
    let (database, client) = room().await;
    before_each_message(&client, "RAISE query_canceled;").await;
    let error = messages(&database.config).append(&[says(1)]).await.unwrap_err();
    assert!(matches!(error, AppendError::Transient(_)), "{error:?}");
}

#[tokio::test]
async fn no_error_tells_what_a_row_holds() {
    let (database, client) = room().await;
    client
        .batch_execute("ALTER TABLE messages ADD CHECK (text <> 'the secret of Ada')")
        .await
        .unwrap();
    let error = messages(&database.config).append(&[says(1)]).await.unwrap_err();
    assert!(!said(&error).contains("secret"), "{}", said(&error));
    assert!(said(&error).contains("23514"), "{}", said(&error));
}

#[tokio::test]
async fn a_lost_connection_is_opened_again() {
    let (database, client) = room().await;
    let store = messages(&database.config);
    store.append(&[says(1)]).await.unwrap();
    let end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    client.query(end, &[]).await.unwrap();
    // The first call may still meet the dead connection; the next must not.
    let _ = store.ping().await;
    store.append(&[says(2)]).await.unwrap();
    assert_eq!(numbers(&store).await, [1, 2]);
}

#[tokio::test]
async fn an_abandoned_append_frees_its_lock_and_its_connection() {
    let (database, holder) = room().await;
    holder.batch_execute("BEGIN; SELECT FROM conversations FOR UPDATE").await.unwrap();
    let store = messages(&database.config);
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.append(&[says(1)]).await.map(|_| ()) }
    });
    let observer = database.connect().await;
    wait_for_a_lock_to_be_waited_for(&observer).await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    // It does not wait behind what was abandoned, and that one gives up.
    store.ping().await.unwrap();
    wait_until_nobody_waits(&observer).await;
    holder.batch_execute("COMMIT").await.unwrap();
    store.append(&[says(2)]).await.unwrap();
    assert_eq!(numbers(&store).await, [1]);
}

async fn wait_until_nobody_waits(observer: &Client) {
    let waiting = "SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    for _ in 0..1_000 {
        if observer.query(waiting, &[]).await.unwrap().is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the abandoned append still waits");
}

#[tokio::test]
async fn an_abandoned_rotation_frees_its_lock() {
    let (database, holder) = room().await;
    let digest = "a".repeat(64);
    let sql = format!(
        "INSERT INTO sessions (id, user_id, created_at, last_used_at)
            VALUES ('{ADA}', '{ADA}', now(), now());
        INSERT INTO refresh_tokens VALUES ('{digest}', '{ADA}', now() + interval '1 day')"
    );
    holder.batch_execute(&sql).await.unwrap();
    holder.batch_execute("BEGIN; SELECT FROM sessions FOR UPDATE").await.unwrap();
    let sessions = database.process().sessions;
    let waiting = tokio::spawn({
        let (sessions, digest) = (sessions.clone(), digest.clone());
        async move {
            let now = Timestamp::from_unix_ms(1_770_000_000_000).unwrap();
            let fresh = service::port::NewRefreshToken { digest: "b".repeat(64), expires_at: now };
            sessions.rotate(&digest, fresh, now).await.map(|_| ())
        }
    });
    let observer = database.connect().await;
    wait_for_a_lock_to_be_waited_for(&observer).await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    wait_until_nobody_waits(&observer).await;
    holder.batch_execute("COMMIT").await.unwrap();
    let now = Timestamp::from_unix_ms(1_770_000_000_000).unwrap();
    sessions.revoke(domain::SessionId(ADA.0), now).await.unwrap();
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_is_unavailable() {
    let nowhere = DatabaseConfig { port: 1, ..support::server() };
    let wrong = DatabaseConfig { dbname: "confab_no_such_database".into(), ..support::server() };
    for config in [nowhere, wrong] {
        let probe = PgProbe::new(Database::new(config.clone()));
        assert_eq!(probe.name(), "postgres");
        let failure = probe.check().await.unwrap_err();
        assert!(matches!(failure, Failure::Unavailable { .. }), "{failure:?}");
        let error = messages(&config).append(&[says(1)]).await.unwrap_err();
        assert!(matches!(error, AppendError::Transient(_)), "{error:?}");
    }
}

#[tokio::test]
async fn tls_is_not_given_up_when_the_server_has_none() {
    let config = DatabaseConfig { ssl: true, ..support::server() };
    let failure = PgProbe::new(Database::new(config)).check().await.unwrap_err();
    assert!(matches!(failure, Failure::Unavailable { .. }), "{failure:?}");
}

#[tokio::test]
async fn a_row_that_cannot_be_understood_is_a_bug_and_no_panic() {
    let (database, client) = room().await;
    let sql = format!(
        "ALTER TABLE messages DROP CONSTRAINT messages_kind;
        INSERT INTO messages (conversation_id, seq, rev, client_id, sender_id, kind, text,
                created_at)
            VALUES ('{ROOM}', 1, 1, '{ADA}', '{ADA}', 'smoke signal', 'x', now())"
    );
    client.batch_execute(&sql).await.unwrap();
    let read = messages(&database.config).page(ADA, ROOM, Window::Newest, 5).await;
    assert!(matches!(read, Err(Failure::Bug { .. })), "{read:?}");
}

#[tokio::test]
async fn clones_share_one_connection() {
    let (database, client) = room().await;
    let shared = database.database();
    let (one, two) = (PgMessages::new(shared.clone()), PgMessages::new(shared.clone()));
    let probe = PgProbe::new(shared);
    let (a, b, c) = tokio::join!(one.ping(), two.ping(), probe.check());
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    let count = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'confab'";
    let sessions: i64 = client.query_one(count, &[]).await.unwrap().get(0);
    assert_eq!(sessions, 1);
}
