//! Who is there. A status is kept in `C#…`, where it outlives a pruning, and with the person:
//! beside its socket, where one read tells all devices, and beside its session, whose next socket
//! begins with it.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::{ConnectionId, Presence, Status, Timestamp, UserId};
use service::Connection;
use service::port::{Acquaintance, Failure, PresenceStore, Sighting, Watcher};

use super::connections::{Recorded, hiding, recorded};
use super::person::{self, mark_of, name_of, record_end, status_mark, status_mark_of};
use super::{Attributes, CONSISTENT_USERS, Key, LiveTable, WHAT, item, item_of_failed_condition};
use crate::call;

#[async_trait]
impl PresenceStore for LiveTable {
    /// A connection that a stray 410 pruned is listed again by its next heartbeat, with this
    /// status.
    async fn set(
        &self,
        id: &ConnectionId,
        status: Status,
        now: Timestamp,
    ) -> Result<Option<Sighting>, Failure> {
        let Some(Recorded { connection, .. }) = self.put_on_record(id, status).await? else {
            return Ok(None);
        };
        if record_end(&connection) <= now {
            return Ok(None);
        }
        let person = self.put_on_list(&connection, status, now).await?;
        let user = connection.identity.user_id;
        let Some(person) = person else { return Ok(Some(person::never_seen(user))) };
        if person.contains_key(&mark_of(connection.identity.session_id)) {
            return Ok(None);
        }
        self.show(&person, user, now).await?;
        person::sighting(&person, now).map(Some)
    }

    async fn of_users(&self, users: &[UserId], now: Timestamp) -> Result<Vec<Sighting>, Failure> {
        let mut asked: Vec<UserId> = Vec::with_capacity(users.len());
        for user in users {
            if !asked.contains(user) {
                asked.push(*user);
            }
        }
        let keys: Vec<_> = asked.iter().map(|user| Key::live(*user)).collect();
        let items = self.read_many(&keys, keys.len() <= CONSISTENT_USERS).await?;
        let of_user = |(key, user): (&Key, &UserId)| {
            let item = items.iter().find(|item| key.is_of(item));
            item.map_or(Ok(person::never_seen(*user)), |item| person::sighting(item, now))
        };
        keys.iter().zip(&asked).map(of_user).collect()
    }

    /// Nothing told yet counts as offline, so that to tell of nobody leaves no item behind.
    async fn announce(&self, user: UserId, presence: Presence) -> Result<bool, Failure> {
        let condition = match presence {
            Presence::Offline => "attribute_exists(announced) AND announced <> :told",
            _ => "attribute_not_exists(announced) OR announced <> :told",
        };
        let update = self.client.update_item().table_name(&self.table_name);
        let answer = update
            .set_key(Some(Key::live(user).attributes()))
            .update_expression("SET announced = :told")
            .condition_expression(condition)
            .expression_attribute_values(":told", item::text(presence.as_str()))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(true),
            Err(error) if super::is_condition_failed(&error) => Ok(false),
            Err(error) => Err(call::failure(WHAT, error)),
        }
    }

    async fn watch(
        &self,
        connection: &Connection,
        people: &[Acquaintance],
        until: Timestamp,
    ) -> Result<(), Failure> {
        self.put_watches(connection, people, until).await
    }

    async fn watchers(&self, user: UserId, now: Timestamp) -> Result<Vec<Watcher>, Failure> {
        self.watches_of(user, now).await
    }

    async fn end_watches(
        &self,
        watcher: UserId,
        watched: UserId,
        now: Timestamp,
    ) -> Result<Vec<Connection>, Failure> {
        let person = self.read_many(&[Key::live(watcher)], true).await?;
        let Some(person) = person.first() else { return Ok(vec![]) };
        let sockets = person::listed(person)?.into_iter().map(|listed| listed.connection);
        self.remove_watches_between(sockets.collect(), watched, now).await
    }
}

impl LiveTable {
    /// In `C#…`; `None` when it is not there.
    async fn put_on_record(
        &self,
        id: &ConnectionId,
        status: Status,
    ) -> Result<Option<Recorded>, Failure> {
        let update = self.client.update_item().table_name(&self.table_name);
        let answer = update
            .set_key(Some(Key::connection(id).attributes()))
            .update_expression("SET #status = :status")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", item::text(status.as_str()))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        match answer {
            Ok(answer) => recorded(id, &answer.attributes.unwrap_or_default()).map(Some),
            Err(error) if super::is_condition_failed(&error) => Ok(None),
            Err(error) => Err(call::failure(WHAT, error)),
        }
    }

    /// Where the connection is listed, if it is and its session has not ended. Answers the
    /// person's item in any case, `None` when there is none.
    async fn put_on_list(
        &self,
        connection: &Connection,
        status: Status,
        now: Timestamp,
    ) -> Result<Option<Attributes>, Failure> {
        let key = Key::live(connection.identity.user_id);
        let session = connection.identity.session_id;
        let update = self.client.update_item().table_name(&self.table_name);
        let expression = "SET #connection.#status = :status, #mark = :mark";
        let update = match status {
            Status::Invisible => hiding(update, expression, now),
            _ => update.update_expression(expression),
        };
        let answer = update
            .set_key(Some(key.attributes()))
            .condition_expression("attribute_exists(#connection) AND attribute_not_exists(#ended)")
            .expression_attribute_names("#connection", name_of(&connection.id))
            .expression_attribute_names("#ended", mark_of(session))
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#mark", status_mark_of(session))
            .expression_attribute_values(":status", item::text(status.as_str()))
            .expression_attribute_values(":mark", status_mark(status, now))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let error = match answer {
            Ok(answer) => return Ok(answer.attributes),
            Err(error) => error,
        };
        match item_of_failed_condition(&error) {
            Some(Some(person)) => Ok(Some(person.clone())),
            Some(None) => self.read(&key).await,
            None => Err(call::failure(WHAT, error)),
        }
    }
}
