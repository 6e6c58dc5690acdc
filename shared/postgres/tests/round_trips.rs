//! The hot path costs one round trip.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may end at what it does not expect"
)]

mod support;

use std::time::Duration;

use domain::{
    ClientId, ConversationId, Draft, DraftParts, MessageText, Timestamp, TraceId, UserId,
};
use postgres::{Database, DatabaseConfig, PgMessages};
use service::port::{MessageStore, Submission, Verdict};
use support::TestDatabase;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use uuid::Uuid;

/// A proxy that lets no answer through between the first `BEGIN` and the `COMMIT` after it: who
/// waits for an answer in between waits for ever.
async fn holding_proxy(config: &DatabaseConfig) -> DatabaseConfig {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = (config.host.clone(), config.port);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let upstream = TcpStream::connect(server.clone()).await.unwrap();
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = upstream.into_split();
            let (hold, held) = watch::channel(false);
            tokio::spawn(questions(from_client, to_server, hold));
            tokio::spawn(answers(from_server, to_client, held));
        }
    });
    DatabaseConfig { host: "127.0.0.1".into(), port, ..config.clone() }
}

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

async fn questions(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, hold: watch::Sender<bool>) {
    let (mut asked, mut bytes) = (Vec::new(), vec![0; 65_536]);
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        asked.extend_from_slice(&bytes[..length]);
        hold.send_replace(contains(&asked, b"BEGIN ") && !contains(&asked, b"COMMIT\0"));
        if contains(&asked, b"COMMIT\0") {
            asked.clear();
        }
        to.write_all(&bytes[..length]).await.unwrap();
    }
}

async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut held: watch::Receiver<bool>) {
    let mut bytes = vec![0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        if held.wait_for(|is_held| !is_held).await.is_err() {
            return;
        }
        to.write_all(&bytes[..length]).await.unwrap();
    }
}

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
        accepted_at: Timestamp::from_unix_ms(0).unwrap(),
        trace_id: TraceId(Uuid::from_u128(3)),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_waits_for_no_answer_before_its_commit_is_sent() {
    let database = TestDatabase::migrated().await;
    let config = holding_proxy(&database.config).await;
    let store = PgMessages::new(Database::new(config));
    for number in 0..3 {
        // The limit is only there to end a test that fails.
        let batch = [says(number)];
        let append = tokio::time::timeout(Duration::from_secs(8), store.append(&batch));
        let commit = append.await.expect("the append waits for an answer").unwrap();
        assert!(matches!(commit.appended[0].verdict, Verdict::Rejected(_)));
    }
}
