//! The end of a person in the table.

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValue;
use domain::{ConnectionId, Timestamp, UserId, limits};
use service::port::{Failure, LiveErasure};

use super::watches::{self, WRITES_PER_CALL};
use super::{Attributes, Key, LiveTable, WHAT, is_condition_failed, item, person};
use crate::call;

/// Pages of one person's watchers: some four thousand a page, so more than anybody ever has.
const PAGES_MAX: usize = 250;
/// All that an erased person's item keeps: that it takes no socket, and until when.
const KEPT: [&str; 4] = ["pk", "sk", "erased", "expires_at"];

#[async_trait]
impl LiveErasure for LiveTable {
    /// The item is closed first, so that no socket comes in behind the erasure: neither one whose
    /// ticket is still good, nor one that was pruned and beats again. What is left of the item
    /// goes when no such socket can be on record any more.
    async fn erase(&self, user: UserId, now: Timestamp) -> Result<(), Failure> {
        if let Some(person) = self.close_person(user).await? {
            for id in person::listed_ids(&person).filter_map(|id| ConnectionId::parse(id).ok()) {
                self.forget(&id).await?;
            }
            self.empty_person(user, now).await?;
        }
        self.remove_watches(user).await
    }

    async fn residue(&self, user: UserId) -> Result<Vec<(&'static str, u64)>, Failure> {
        let person = self.read(&Key::live(user)).await?.unwrap_or_default();
        let connections = person::listed_ids(&person).count();
        let is_known = person.keys().any(|name| person::tells_of_presence(name, &KEPT));
        let counts = [
            ("connections", u64::try_from(connections).unwrap_or(u64::MAX)),
            ("watches", self.count_watches(user).await?),
            ("presence", u64::from(is_known)),
        ];
        Ok(counts.into_iter().filter(|(_, count)| *count > 0).collect())
    }
}

impl LiveTable {
    /// From now on no connection is listed. Answers what the item holds; `None` when there is
    /// none.
    async fn close_person(&self, user: UserId) -> Result<Option<Attributes>, Failure> {
        let update = self.client.update_item().table_name(&self.table_name);
        let answer = update
            .set_key(Some(Key::live(user).attributes()))
            .update_expression("SET erased = :true")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":true", item::truth(true))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(answer.attributes),
            Err(error) if is_condition_failed(&error) => Ok(None),
            Err(error) => Err(call::failure(WHAT, error)),
        }
    }

    async fn empty_person(&self, user: UserId, now: Timestamp) -> Result<(), Failure> {
        let end = item::expiry(now.plus(limits::CONNECTION_RECORD_LIFETIME));
        let key = Key::live(user).attributes();
        let put = self.client.put_item().table_name(&self.table_name).set_item(Some(key));
        let put = put.item("erased", item::truth(true)).item("expires_at", end);
        put.send().await.map(drop).map_err(|error| call::failure(WHAT, error))
    }

    /// Those who watch a person, page by page.
    fn watches(&self, user: UserId) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&self.table_name).consistent_read(true);
        query
            .key_condition_expression("pk = :person")
            .expression_attribute_values(":person", item::text(format!("{}{user}", watches::KIND)))
            .projection_expression("pk, sk")
    }

    async fn remove_watches(&self, user: UserId) -> Result<(), Failure> {
        for _ in 0..PAGES_MAX {
            let answer = self.watches(user).send().await;
            let answer = answer.map_err(|error| call::failure(WHAT, error))?;
            let found = answer.items.unwrap_or_default();
            for some in found.chunks(WRITES_PER_CALL) {
                self.remove_chunk(some).await?;
            }
            if answer.last_evaluated_key.is_none_or(|key| key.is_empty()) {
                return Ok(());
            }
        }
        Err(Failure::unavailable(WHAT, "more people watch than can be removed at once"))
    }

    async fn count_watches(&self, user: UserId) -> Result<u64, Failure> {
        let (mut count, mut start) = (0_u64, None);
        for _ in 0..PAGES_MAX {
            let answer = self.watches(user).set_exclusive_start_key(start).send().await;
            let answer = answer.map_err(|error| call::failure(WHAT, error))?;
            let found = answer.items.unwrap_or_default().len();
            count = count.saturating_add(u64::try_from(found).unwrap_or(u64::MAX));
            start = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                break;
            }
        }
        Ok(count)
    }
}
