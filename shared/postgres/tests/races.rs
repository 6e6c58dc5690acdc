//! What holds when several processes write the same rows at once.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may end at what it does not expect"
)]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::{
    Change, ClientId, ConversationId, Draft, DraftParts, Emoji, Marks, MessageText, Seq, Timestamp,
    TraceId, UserId,
};
use postgres::{PgMessages, PgReceipts, PgUpkeep};
use service::port::{
    ChangeRequest, Changed, MessageChanges, MessageStore, RaisedMarks, ReceiptClaim, ReceiptStore,
    Submission, Upkeep, Verdict,
};
use support::{TestDatabase, wait_for_a_lock_to_be_waited_for};
use testkit::contract::history::HistoryFixture;
use tokio::task::JoinSet;
use uuid::Uuid;

const ROOMS: u128 = 3;
const PEOPLE: u128 = 8;

fn room(number: u128) -> ConversationId {
    ConversationId(Uuid::from_u128(0xC0 + number))
}

fn person(number: u128) -> UserId {
    UserId(Uuid::from_u128(0xA0 + number))
}

/// Three groups of the same eight people, without messages.
async fn rooms() -> Arc<TestDatabase> {
    let database = TestDatabase::migrated().await;
    let client = database.connect().await;
    for number in 0..PEOPLE {
        let sql = "INSERT INTO users (id, username, email, display_name, password_hash, created_at)
            VALUES ($1, $2, $2 || '@example.org', 'Somebody', 'hash', now())";
        client.execute(sql, &[&person(number).0, &format!("person{number}")]).await.unwrap();
    }
    for number in 0..ROOMS {
        let sql = "INSERT INTO conversations (id, type, title, created_by, client_id, active_at,
                changed_at, created_at)
            VALUES ($1, 'group', 'Room', $2, $1, now(), now(), now())";
        client.execute(sql, &[&room(number).0, &person(0).0]).await.unwrap();
        let sql = "INSERT INTO members (conversation_id, user_id, role, joined_seq, delivered_seq,
                read_seq, joined_at)
            SELECT $1, id, 'member', 0, 0, 0, now() FROM users";
        client.execute(sql, &[&room(number).0]).await.unwrap();
    }
    Arc::new(database)
}

fn says(room: ConversationId, sender: UserId, number: u128) -> Submission {
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
        conversation_id: room,
        sender_id: sender,
        draft: draft.unwrap(),
        accepted_at: at(),
        trace_id: TraceId(Uuid::from_u128(number)),
    }
}

fn at() -> Timestamp {
    Timestamp::from_unix_ms(1_770_000_000_000).unwrap()
}

fn messages(database: &TestDatabase) -> PgMessages {
    PgMessages::new(database.database())
}

async fn write(database: &TestDatabase, room: ConversationId, sender: UserId, count: u128) {
    let batch: Vec<_> = (1..=count).map(|number| says(room, sender, number)).collect();
    let commit = messages(database).append(&batch).await.unwrap();
    assert!(commit.appended.iter().all(|one| matches!(one.verdict, Verdict::Stored(_))));
}

async fn change(store: &PgMessages, user: UserId, seq: i64, change: Change) -> Changed {
    let request =
        ChangeRequest { conversation_id: room(0), seq: Seq(seq), user_id: user, change, at: at() };
    store.change(request).await.unwrap()
}

fn edit(text: &str) -> Change {
    Change::edit(MessageText::parse(text).unwrap(), Vec::new()).unwrap()
}

fn claim(
    room: ConversationId,
    user: UserId,
    delivered: Option<i64>,
    read: Option<i64>,
) -> ReceiptClaim {
    let (delivered, read) = (delivered.map(Seq), read.map(Seq));
    ReceiptClaim { conversation_id: room, user_id: user, delivered, read }
}

async fn raise(database: &TestDatabase, claims: &[ReceiptClaim]) -> Vec<RaisedMarks> {
    PgReceipts::new(database.database()).raise(claims).await.unwrap()
}

async fn marks(database: &TestDatabase, user: UserId) -> Marks {
    let store = PgReceipts::new(database.database());
    let all = store.marks(person(0), room(0)).await.unwrap().unwrap();
    all.into_iter().find(|one| one.user_id == user).unwrap().marks
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_reactions_and_messages_at_once_never_share_a_number() {
    let database = rooms().await;
    write(&database, room(0), person(0), 1).await;
    let mut work = JoinSet::new();
    for number in 0..PEOPLE {
        let database = database.clone();
        work.spawn(async move {
            let store = messages(&database);
            let mut revs = Vec::new();
            let thumb = Change::React(Emoji::parse("👍").unwrap());
            revs.push(change(&store, person(number), 1, thumb).await.message.rev);
            for round in 0..5 {
                let said = says(room(0), person(number), 100 + number * 10 + round);
                let commit = store.append(&[said]).await.unwrap();
                let Verdict::Stored(message) = &commit.appended[0].verdict else { panic!() };
                revs.push(message.rev);
                let edited = edit(&format!("{number} {round}"));
                let changed = change(&store, person(number), message.seq.0, edited).await;
                revs.push(changed.message.rev);
            }
            revs
        });
    }
    let revs: Vec<Seq> = work.join_all().await.into_iter().flatten().collect();
    let distinct: BTreeSet<_> = revs.iter().copied().collect();
    let expected: BTreeSet<_> = (2..=revs.len() as i64 + 1).map(Seq).collect();
    assert_eq!((distinct.len(), distinct), (revs.len(), expected));
    let feed = messages(&database).changes(person(0), room(0), Seq(0), 200).await.unwrap().unwrap();
    assert_eq!((feed.last_seq, feed.through), (Seq(89), Seq(89)));
    let first = feed.items.iter().find(|message| message.seq == Seq(1)).unwrap();
    assert_eq!((first.reactions[0].count, first.reactions[0].user_ids.len()), (8, 8));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_editors_at_once_both_have_their_turn() {
    let database = rooms().await;
    write(&database, room(0), person(0), 1).await;
    let (one, other) = (messages(&database), messages(&database));
    let (one, other) = tokio::join!(
        change(&one, person(0), 1, edit("one")),
        change(&other, person(0), 1, edit("other")),
    );
    let last = if one.message.rev > other.message.rev { &one } else { &other };
    let page = messages(&database).changes(person(0), room(0), Seq(1), 50).await.unwrap().unwrap();
    assert_eq!(page.items.first(), Some(&last.message));
    assert_eq!((page.items[0].rev, page.last_seq), (Seq(3), Seq(3)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_change_leaves_the_conversation_unlocked() {
    let database = rooms().await;
    write(&database, room(0), person(0), 1).await;
    let store = messages(&database);
    let request = |user_id, seq| ChangeRequest {
        conversation_id: room(0),
        seq: Seq(seq),
        user_id,
        change: edit("not mine"),
        at: at(),
    };
    store.change(request(person(1), 1)).await.unwrap_err();
    store.change(request(person(0), 9)).await.unwrap_err();
    store.change(request(UserId(Uuid::nil()), 1)).await.unwrap_err();
    change(&store, person(0), 1, Change::Unreact(Emoji::parse("👍").unwrap())).await;
    let client = database.connect().await;
    let sql = "SELECT last_seq FROM conversations WHERE id = $1 FOR UPDATE NOWAIT";
    let row = client.query_one(sql, &[&room(0).0]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 1);
}

/// The mistake of others: an upsert of the receipt's row with what came last.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_on_conflict_that_lets_delivered_overwrite_read() {
    let database = rooms().await;
    write(&database, room(0), person(0), 9).await;
    let reader = person(1);
    raise(&database, &[claim(room(0), reader, None, Some(7))]).await;
    assert_eq!(raise(&database, &[claim(room(0), reader, Some(3), None)]).await, []);
    raise(&database, &[claim(room(0), reader, Some(9), Some(2))]).await;
    assert_eq!(marks(&database, reader).await, Marks { delivered: Seq(9), read: Seq(7) });
    // At once, too: each compares with the row as it is when it has the lock.
    let mut work = JoinSet::new();
    for number in 0..20 {
        let database = database.clone();
        work.spawn(async move {
            let claim = match number % 2 {
                0 => claim(room(0), person(2), Some(1 + number / 2 % 8), None),
                _ => claim(room(0), person(2), None, Some(8)),
            };
            raise(&database, &[claim]).await;
        });
    }
    work.join_all().await;
    assert_eq!(marks(&database, person(2)).await, Marks { delivered: Seq(8), read: Seq(8) });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_that_waits_for_another_does_not_lower_its_marks() {
    let database = rooms().await;
    write(&database, room(0), person(0), 9).await;
    let other = database.connect().await;
    other.batch_execute("BEGIN").await.unwrap();
    let sql = "UPDATE members SET delivered_seq = 8, read_seq = 6
        WHERE conversation_id = $1 AND user_id = $2";
    other.execute(sql, &[&room(0).0, &person(1).0]).await.unwrap();
    let waiting = database.clone();
    let raised = tokio::spawn(async move {
        raise(&waiting, &[claim(room(0), person(1), Some(5), Some(7))]).await
    });
    wait_for_a_lock_to_be_waited_for(&database.connect().await).await;
    other.batch_execute("COMMIT").await.unwrap();
    let raised = raised.await.unwrap();
    assert_eq!(raised[0].before, Marks { delivered: Seq(8), read: Seq(6) });
    assert_eq!(raised[0].after, Marks { delivered: Seq(8), read: Seq(7) });
    assert_eq!(marks(&database, person(1)).await, raised[0].after);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_of_a_member_who_is_removed_meanwhile_raises_nothing() {
    let database = rooms().await;
    write(&database, room(0), person(0), 5).await;
    let remover = database.connect().await;
    remover.batch_execute("BEGIN").await.unwrap();
    let sql = "UPDATE members SET left_seq = 5 WHERE conversation_id = $1 AND user_id = $2";
    remover.execute(sql, &[&room(0).0, &person(1).0]).await.unwrap();
    let waiting = database.clone();
    let raised =
        tokio::spawn(
            async move { raise(&waiting, &[claim(room(0), person(1), None, Some(5))]).await },
        );
    wait_for_a_lock_to_be_waited_for(&database.connect().await).await;
    remover.batch_execute("COMMIT").await.unwrap();
    assert_eq!(raised.await.unwrap(), []);
    let sql = "SELECT read_seq FROM members WHERE conversation_id = $1 AND user_id = $2";
    let row = remover.query_one(sql, &[&room(0).0, &person(1).0]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
}

/// Everybody's receipts of all rooms in an order of this task's own, then messages and a reaction.
async fn receive_say_and_react(receipts: &PgReceipts, store: &PgMessages, task: u128) {
    let mut claims: Vec<_> = (0..ROOMS * PEOPLE)
        .map(|key| {
            let (room, person) = (room(key % ROOMS), person(key / ROOMS));
            claim(room, person, Some(task as i64), Some(task as i64 / 2))
        })
        .collect();
    if task % 2 == 1 {
        claims.reverse();
    }
    claims.rotate_left(task as usize);
    receipts.raise(&claims).await.unwrap();
    let said: Vec<_> = (0..ROOMS)
        .map(|at| says(room((at + task) % ROOMS), person(task % PEOPLE), 1_000 + task))
        .collect();
    store.append(&said).await.unwrap();
    let thumb = Change::React(Emoji::parse("👍").unwrap());
    change(store, person(task % PEOPLE), 1, thumb).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receipts_in_any_order_never_deadlock_with_each_other_or_with_messages() {
    let database = rooms().await;
    for number in 0..ROOMS {
        write(&database, room(number), person(0), 20).await;
    }
    let mut work = JoinSet::new();
    for process in 0..5 {
        let database = database.clone();
        work.spawn(async move {
            let receipts = PgReceipts::new(database.database());
            let store = messages(&database);
            for round in 0..4 {
                receive_say_and_react(&receipts, &store, round * 5 + process).await;
            }
        });
    }
    tokio::time::timeout(Duration::from_secs(60), work.join_all()).await.expect("ends");
    for number in 0..PEOPLE {
        let read = if number == 0 { Seq(9) } else { marks(&database, person(number)).await.read };
        assert_eq!(read, Seq(9));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_whom_another_sweep_has_is_left_to_it() {
    let database = rooms().await;
    write(&database, room(0), person(0), 1).await;
    let upkeep = PgUpkeep::new(database.database());
    let other = database.connect().await;
    other.batch_execute("BEGIN").await.unwrap();
    let sql = "SELECT FROM members WHERE conversation_id = $1 AND user_id = $2 FOR NO KEY UPDATE";
    other.query(sql, &[&room(0).0, &person(1).0]).await.unwrap();
    let found = upkeep.stragglers(Duration::ZERO, 100).await.unwrap();
    let nudged: BTreeSet<_> = found.iter().map(|one| one.user_id).collect();
    assert_eq!(nudged, (0..PEOPLE).filter(|number| *number != 1).map(person).collect());
    other.batch_execute("COMMIT").await.unwrap();
}

/// `GET /sync` compares these times with its cursor: they must be the database's, and of the
/// write, whoever wrote and whatever transaction it was in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_members_row_is_dated_by_the_database_at_every_write() {
    let database = rooms().await;
    let client = database.connect().await;
    client.batch_execute("BEGIN; SELECT pg_sleep(0.01)").await.unwrap();
    let sql = "UPDATE members SET muted_until = now(), changed_at = 'epoch'
        WHERE conversation_id = $1 AND user_id = $2 RETURNING changed_at > now()";
    let row = client.query_one(sql, &[&room(0).0, &person(1).0]).await.unwrap();
    assert!(row.get::<_, bool>(0));
    let sql = "UPDATE members SET nudges = 1, changed_at = 'epoch'
        WHERE conversation_id = $1 AND user_id = $2 RETURNING changed_at = 'epoch'";
    let row = client.query_one(sql, &[&room(0).0, &person(1).0]).await.unwrap();
    assert!(row.get::<_, bool>(0), "being nudged is no change of the member");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_removed_while_their_edit_waits_changes_nothing() {
    let database = rooms().await;
    write(&database, room(0), person(1), 1).await;
    let store = messages(&database);
    let work = Box::pin(async move {
        let request = ChangeRequest {
            conversation_id: room(0),
            seq: Seq(1),
            user_id: person(1),
            change: edit("too late"),
            at: at(),
        };
        store.change(request).await.unwrap_err();
    });
    database.remove_member_during(room(0), person(1), work).await;
    let page = messages(&database).changes(person(0), room(0), Seq(0), 50).await.unwrap().unwrap();
    assert_eq!((page.last_seq, page.items[0].edited_at), (Seq(1), None));
}
