//! The transaction of `persist-messages` without the rest.

use std::time::Duration;

use domain::{
    ClientId, ConversationId, Draft, MessageKind, MessageText, Timestamp, TraceId, UserId,
};
use futures::future::join_all;
use harness::{Database, Failure, Result, now_unix_ms, unique_id};
use postgres::{DatabaseConfig, PgMessages};
use service::port::{MessageStore, Submission, Verdict};
use tokio::time::Instant;
use uuid::Uuid;

use crate::spread::per_second;

/// Connections that write at once where there are many conversations.
const WRITERS: usize = 8;
const CONVERSATIONS: usize = 800;

/// Where a writer writes: always into the same conversation, or on to the next one each time.
struct Rooms {
    sender: Uuid,
    ids: Vec<Uuid>,
    next: usize,
}

impl Rooms {
    fn batch(&mut self, size: usize) -> Option<Vec<Submission>> {
        let mut submission = || {
            let conversation_id = ConversationId(self.ids[self.next % self.ids.len()]);
            self.next += 1;
            let draft = Draft {
                client_id: ClientId(unique_id()),
                kind: MessageKind::Text,
                text: Some(MessageText::parse("a message of usual length").ok()?),
                reply_to: None,
                attachment_ids: vec![],
                mentions: vec![],
                sent_at: None,
            };
            let accepted_at = Timestamp::from_unix_ms(now_unix_ms())?;
            Some(Submission {
                conversation_id,
                sender_id: UserId(self.sender),
                draft,
                accepted_at,
                trace_id: TraceId(unique_id()),
            })
        };
        (0..size).map(|_| submission()).collect()
    }
}

pub async fn report(superuser_url: &str, duration: Duration) -> Result<()> {
    let database = Database::create(superuser_url).await?;
    let (sender, ids) = fill(&database).await?;
    println!("\nthe commit transaction alone");
    for (what, writers, batch) in [
        ("one conversation, batch of 1", 1, 1),
        ("one conversation, batch of 10", 1, 10),
        ("many conversations, batch of 1", WRITERS, 1),
        ("many conversations, batch of 10", WRITERS, 10),
    ] {
        let parts = if writers == 1 {
            vec![&ids[..1]]
        } else {
            ids.chunks(CONVERSATIONS / writers).collect()
        };
        let write = parts.into_iter().map(|part| {
            let rooms = Rooms { sender, ids: part.to_vec(), next: 0 };
            write(database.url().to_owned(), rooms, batch, duration / 2)
        });
        let begun = Instant::now();
        let written = join_all(write.map(tokio::spawn)).await;
        let mut stored = 0;
        for count in written {
            stored += count.map_err(|e| Failure::cannot("write", e))??;
        }
        let rate = per_second(stored, begun.elapsed());
        println!("  {what:<33} {rate:.0} messages/s over {writers} connections");
    }
    Ok(())
}

async fn write(url: String, mut rooms: Rooms, size: usize, duration: Duration) -> Result<usize> {
    let config = DatabaseConfig::from_url(&url).map_err(|e| Failure::cannot("connect", e))?;
    let messages = PgMessages::new(postgres::Database::new(config));
    let until = Instant::now() + duration;
    let mut stored = 0;
    while Instant::now() < until {
        let batch = rooms.batch(size).ok_or_else(|| Failure::new("no draft could be made"))?;
        let commit = messages.append(&batch).await;
        let commit = commit.map_err(|e| Failure::cannot("append", format!("{e:?}")))?;
        let is_stored = |a: &&service::port::Appended| matches!(a.verdict, Verdict::Stored(_));
        stored += commit.appended.iter().filter(is_stored).count();
    }
    Ok(stored)
}

/// One sender, who is in many conversations of two.
async fn fill(database: &Database) -> Result<(Uuid, Vec<Uuid>)> {
    let people = [unique_id(), unique_id()];
    let client = database.connect().await?;
    let failed = |e: tokio_postgres::Error| Failure::cannot("fill the database", format!("{e:?}"));
    for (index, id) in people.iter().enumerate() {
        let user =
            "INSERT INTO users (id, username, email, display_name, password_hash, created_at)
            VALUES ($1, $2, $2 || '@example.org', $2, '-', now())";
        client.execute(user, &[id, &format!("bench-{index}")]).await.map_err(failed)?;
    }
    let ids: Vec<Uuid> = (0..CONVERSATIONS).map(|_| unique_id()).collect();
    let conversations = "INSERT INTO conversations
            (id, type, title, created_by, client_id, active_at, changed_at, created_at)
        SELECT id, 'group', 'bench', $2, id, now(), now(), now() FROM unnest($1::uuid[]) AS id";
    client.execute(conversations, &[&ids, &people[0]]).await.map_err(failed)?;
    let members = "INSERT INTO members (conversation_id, user_id, role, joined_seq, delivered_seq,
            read_seq, joined_at, changed_at)
        SELECT id, person, 'member', 0, 0, 0, now(), now()
        FROM unnest($1::uuid[]) AS id, unnest($2::uuid[]) AS person";
    client.execute(members, &[&ids, &people.as_slice()]).await.map_err(failed)?;
    Ok((people[0], ids))
}
