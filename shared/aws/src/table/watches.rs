//! Who watches whom: one item `W#…` for each pair of a person and a socket, sorted by when it
//! ends, so that what has ended is not read again.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::types::{DeleteRequest, PutRequest, WriteRequest};
use domain::{ConnectionId, Timestamp, UserId, limits};
use service::port::{Acquaintance, Failure, Watcher};
use service::{Connection, Identity};

use super::item::{self, Item};
use super::person::record_end;
use super::{
    Attributes, KEYS_PER_CALL, Key, LiveTable, UNPROCESSED_PAUSE, UNPROCESSED_TRIES, WHAT,
};
use crate::call;

/// How failures name the item.
pub(super) const KIND: &str = "W#";
/// The most that one BatchWriteItem takes.
pub(super) const WRITES_PER_CALL: usize = 25;
/// Pages read of one person's watchers. A page is a megabyte, some four thousand of them.
const PAGES_PER_READ: usize = 50;
/// Watches that end within the same stretch of this length are sorted together: what has ended
/// and is read nevertheless, ended within it. A watch that is renewed seldom leaves a second item.
const STRETCH: Duration = Duration::from_secs(120);
/// So what lasts now ends in this stretch or in the next, though clocks differ a little.
const _: () = assert!(limits::WATCH_LIFETIME.as_secs() < STRETCH.as_secs());
/// Sockets of one person whose watches of another are looked for. Somebody has ten; those whose
/// end nobody noticed are listed a while longer.
const SOCKETS_PER_ENDING: usize = KEYS_PER_CALL / 2;

impl LiveTable {
    pub(super) async fn put_watches(
        &self,
        connection: &Connection,
        people: &[Acquaintance],
        until: Timestamp,
    ) -> Result<(), Failure> {
        // Each once: DynamoDB refuses a batch that names a key twice.
        let people: BTreeMap<UserId, bool> =
            people.iter().map(|person| (person.user_id, person.shares_last_seen)).collect();
        let mut writes = Vec::with_capacity(people.len());
        for (user, sees_last_seen) in people {
            let item = watch(connection, user, sees_last_seen, until);
            let put = PutRequest::builder().set_item(Some(item)).build();
            let put = put.map_err(|error| Failure::bug(WHAT, error))?;
            writes.push(WriteRequest::builder().put_request(put).build());
        }
        for some in writes.chunks(WRITES_PER_CALL) {
            self.write_chunk(some.to_vec()).await?;
        }
        Ok(())
    }

    /// At most [`WRITES_PER_CALL`], each of another key.
    pub(super) async fn write_chunk(&self, writes: Vec<WriteRequest>) -> Result<(), Failure> {
        let mut wanted = writes;
        for tried in 0..UNPROCESSED_TRIES {
            let write = self.client.batch_write_item().request_items(&self.table_name, wanted);
            let answer = write.send().await.map_err(|error| call::failure(WHAT, error))?;
            let left = answer.unprocessed_items.and_then(|mut left| left.remove(&self.table_name));
            match left {
                Some(left) if !left.is_empty() => wanted = left,
                _ => return Ok(()),
            }
            tokio::time::sleep(UNPROCESSED_PAUSE * 2_u32.pow(tried)).await;
        }
        Err(Failure::unavailable(WHAT, "items stayed unprocessed"))
    }

    /// Looks where the watches of these sockets must be, the newest sockets first: so what it costs
    /// does not depend on how many others watch.
    pub(super) async fn remove_watches_between(
        &self,
        mut sockets: Vec<Connection>,
        watched: UserId,
        now: Timestamp,
    ) -> Result<Vec<Connection>, Failure> {
        sockets.retain(|socket| now < record_end(socket));
        sockets.sort_by_key(|socket| Reverse(socket.since));
        sockets.truncate(SOCKETS_PER_ENDING);
        let ends = [now, now.plus(STRETCH)];
        let keys = sockets.iter().flat_map(|socket| ends.map(|end| key(watched, end, &socket.id)));
        let found = self.read_many(&keys.collect::<Vec<_>>(), true).await?;
        for some in found.chunks(WRITES_PER_CALL) {
            self.remove_chunk(some).await?;
        }
        let mut ended = BTreeMap::new();
        for attributes in &found {
            let (until, Watcher { connection, .. }) = watcher(attributes)?;
            if now < until {
                ended.insert(connection.id.clone(), connection);
            }
        }
        Ok(ended.into_values().collect())
    }

    /// At most [`WRITES_PER_CALL`] items, of which the keys are known at least.
    pub(super) async fn remove_chunk(&self, found: &[Attributes]) -> Result<(), Failure> {
        self.write_chunk(found.iter().map(deletion).collect::<Result<_, _>>()?).await
    }

    /// Strongly consistent: who began to watch a moment ago is told.
    pub(super) async fn watches_of(
        &self,
        user: UserId,
        now: Timestamp,
    ) -> Result<Vec<Watcher>, Failure> {
        let mut watchers: BTreeMap<ConnectionId, (Timestamp, Watcher)> = BTreeMap::new();
        let mut start = None;
        for _ in 0..PAGES_PER_READ {
            let query = self.client.query().table_name(&self.table_name).consistent_read(true);
            let query = query
                .key_condition_expression("pk = :person AND sk >= :first")
                .filter_expression("until_ms > :now")
                .expression_attribute_values(":person", item::text(format!("{KIND}{user}")))
                .expression_attribute_values(":first", item::text(stretch(now)))
                .expression_attribute_values(":now", item::time(now))
                .set_exclusive_start_key(start);
            let answer = query.send().await.map_err(|error| call::failure(WHAT, error))?;
            for attributes in answer.items.unwrap_or_default() {
                let (until, watcher) = watcher(&attributes)?;
                let known = watchers.get(&watcher.connection.id);
                if known.is_none_or(|(known, _)| *known < until) {
                    watchers.insert(watcher.connection.id.clone(), (until, watcher));
                }
            }
            start = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() || watchers.len() >= limits::WATCHERS_PER_USER {
                break;
            }
        }
        if start.is_some() {
            tracing::warn!(user_id = %user, told = watchers.len(), "not all watchers were read");
        }
        let watchers = watchers.into_values().map(|(_, watcher)| watcher);
        Ok(watchers.take(limits::WATCHERS_PER_USER).collect())
    }
}

/// What sort keys begin with when the watch ends in the same stretch of time as this; later ones
/// sort behind it.
fn stretch(end: Timestamp) -> String {
    let length = i64::try_from(STRETCH.as_millis()).unwrap_or(i64::MAX);
    format!("{:012}", end.unix_ms().div_euclid(length))
}

/// Where the watch of this socket is that ends then.
fn key(person: UserId, end: Timestamp, socket: &ConnectionId) -> Key {
    Key::new(format!("{KIND}{person}"), format!("{}/{socket}", stretch(end)))
}

fn deletion(found: &Attributes) -> Result<WriteRequest, Failure> {
    let key = |name: &str| Some((name.to_owned(), found.get(name)?.clone()));
    let key: HashMap<_, _> = ["pk", "sk"].into_iter().filter_map(key).collect();
    let delete = DeleteRequest::builder().set_key(Some(key)).build();
    let delete = delete.map_err(|error| Failure::bug(WHAT, error))?;
    Ok(WriteRequest::builder().delete_request(delete).build())
}

fn watch(
    connection: &Connection,
    person: UserId,
    sees_last_seen: bool,
    until: Timestamp,
) -> Attributes {
    let Identity { user_id, session_id } = connection.identity;
    let attributes = [
        ("user", item::text(user_id)),
        ("session", item::text(session_id)),
        ("since", item::time(connection.since)),
        ("seen", item::time(connection.seen_at)),
        ("sees", item::truth(sees_last_seen)),
        ("until_ms", item::time(until)),
        ("expires_at", item::expiry(until)),
    ];
    let mut item = key(person, until, &connection.id).attributes();
    item.extend(attributes.map(|(name, value)| (name.to_owned(), value)));
    item
}

/// Until when, and who.
fn watcher(attributes: &Attributes) -> Result<(Timestamp, Watcher), Failure> {
    let item = Item { kind: KIND, attributes };
    let sk: String = item.text("sk")?;
    let (_, id) = sk.split_once('/').ok_or_else(|| item.malformed("sk"))?;
    let id = ConnectionId::parse(id).map_err(|_| item.malformed("sk"))?;
    let identity = Identity { user_id: item.text("user")?, session_id: item.text("session")? };
    let (since, seen_at) = (item.time("since")?, item.time("seen")?);
    let connection = Connection { id, identity, since, seen_at };
    let watcher = Watcher { connection, sees_last_seen: item.truth("sees")? };
    Ok((item.time("until_ms")?, watcher))
}
