//! Token buckets.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::{Timestamp, TokenBucket};
use service::port::{Failure, RateLimiter};

use super::item::{self, Item};
use super::{Attributes, Key, LiveTable, WHAT};
use crate::call;

/// Writes tried before a bucket counts as contended. The second one adds to whatever is there, so
/// that only a bucket that vanishes in between needs a third.
const TRIES: usize = 3;
/// What such a user is asked to wait: enough for the others of the crowd to be through.
const CONTENDED_WAIT_MS: u64 = 100;
/// A full bucket says no more than a missing one; it is kept a little longer for clocks that
/// differ.
const KEPT_AFTER_FULL: Duration = Duration::from_secs(60);

/// The `full_at` that was written, or the one that was there instead.
type Written = Result<Timestamp, Option<Timestamp>>;

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
            let written = match seen.filter(|full_at| *full_at > now) {
                None => self.begin(&key, next, now).await?,
                Some(_) => self.add(&key, bucket, count, now).await?,
            };
            match written {
                Ok(full_at) => return Ok(Ok(full_at)),
                Err(newer) => seen = newer,
            }
        }
        Ok(Err(CONTENDED_WAIT_MS))
    }
}

impl LiveTable {
    /// Takes the first tokens of a bucket that is full.
    async fn begin(&self, key: &Key, next: Timestamp, now: Timestamp) -> Result<Written, Failure> {
        let update = self
            .update_bucket(key, next)
            .update_expression("SET full_at = :next, expires_at = :end")
            .condition_expression("attribute_not_exists(full_at) OR full_at <= :now")
            .expression_attribute_values(":now", item::time(now))
            .expression_attribute_values(":next", item::time(next));
        self.write(key, update).await
    }

    /// Takes more of one that is not, whoever takes from it at the same time, as long as enough is
    /// there.
    async fn add(
        &self,
        key: &Key,
        bucket: TokenBucket,
        count: u32,
        now: Timestamp,
    ) -> Result<Written, Failure> {
        let cost = bucket.interval.saturating_mul(count);
        let empty_at = now.plus(bucket.window());
        let update = self
            .update_bucket(key, empty_at)
            .update_expression("SET full_at = full_at + :cost, expires_at = :end")
            .condition_expression("full_at > :now AND full_at <= :latest")
            .expression_attribute_values(":now", item::time(now))
            .expression_attribute_values(":latest", item::time(empty_at.minus(cost)))
            .expression_attribute_values(":cost", item::millis(cost));
        self.write(key, update).await
    }

    fn update_bucket(&self, key: &Key, full_at: Timestamp) -> UpdateItemFluentBuilder {
        let update = self.client.update_item().table_name(&self.table_name);
        update
            .set_key(Some(key.attributes()))
            .expression_attribute_values(":end", item::expiry(full_at.plus(KEPT_AFTER_FULL)))
            .return_values(ReturnValue::UpdatedNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    async fn write(&self, key: &Key, update: UpdateItemFluentBuilder) -> Result<Written, Failure> {
        let full_at = |of: &Attributes| Item { kind: "R#", attributes: of }.time("full_at");
        let error = match update.send().await {
            Ok(answer) => {
                let new = answer.attributes.unwrap_or_default();
                return Ok(Ok(full_at(&new)?));
            }
            Err(error) => error,
        };
        let Some(old) = super::item_of_failed_condition(&error) else {
            return Err(call::failure(WHAT, error));
        };
        let old = match old {
            Some(old) => Some(old.clone()),
            None => self.read(key).await?,
        };
        Ok(Err(old.as_ref().map(full_at).transpose()?))
    }
}
