//! The capacity that DynamoDB bills, which it tells when it is asked to. Only a batch is counted
//! by what it asks for, since the emulator tells one unit for all of it: all our items are smaller
//! than what one unit covers.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextMut,
};
use aws_sdk_dynamodb::operation::delete_item::{
    DeleteItemError, DeleteItemInput, DeleteItemOutput,
};
use aws_sdk_dynamodb::operation::get_item::{GetItemInput, GetItemOutput};
use aws_sdk_dynamodb::operation::put_item::{PutItemError, PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::operation::query::{QueryInput, QueryOutput};
use aws_sdk_dynamodb::operation::scan::{ScanInput, ScanOutput};
use aws_sdk_dynamodb::operation::update_item::{
    UpdateItemError, UpdateItemInput, UpdateItemOutput,
};
use aws_sdk_dynamodb::types::{ConsumedCapacity, ReturnConsumedCapacity};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// What one attempt cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Spent {
    pub(super) read_halves: u64,
    pub(super) write_units: u64,
}

/// DynamoDB tells what a call cost, for some sixty bytes of its answer.
pub(super) fn ask_for_capacity(context: &mut BeforeSerializationInterceptorContextMut<'_>) {
    macro_rules! ask {
        ($($input:ty),+) => {$(
            if let Some(input) = context.input_mut().downcast_mut::<$input>() {
                input.return_consumed_capacity = Some(ReturnConsumedCapacity::Total);
                return;
            }
        )+};
    }
    ask!(GetItemInput, UpdateItemInput, PutItemInput, DeleteItemInput);
    ask!(QueryInput, ScanInput);
}

/// What an answer says that it cost. An answer that does not say it cost one unit.
pub(super) fn spent(context: &AfterDeserializationInterceptorContextRef<'_>) -> Spent {
    let output = match context.output_or_error() {
        Ok(output) => output,
        Err(_) => return spent_in_vain(context),
    };
    macro_rules! told {
        ($make:ident: $($output:ty),+) => {$(
            if let Some(output) = output.downcast_ref::<$output>() {
                return $make(units(output.consumed_capacity.as_ref()));
            }
        )+};
    }
    told!(read: GetItemOutput, QueryOutput, ScanOutput);
    told!(written: UpdateItemOutput, PutItemOutput, DeleteItemOutput);
    Spent::default()
}

/// A write whose condition failed is billed; a call that was throttled or refused is not.
fn spent_in_vain(context: &AfterDeserializationInterceptorContextRef<'_>) -> Spent {
    let Err(error) = context.output_or_error() else { return Spent::default() };
    let Some(error) = error.as_operation_error() else { return Spent::default() };
    macro_rules! is_condition_failed {
        ($($error:ty),+) => {
            $(error
                .downcast_ref::<$error>()
                .is_some_and(<$error>::is_conditional_check_failed_exception))||+
        };
    }
    let is_billed = is_condition_failed!(UpdateItemError, PutItemError, DeleteItemError);
    Spent { write_units: u64::from(is_billed), ..Spent::default() }
}

fn units(capacity: Option<&ConsumedCapacity>) -> f64 {
    capacity.and_then(|capacity| capacity.capacity_units).unwrap_or(1.0)
}

fn read(units: f64) -> Spent {
    Spent { read_halves: whole(units * 2.0), ..Spent::default() }
}

fn written(units: f64) -> Spent {
    Spent { write_units: whole(units), ..Spent::default() }
}

/// Capacities are small multiples of a half.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number that is out of range becomes the nearest one that is not"
)]
fn whole(units: f64) -> u64 {
    units.round() as u64
}

/// A BatchGetItem, as far as its price goes.
#[derive(Deserialize)]
struct Reads {
    #[serde(rename = "RequestItems")]
    tables: BTreeMap<String, ReadsOfTable>,
}

#[derive(Deserialize)]
struct ReadsOfTable {
    #[serde(rename = "Keys")]
    keys: Vec<IgnoredAny>,
    #[serde(rename = "ConsistentRead", default)]
    is_consistent: bool,
}

/// A BatchWriteItem, as far as its price goes.
#[derive(Deserialize)]
struct Writes {
    #[serde(rename = "RequestItems")]
    tables: BTreeMap<String, Vec<IgnoredAny>>,
}

/// What a request asks for, when it is a batch: a unit an item, half of it for a weak read.
pub(super) fn asked(target: &str, body: &[u8]) -> Spent {
    let count = |items: &[IgnoredAny]| u64::try_from(items.len()).unwrap_or(u64::MAX);
    let mut spent = Spent::default();
    if target.ends_with(".BatchGetItem")
        && let Ok(reads) = serde_json::from_slice::<Reads>(body)
    {
        let halves = |table: &ReadsOfTable| {
            count(&table.keys).saturating_mul(if table.is_consistent { 2 } else { 1 })
        };
        spent.read_halves = reads.tables.values().map(halves).sum();
    } else if target.ends_with(".BatchWriteItem")
        && let Ok(writes) = serde_json::from_slice::<Writes>(body)
    {
        spent.write_units = writes.tables.values().map(|items| count(items)).sum();
    }
    spent
}
