//! The open sockets.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use domain::{ConnectionId, SessionId, Timestamp, UserId, limits};
use service::port::{ConnectionStore, Failure};
use service::{Connection, Identity};

use super::item::{self, Item};
use super::{Attributes, Key, LiveTable, WHAT};
use crate::call;

/// Up to so many users the extra price of a consistent read is worth a push that is not missed.
const CONSISTENT_USERS: usize = 10;
/// What every name of a connection in its user's item starts with.
const PREFIX: &str = "c#";
/// What every mark of an ended session in its user's item starts with.
const ENDED_PREFIX: &str = "s#";
/// Marks removed at once; the next end removes the next ones.
const MARKS_PER_SWEEP: usize = 50;

#[async_trait]
impl ConnectionStore for LiveTable {
    /// `C#…` first: a socket that is listed but not on record could not send.
    async fn open(&self, connection: &Connection) -> Result<bool, Failure> {
        let put = self.client.put_item().table_name(&self.table_name);
        let put = put
            .set_item(Some(Key::connection(&connection.id).attributes()))
            .item("user", item::text(connection.identity.user_id))
            .item("session", item::text(connection.identity.session_id))
            .item("since", item::time(connection.since))
            .item("expires_at", item::expiry(record_end(connection)));
        put.send().await.map_err(|error| call::failure(WHAT, error))?;
        let is_listed = self.list(connection).await?;
        if !is_listed {
            self.close(&connection.id, connection.since).await?;
        }
        Ok(is_listed)
    }

    /// From `C#…`, where heartbeats leave no trace: `seen_at` is `since`. The record of a socket
    /// that has ended may still be there, but no frame bears its name any more.
    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>, Failure> {
        let found = self.read(&Key::connection(id)).await?;
        found.map(|attributes| recorded(id, &attributes)).transpose()
    }

    async fn touch(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> Result<Option<Connection>, Failure> {
        let Some(record) = self.get(id).await?.filter(|record| now < record_end(record)) else {
            return Ok(None);
        };
        let touched = Connection { seen_at: now, ..record };
        Ok(self.list(&touched).await?.then_some(touched))
    }

    /// The deleted `C#…` tells whose item is to lose its attribute.
    async fn close(
        &self,
        id: &ConnectionId,
        _now: Timestamp,
    ) -> Result<Option<Connection>, Failure> {
        self.owners.forget(id);
        let delete = self.client.delete_item().table_name(&self.table_name);
        let delete = delete.set_key(Some(Key::connection(id).attributes()));
        let answer = delete.return_values(ReturnValue::AllOld).send().await;
        let answer = answer.map_err(|error| call::failure(WHAT, error))?;
        let Some(attributes) = answer.attributes else { return Ok(None) };
        let closed = recorded(id, &attributes)?;
        self.prune(&closed).await?;
        Ok(Some(closed))
    }

    async fn prune(&self, connection: &Connection) -> Result<(), Failure> {
        let update = self.client.update_item().table_name(&self.table_name);
        let answer = update
            .set_key(Some(Key::live(connection.identity.user_id).attributes()))
            .update_expression("REMOVE #connection")
            // Without this, an update of nothing would leave an item that never expires.
            .condition_expression("attribute_exists(#connection)")
            .expression_attribute_names("#connection", name_of(&connection.id))
            .send()
            .await;
        match answer {
            Err(error) if !super::is_condition_failed(&error) => Err(call::failure(WHAT, error)),
            _ => Ok(()),
        }
    }

    /// One update, so that of a connect and an end at once either sees the other.
    async fn end_session(
        &self,
        identity: Identity,
        now: Timestamp,
    ) -> Result<Vec<Connection>, Failure> {
        let update = self.client.update_item().table_name(&self.table_name);
        let answer = update
            .set_key(Some(Key::live(identity.user_id).attributes()))
            .update_expression("SET #ended = :now, expires_at = :end")
            .expression_attribute_names("#ended", mark_of(identity.session_id))
            .expression_attribute_values(":now", item::time(now))
            .expression_attribute_values(":end", item::expiry(mark_end(now)))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        let answer = answer.map_err(|error| call::failure(WHAT, error))?;
        let attributes = answer.attributes.unwrap_or_default();
        self.sweep_marks(identity.user_id, &attributes, now).await?;
        let mut open = listed(&attributes)?;
        open.retain(|connection| connection.identity == identity && now < record_end(connection));
        Ok(open)
    }

    async fn of_users(&self, users: &[UserId], now: Timestamp) -> Result<Vec<Connection>, Failure> {
        let users: BTreeSet<UserId> = users.iter().copied().collect();
        let keys: Vec<_> = users.iter().map(|user| Key::live(*user)).collect();
        let items = self.read_many(&keys, keys.len() <= CONSISTENT_USERS).await?;
        let mut open = Vec::new();
        for item in &items {
            open.extend(listed(item)?);
        }
        open.retain(|connection| {
            now < record_end(connection) && now < connection.seen_at.plus(limits::CONNECTION_LEASE)
        });
        Ok(open)
    }
}

impl LiveTable {
    /// Puts a connection among those of its user, or renews it there; `false` when its session
    /// has ended.
    async fn list(&self, connection: &Connection) -> Result<bool, Failure> {
        let entry = Attributes::from([
            ("session".to_owned(), item::text(connection.identity.session_id)),
            ("since".to_owned(), item::time(connection.since)),
            ("seen".to_owned(), item::time(connection.seen_at)),
        ]);
        // Longer than the lease of this one and of any that was seen before it.
        let end = connection.seen_at.plus(limits::CONNECTION_RECORD_LIFETIME);
        let update = self.client.update_item().table_name(&self.table_name);
        let update = update
            .set_key(Some(Key::live(connection.identity.user_id).attributes()))
            .update_expression("SET #connection = :entry, expires_at = :end")
            .condition_expression("attribute_not_exists(#ended)")
            .expression_attribute_names("#ended", mark_of(connection.identity.session_id))
            .expression_attribute_names("#connection", name_of(&connection.id))
            .expression_attribute_values(":entry", AttributeValue::M(entry))
            .expression_attribute_values(":end", item::expiry(end));
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) if super::is_condition_failed(&error) => Ok(false),
            Err(error) => Err(call::failure(WHAT, error)),
        }
    }

    /// Removes the marks of sessions that ended so long ago that none of their sockets is left.
    async fn sweep_marks(
        &self,
        user: UserId,
        attributes: &Attributes,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let is_over = |(name, value): &(&String, &AttributeValue)| {
            let AttributeValue::N(ended_at) = value else { return false };
            let ended_at = ended_at.parse().ok().and_then(Timestamp::from_unix_ms);
            name.starts_with(ENDED_PREFIX) && ended_at.is_some_and(|at| mark_end(at) <= now)
        };
        let over = attributes.iter().filter(is_over).map(|(name, _)| name);
        let over: Vec<_> = over.take(MARKS_PER_SWEEP).collect();
        if over.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = (0..over.len()).map(|index| format!("#m{index}")).collect();
        let update = self.client.update_item().table_name(&self.table_name);
        let update = update
            .set_key(Some(Key::live(user).attributes()))
            .update_expression(format!("REMOVE {}", names.join(", ")));
        let named = names.into_iter().zip(over);
        let update = named
            .fold(update, |update, (name, mark)| update.expression_attribute_names(name, mark));
        update.send().await.map_err(|error| call::failure(WHAT, error))?;
        Ok(())
    }
}

/// The name of the mark that a session has ended; its value is when.
fn mark_of(session: SessionId) -> String {
    format!("{ENDED_PREFIX}{session}")
}

/// As long as a socket of the session could be on record.
fn mark_end(ended_at: Timestamp) -> Timestamp {
    ended_at.plus(limits::CONNECTION_RECORD_LIFETIME)
}

fn name_of(id: &ConnectionId) -> String {
    format!("{PREFIX}{id}")
}

fn record_end(connection: &Connection) -> Timestamp {
    connection.since.plus(limits::CONNECTION_RECORD_LIFETIME)
}

/// Reads an item `C#…`.
pub(super) fn recorded(id: &ConnectionId, attributes: &Attributes) -> Result<Connection, Failure> {
    let item = Item { kind: "C#", attributes };
    let identity = Identity { user_id: item.text("user")?, session_id: item.text("session")? };
    let since = item.time("since")?;
    Ok(Connection { id: id.clone(), identity, since, seen_at: since })
}

/// Reads an item `U#…`.
fn listed(attributes: &Attributes) -> Result<Vec<Connection>, Failure> {
    let item = Item { kind: "U#", attributes };
    let pk: String = item.text("pk")?;
    let user_id = pk.strip_prefix("U#").and_then(|raw| raw.parse().ok());
    let user_id = user_id.ok_or_else(|| item.malformed("pk"))?;
    let entries = attributes.iter().filter_map(|(name, value)| {
        let id = name.strip_prefix(PREFIX)?;
        Some((id, value))
    });
    let read = |(id, value): (&str, &AttributeValue)| {
        let AttributeValue::M(attributes) = value else { return Err(item.malformed(PREFIX)) };
        let id = ConnectionId::parse(id).map_err(|_| item.malformed(PREFIX))?;
        let entry = Item { kind: "U#", attributes };
        let identity = Identity { user_id, session_id: entry.text("session")? };
        let (since, seen_at) = (entry.time("since")?, entry.time("seen")?);
        Ok(Connection { id, identity, since, seen_at })
    };
    entries.map(read).collect()
}
