//! The open sockets.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::{ConnectionId, Status, Timestamp, UserId, limits};
use service::port::{ConnectionStore, Failure};
use service::{Connection, Identity};

use super::item::{self, Item};
use super::person::{self, Listed, mark_of, name_of, record_end, status_mark_of};
use super::{
    Attributes, CONSISTENT_USERS, Key, LiveTable, UpdateError, WHAT, item_of_failed_condition,
};
use crate::call;

/// An item `U#…` outlives its sockets this long, so that it is known when the person was last
/// seen. Longer than any socket of theirs may be on record.
const PERSON_LIFETIME: Duration = Duration::from_secs(90 * 24 * 3600);

/// That no socket of the person hides at `:now`.
const IS_SHOWN: &str = "(attribute_not_exists(hidden_until) OR hidden_until <= :now)";

/// That the connection's session has not ended, and its person is not erased.
const MAY_CONNECT: &str = "attribute_not_exists(#ended) AND attribute_not_exists(erased)";

/// Whether a sign of life moves when the person was last seen.
#[derive(Clone, Copy)]
enum Sight {
    /// It does, on the condition that they do not hide.
    Seen,
    /// It does not. Another write, which only the other devices of who hides need.
    Unseen,
}

impl Sight {
    fn with(self, condition: &str) -> String {
        match self {
            Self::Seen => format!("{condition} AND {IS_SHOWN}"),
            Self::Unseen => condition.to_owned(),
        }
    }
}

/// What `C#…` tells.
pub(super) struct Recorded {
    pub(super) connection: Connection,
    pub(super) status: Status,
}

#[async_trait]
impl ConnectionStore for LiveTable {
    /// It begins with the status that its session had last: who hides, or is away, must not be
    /// online for as long as their device takes to say so again. `C#…` first: a socket that is
    /// listed but not on record could not send.
    async fn open(&self, connection: &Connection) -> Result<bool, Failure> {
        let known = self.read_many(&[Key::live(connection.identity.user_id)], true).await?;
        let session = connection.identity.session_id;
        let status = known.first().map(|known| person::status_of(known, session));
        let status = status.transpose()?.unwrap_or_default();
        let put = self.client.put_item().table_name(&self.table_name);
        let put = put
            .set_item(Some(Key::connection(&connection.id).attributes()))
            .item("user", item::text(connection.identity.user_id))
            .item("session", item::text(connection.identity.session_id))
            .item("since", item::time(connection.since))
            .item("status", item::text(status.as_str()))
            .item("expires_at", item::expiry(record_end(connection)));
        put.send().await.map_err(|error| call::failure(WHAT, error))?;
        let Some(person) = self.list(connection, status).await? else {
            self.forget(&connection.id).await?;
            return Ok(false);
        };
        self.sweep(connection.identity.user_id, &person, connection.since).await?;
        Ok(true)
    }

    /// From `C#…`, where heartbeats leave no trace: `seen_at` is `since`. The record of a socket
    /// that has ended may still be there, but no frame bears its name any more.
    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>, Failure> {
        Ok(self.record(id).await?.map(|record| record.connection))
    }

    async fn touch(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> Result<Option<Connection>, Failure> {
        let Some(record) = self.record(id).await? else { return Ok(None) };
        if record_end(&record.connection) <= now {
            return Ok(None);
        }
        let touched = Connection { seen_at: now, ..record.connection };
        if self.renew(&touched, record.status).await? {
            return Ok(Some(touched));
        }
        if self.list(&touched, record.status).await?.is_none() {
            return Ok(None);
        }
        // It may have closed since it was read; listed again, it would look open for minutes.
        if self.record(id).await?.is_none() {
            self.prune(&touched).await?;
            return Ok(None);
        }
        Ok(Some(touched))
    }

    /// The deleted `C#…` tells whose item is to lose its attribute. When they were last seen only
    /// rises, and not while they hide, so a closing that comes late takes the attribute alone.
    async fn close(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> Result<Option<Connection>, Failure> {
        let Some(Recorded { connection, status }) = self.forget(id).await? else {
            return Ok(None);
        };
        let user = connection.identity.user_id;
        if status == Status::Invisible {
            if let Some(person) = self.unlist(&connection).await? {
                self.show(&person, user, now).await?;
            }
            return Ok(Some(connection));
        }
        // Of who is erased, nothing is written again.
        let condition = "attribute_not_exists(erased) \
            AND (attribute_not_exists(last_seen) OR last_seen < :now)";
        let update = self.client.update_item().table_name(&self.table_name);
        let answer = update
            .set_key(Some(Key::live(user).attributes()))
            .update_expression("SET last_seen = :now, expires_at = :end REMOVE #connection")
            .condition_expression(format!("{condition} AND {IS_SHOWN}"))
            .expression_attribute_names("#connection", name_of(&connection.id))
            .expression_attribute_values(":now", item::time(now))
            .expression_attribute_values(":end", item::expiry(now.plus(PERSON_LIFETIME)))
            .send()
            .await;
        if done(answer)?.is_none() {
            self.prune(&connection).await?;
        }
        Ok(Some(connection))
    }

    async fn prune(&self, connection: &Connection) -> Result<(), Failure> {
        self.unlist(connection).await.map(drop)
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
            .update_expression("SET #ended = :now, expires_at = :end REMOVE #status")
            // Who is erased has no session and takes no socket, and nothing is written again.
            .condition_expression("attribute_not_exists(erased)")
            .expression_attribute_names("#ended", mark_of(identity.session_id))
            .expression_attribute_names("#status", status_mark_of(identity.session_id))
            .expression_attribute_values(":now", item::time(now))
            .expression_attribute_values(":end", item::expiry(now.plus(PERSON_LIFETIME)))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let attributes = match answer {
            Ok(answer) => answer.attributes.unwrap_or_default(),
            Err(error) => match item_of_failed_condition(&error) {
                Some(person) => person.cloned().unwrap_or_default(),
                None => return Err(call::failure(WHAT, error)),
            },
        };
        self.sweep(identity.user_id, &attributes, now).await?;
        let open = person::listed(&attributes)?.into_iter().map(|listed| listed.connection);
        let is_wanted = |connection: &Connection| {
            connection.identity == identity && now < record_end(connection)
        };
        Ok(open.filter(is_wanted).collect())
    }

    async fn of_users(&self, users: &[UserId], now: Timestamp) -> Result<Vec<Connection>, Failure> {
        let users: BTreeSet<UserId> = users.iter().copied().collect();
        let keys: Vec<_> = users.iter().map(|user| Key::live(*user)).collect();
        let items = self.read_many(&keys, keys.len() <= CONSISTENT_USERS).await?;
        let mut open = Vec::new();
        for item in &items {
            let listed = person::listed(item)?.into_iter();
            open.extend(
                listed
                    .filter(|listed| listed.is_live(now))
                    .map(|Listed { connection, .. }| connection),
            );
        }
        Ok(open)
    }
}

impl LiveTable {
    /// What `C#…` tells of this connection.
    async fn record(&self, id: &ConnectionId) -> Result<Option<Recorded>, Failure> {
        let found = self.read(&Key::connection(id)).await?;
        found.map(|attributes| recorded(id, &attributes)).transpose()
    }

    /// Removes `C#…`, and answers what it told.
    pub(super) async fn forget(&self, id: &ConnectionId) -> Result<Option<Recorded>, Failure> {
        self.owners.forget(id);
        let delete = self.client.delete_item().table_name(&self.table_name);
        let delete = delete.set_key(Some(Key::connection(id).attributes()));
        let answer = delete.return_values(ReturnValue::AllOld).send().await;
        let answer = answer.map_err(|error| call::failure(WHAT, error))?;
        answer.attributes.map(|attributes| recorded(id, &attributes)).transpose()
    }

    /// Takes a connection from those of its person, whose item it answers; `None` when it was not
    /// there.
    async fn unlist(&self, connection: &Connection) -> Result<Option<Attributes>, Failure> {
        let update = self.client.update_item().table_name(&self.table_name);
        let answer = update
            .set_key(Some(Key::live(connection.identity.user_id).attributes()))
            .update_expression("REMOVE #connection")
            // Without this, an update of nothing would leave an item that never expires.
            .condition_expression("attribute_exists(#connection)")
            .expression_attribute_names("#connection", name_of(&connection.id))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        Ok(done(answer)?.map(|answer| answer.attributes.unwrap_or_default()))
    }

    /// Lets it be seen again when the person is here, if no socket of theirs hides any more. Who
    /// hides meanwhile has written another time, and stays hidden.
    pub(super) async fn show(
        &self,
        person: &Attributes,
        user: UserId,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let Some(until) = person::needlessly_hidden(person, now)? else { return Ok(()) };
        let update = self.client.update_item().table_name(&self.table_name);
        let answer = update
            .set_key(Some(Key::live(user).attributes()))
            .update_expression("REMOVE hidden_until")
            .condition_expression("hidden_until = :until")
            .expression_attribute_values(":until", item::time(until))
            .send()
            .await;
        done(answer).map(drop)
    }

    /// Puts a connection among those of its person, whose item it answers; `None` when its session
    /// has ended.
    async fn list(
        &self,
        connection: &Connection,
        status: Status,
    ) -> Result<Option<Attributes>, Failure> {
        let listing = |sight: Sight| {
            let update = self.client.update_item().table_name(&self.table_name);
            let update = update
                .set_key(Some(Key::live(connection.identity.user_id).attributes()))
                .condition_expression(sight.with(MAY_CONNECT))
                .expression_attribute_names("#ended", mark_of(connection.identity.session_id))
                .expression_attribute_names("#connection", name_of(&connection.id))
                .expression_attribute_values(":entry", person::entry(connection, status))
                .return_values(ReturnValue::AllNew);
            signed(update, "SET #connection = :entry", connection, (status, sight))
        };
        let listed = sign(status, listing).await?;
        Ok(listed.map(|answer| answer.attributes.unwrap_or_default()))
    }

    /// Raises the lease of a connection where it is listed, and leaves its status to those who set
    /// it. `false` when it is not listed (any more), or its session has ended.
    async fn renew(&self, connection: &Connection, status: Status) -> Result<bool, Failure> {
        let condition = "attribute_exists(#connection) AND attribute_not_exists(#ended)";
        let renewal = |sight: Sight| {
            let update = self.client.update_item().table_name(&self.table_name);
            let update = update
                .set_key(Some(Key::live(connection.identity.user_id).attributes()))
                .condition_expression(sight.with(condition))
                .expression_attribute_names("#ended", mark_of(connection.identity.session_id))
                .expression_attribute_names("#connection", name_of(&connection.id))
                .expression_attribute_names("#seen", "seen")
                .expression_attribute_values(":beat", item::time(connection.seen_at));
            signed(update, "SET #connection.#seen = :beat", connection, (status, sight))
        };
        Ok(sign(status, renewal).await?.is_some())
    }

    /// Removes from a person's item what is of no use any more.
    async fn sweep(
        &self,
        user: UserId,
        attributes: &Attributes,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let overdue = person::overdue(attributes, now)?;
        if overdue.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = (0..overdue.len()).map(|index| format!("#m{index}")).collect();
        let update = self.client.update_item().table_name(&self.table_name);
        let update = update
            .set_key(Some(Key::live(user).attributes()))
            .update_expression(format!("REMOVE {}", names.join(", ")));
        let named = names.into_iter().zip(overdue);
        let update =
            named.fold(update, |update, (name, old)| update.expression_attribute_names(name, old));
        update.send().await.map_err(|error| call::failure(WHAT, error))?;
        Ok(())
    }
}

/// Writes a sign of life. `None` when the item did not meet the condition.
async fn sign(
    status: Status,
    update: impl Fn(Sight) -> UpdateItemFluentBuilder,
) -> Result<Option<UpdateItemOutput>, Failure> {
    if status != Status::Invisible {
        let update = update(Sight::Seen);
        let all_old = ReturnValuesOnConditionCheckFailure::AllOld;
        let answer = update.return_values_on_condition_check_failure(all_old).send().await;
        if !answer.as_ref().is_err_and(may_hide) {
            return done(answer);
        }
    }
    done(update(Sight::Unseen).send().await)
}

/// Whether it may be for who hides that an update was refused.
fn may_hide(error: &UpdateError) -> bool {
    let item = item_of_failed_condition(error).flatten();
    item.is_some_and(|person| person.contains_key("hidden_until"))
}

/// Ends the update's expression with a sign of life.
fn signed(
    update: UpdateItemFluentBuilder,
    expression: &str,
    connection: &Connection,
    (status, sight): (Status, Sight),
) -> UpdateItemFluentBuilder {
    let seen_at = connection.seen_at;
    let update =
        update.expression_attribute_values(":end", item::expiry(seen_at.plus(PERSON_LIFETIME)));
    let expression = format!("{expression}, expires_at = :end");
    match (status, sight) {
        (Status::Invisible, _) => hiding(update, &expression, seen_at),
        (_, Sight::Unseen) => update.update_expression(expression),
        (_, Sight::Seen) => update
            .update_expression(format!("{expression}, last_seen = :now"))
            .expression_attribute_values(":now", item::time(seen_at)),
    }
}

/// Ends the update's expression: the person hides for as long as this socket's lease is valid.
pub(super) fn hiding(
    update: UpdateItemFluentBuilder,
    expression: &str,
    now: Timestamp,
) -> UpdateItemFluentBuilder {
    let until = now.plus(limits::CONNECTION_LEASE);
    update
        .update_expression(format!("{expression}, hidden_until = :until"))
        .expression_attribute_values(":until", item::time(until))
}

/// `None` when the item did not meet the condition.
fn done(
    answer: Result<UpdateItemOutput, UpdateError>,
) -> Result<Option<UpdateItemOutput>, Failure> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if super::is_condition_failed(&error) => Ok(None),
        Err(error) => Err(call::failure(WHAT, error)),
    }
}

/// Reads an item `C#…`.
pub(super) fn recorded(id: &ConnectionId, attributes: &Attributes) -> Result<Recorded, Failure> {
    let item = Item { kind: "C#", attributes };
    let identity = Identity { user_id: item.text("user")?, session_id: item.text("session")? };
    let since = item.time("since")?;
    let connection = Connection { id: id.clone(), identity, since, seen_at: since };
    Ok(Recorded { connection, status: item.optional_text("status")?.unwrap_or_default() })
}
