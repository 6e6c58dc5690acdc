//! The live table. Every item is found by its key: nothing is scanned, nothing is indexed.
//!
//! | pk | sk | what |
//! | --- | --- | --- |
//! | `C#<connection>` | `C` | whose a socket is: `user`, `session`, `since`; its `status` |
//! | `U#<user>` | `LIVE` | `c#<connection>`: a socket; `s#<session>`: when a session ended; |
//! | | | `p#<session>`: the last `status` of one, `at`; |
//! | | | `announced`: what watchers were told last; `last_seen`; |
//! | | | `hidden_until`: before then `last_seen` does not move; |
//! | | | `erased`: takes no socket any more, and holds nothing else |
//! | `W#<user>` | `<end>/<connection>` | a socket that watches them: whose, `until_ms`, `sees` |
//! | `V#<conversation>/<user>` | `V` | may they send: `active`, `version` |
//! | `T#<digest>` | `T` | a ticket: `user`, `session`, `expires_ms` |
//! | `R#<scope>` | `R` | a token bucket: `full_at` |
//! | `K#jwks` | `K` | the public keys, `k#<kid>`; when old ones are over, `e#<kid>` |
//!
//! `expires_at` (whole seconds) lets DynamoDB collect what is over, days late perhaps: every read
//! judges the time itself. Times are milliseconds since 1970.

mod connections;
mod erasure;
mod item;
mod keys;
mod membership;
mod owners;
mod person;
mod presence;
mod rate;
mod tickets;
mod watches;

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use domain::{ConnectionId, ConversationId, UserId};
use futures::{StreamExt, TryStreamExt};
use service::port::{Failure, Probe};

use self::owners::Owners;
use crate::call;

/// How failures name this adapter.
const WHAT: &str = "dynamodb";
/// Up to so many users the extra price of a consistent read is worth a push that is not missed.
const CONSISTENT_USERS: usize = 10;
/// The most that one BatchGetItem takes.
const KEYS_PER_CALL: usize = 100;
/// BatchGetItems under way at once: the members of the largest group in three rounds.
const CONCURRENT_READS: usize = 4;
/// Asking again for keys that DynamoDB had no capacity for.
const UNPROCESSED_TRIES: u32 = 4;
/// The pause before the first of these, doubled each time.
const UNPROCESSED_PAUSE: Duration = Duration::from_millis(25);

type Attributes = HashMap<String, AttributeValue>;

/// Every port that DynamoDB stands behind, over one table.
pub struct LiveTable {
    client: Client,
    table_name: String,
    owners: Owners,
}

impl LiveTable {
    pub fn new(client: Client, table_name: impl Into<String>) -> Self {
        Self { client, table_name: table_name.into(), owners: Owners::default() }
    }

    /// Strongly consistent.
    async fn read(&self, key: &Key) -> Result<Option<Attributes>, Failure> {
        let read = self.client.get_item().table_name(&self.table_name).consistent_read(true);
        let answer = read.set_key(Some(key.attributes())).send().await;
        Ok(answer.map_err(|error| call::failure(WHAT, error))?.item)
    }

    /// What there is under these keys, each named once, in no order.
    async fn read_many(
        &self,
        keys: &[Key],
        is_consistent: bool,
    ) -> Result<Vec<Attributes>, Failure> {
        let reads = keys.chunks(KEYS_PER_CALL).map(|some| self.read_chunk(some, is_consistent));
        let reads: Vec<_> = reads.collect();
        let chunks = futures::stream::iter(reads).buffer_unordered(CONCURRENT_READS);
        Ok(chunks.try_collect::<Vec<_>>().await?.concat())
    }

    async fn read_chunk(
        &self,
        keys: &[Key],
        is_consistent: bool,
    ) -> Result<Vec<Attributes>, Failure> {
        let keys = keys.iter().map(Key::attributes).collect();
        let mut wanted = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(is_consistent)
            .build()
            .map_err(|error| Failure::bug(WHAT, error))?;
        let mut found = Vec::new();
        for tried in 0..UNPROCESSED_TRIES {
            let read = self.client.batch_get_item().request_items(&self.table_name, wanted);
            let answer = read.send().await.map_err(|error| call::failure(WHAT, error))?;
            found.extend(answer.responses.into_iter().flatten().flat_map(|(_, items)| items));
            let left = answer.unprocessed_keys.and_then(|mut left| left.remove(&self.table_name));
            match left {
                Some(left) if !left.keys.is_empty() => wanted = left,
                _ => return Ok(found),
            }
            tokio::time::sleep(UNPROCESSED_PAUSE * 2_u32.pow(tried)).await;
        }
        Err(Failure::unavailable(WHAT, "keys stayed unprocessed"))
    }
}

#[async_trait]
impl Probe for LiveTable {
    fn name(&self) -> &'static str {
        WHAT
    }

    /// Reads an item that is never there, so that it needs no permission of its own.
    async fn check(&self) -> Result<(), Failure> {
        self.read(&Key::new("PROBE", "PROBE")).await.map(drop)
    }
}

type UpdateError = SdkError<UpdateItemError, HttpResponse>;

fn is_condition_failed(error: &UpdateError) -> bool {
    item_of_failed_condition(error).is_some()
}

/// The item that did not meet the condition of an update, if it was asked for and is there;
/// `None` for any other error.
fn item_of_failed_condition(error: &UpdateError) -> Option<Option<&Attributes>> {
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(failed)) => Some(failed.item()),
        _ => None,
    }
}

/// Where an item is.
#[derive(Clone)]
struct Key {
    pk: String,
    sk: Cow<'static, str>,
}

impl Key {
    fn new(pk: impl Into<String>, sk: impl Into<Cow<'static, str>>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }

    fn connection(id: &ConnectionId) -> Self {
        Self::new(format!("C#{id}"), "C")
    }

    fn live(user: UserId) -> Self {
        Self::new(format!("U#{user}"), "LIVE")
    }

    fn membership(conversation_id: ConversationId, user: UserId) -> Self {
        Self::new(format!("V#{conversation_id}/{user}"), "V")
    }

    fn ticket(digest: &str) -> Self {
        Self::new(format!("T#{digest}"), "T")
    }

    fn bucket(scope: &str) -> Self {
        Self::new(format!("R#{scope}"), "R")
    }

    fn public_keys() -> Self {
        Self::new("K#jwks", "K")
    }

    fn attributes(&self) -> Attributes {
        let pair = |name: &str, value: &str| (name.to_owned(), item::text(value));
        HashMap::from([pair("pk", &self.pk), pair("sk", &self.sk)])
    }

    fn is_of(&self, item: &Attributes) -> bool {
        matches!(item.get("pk"), Some(AttributeValue::S(pk)) if *pk == self.pk)
    }
}
