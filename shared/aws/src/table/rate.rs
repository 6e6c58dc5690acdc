//! Token buckets.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use domain::{Timestamp, TokenBucket};
use service::port::{Failure, RateLimiter};

use super::item::{self, Item};
use super::{Attributes, Key, LiveTable, WHAT};
use crate::call;

/// Writes tried before a bucket counts as contended: only who sends on many sockets at the same
/// instant gets there.
const TRIES: usize = 3;
/// What such a user is asked to wait: enough for the others of the crowd to be through.
const CONTENDED_WAIT_MS: u64 = 100;
/// A full bucket says no more than a missing one; it is kept a little longer for clocks that
/// differ.
const KEPT_AFTER_FULL: Duration = Duration::from_secs(60);

#[async_trait]
impl RateLimiter for LiveTable {
    /// Takes a bucket to be full first; a refused write brings the real one along.
    async fn take(
        &self,
        scope: &str,
        bucket: TokenBucket,
        count: u32,
        now: Timestamp,
    ) -> Result<Result<Timestamp, u64>, Failure> {
        let key = Key::bucket(scope);
        let mut seen = None;
        for _ in 0..TRIES {
            let next = match bucket.take(seen, count, now) {
                Ok(next) => next,
                Err(wait) => {
                    return Ok(Err(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)));
                }
            };
            match self.fill(&key, seen, next, now).await? {
                Ok(()) => return Ok(Ok(next)),
                Err(newer) => seen = newer,
            }
        }
        Ok(Err(CONTENDED_WAIT_MS))
    }
}

impl LiveTable {
    /// Writes that the bucket is full again at `next`, if its `full_at` is the seen one (or, when
    /// none was seen, if it is full now). Otherwise answers the `full_at` that it has.
    async fn fill(
        &self,
        key: &Key,
        seen: Option<Timestamp>,
        next: Timestamp,
        now: Timestamp,
    ) -> Result<Result<(), Option<Timestamp>>, Failure> {
        let (condition, value) = match seen {
            None => ("attribute_not_exists(full_at) OR full_at <= :seen", now),
            Some(full_at) => ("full_at = :seen", full_at),
        };
        let update = self.client.update_item().table_name(&self.table_name);
        let answer = update
            .set_key(Some(key.attributes()))
            .update_expression("SET full_at = :next, expires_at = :end")
            .condition_expression(condition)
            .expression_attribute_values(":seen", item::time(value))
            .expression_attribute_values(":next", item::time(next))
            .expression_attribute_values(":end", item::expiry(next.plus(KEPT_AFTER_FULL)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = answer else { return Ok(Ok(())) };
        let Some(old) = super::item_of_failed_condition(&error) else {
            return Err(call::failure(WHAT, error));
        };
        let old = match old {
            Some(old) => Some(old.clone()),
            None => self.read(key).await?,
        };
        let full_at = |old: &Attributes| Item { kind: "R#", attributes: old }.time("full_at");
        Ok(Err(old.as_ref().map(full_at).transpose()?))
    }
}
