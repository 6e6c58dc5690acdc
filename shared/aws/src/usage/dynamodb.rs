//! The capacity that DynamoDB bills, which it tells when it is asked to.

use aws_sdk_dynamodb::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextMut,
};
use aws_sdk_dynamodb::operation::batch_get_item::{BatchGetItemInput, BatchGetItemOutput};
use aws_sdk_dynamodb::operation::batch_write_item::{BatchWriteItemInput, BatchWriteItemOutput};
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
    ask!(GetItemInput, BatchGetItemInput, UpdateItemInput, PutItemInput, DeleteItemInput);
    ask!(QueryInput, BatchWriteItemInput, ScanInput);
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
                return $make(output.consumed_capacity.units());
            }
        )+};
    }
    told!(read: GetItemOutput, BatchGetItemOutput, QueryOutput, ScanOutput);
    told!(written: UpdateItemOutput, PutItemOutput, DeleteItemOutput, BatchWriteItemOutput);
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

/// One call tells one capacity, or one for each table.
trait Told {
    fn units(&self) -> f64;
}

impl Told for Option<ConsumedCapacity> {
    fn units(&self) -> f64 {
        self.as_ref().and_then(|capacity| capacity.capacity_units).unwrap_or(1.0)
    }
}

impl Told for Option<Vec<ConsumedCapacity>> {
    fn units(&self) -> f64 {
        let tables = self.as_deref().unwrap_or_default().iter();
        let units: Vec<f64> = tables.filter_map(|capacity| capacity.capacity_units).collect();
        if units.is_empty() { 1.0 } else { units.iter().sum() }
    }
}
