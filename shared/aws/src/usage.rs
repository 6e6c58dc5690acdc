//! What this process asked of AWS, in the units that AWS bills.

mod dynamodb;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextMut,
    BeforeTransmitInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use serde::Deserialize;

use self::dynamodb::Spent;

/// API Gateway meters the messages of sockets in units of 32 KB.
const SOCKET_UNIT_BYTES: u64 = 32 * 1024;
/// SQS bills every 64 KB of a request as one.
const QUEUE_UNIT_BYTES: u64 = 64 * 1024;

/// Counts since the last [`Usage::take`]. Cheap to clone and to count with; all clones are one.
///
/// | name | what |
/// | --- | --- |
/// | `dynamodb.requests` | calls, every attempt |
/// | `dynamodb.read_units` | as DynamoDB tells them; an odd half is told the next time |
/// | `dynamodb.write_units` | the same; a write whose condition failed counts as one |
/// | `dynamodb.scans` | must stay 0 |
/// | `sqs.requests` | calls, every attempt |
/// | `sqs.units` | what SQS bills of them: every 64 KB |
/// | `sqs.fifo_units` | the part of `sqs.units` that FIFO queues took |
/// | `management.posts` | frames sent to sockets, every attempt |
/// | `management.units` | what API Gateway bills of them: every 32 KB |
/// | `secrets.requests` | calls, every attempt |
/// | `ses.mails` | mails given to SES, every attempt |
#[derive(Clone, Default)]
pub struct Usage {
    counts: Arc<[AtomicU64; COUNTERS.len()]>,
}

/// One thing that is counted; its place in [`COUNTERS`].
#[derive(Debug, Clone, Copy)]
enum Counter {
    DynamoDbRequests,
    /// In halves: an eventually consistent read is half a unit.
    DynamoDbReadHalves,
    DynamoDbWriteUnits,
    DynamoDbScans,
    SqsRequests,
    SqsUnits,
    SqsFifoUnits,
    ManagementPosts,
    ManagementUnits,
    SecretsRequests,
    SesMails,
}

const COUNTERS: [(Counter, &str); 11] = [
    (Counter::DynamoDbRequests, "dynamodb.requests"),
    (Counter::DynamoDbReadHalves, "dynamodb.read_units"),
    (Counter::DynamoDbWriteUnits, "dynamodb.write_units"),
    (Counter::DynamoDbScans, "dynamodb.scans"),
    (Counter::SqsRequests, "sqs.requests"),
    (Counter::SqsUnits, "sqs.units"),
    (Counter::SqsFifoUnits, "sqs.fifo_units"),
    (Counter::ManagementPosts, "management.posts"),
    (Counter::ManagementUnits, "management.units"),
    (Counter::SecretsRequests, "secrets.requests"),
    (Counter::SesMails, "ses.mails"),
];

impl Usage {
    /// What was counted since the last time; names that counted nothing are left out.
    pub fn take(&self) -> BTreeMap<&'static str, u64> {
        let counted = COUNTERS.iter().zip(self.counts.iter()).map(|((counter, name), count)| {
            let count = count.swap(0, Ordering::Relaxed);
            let Counter::DynamoDbReadHalves = counter else { return (*name, count) };
            self.add(*counter, count % 2);
            (*name, count / 2)
        });
        counted.filter(|(_, count)| *count > 0).collect()
    }

    fn add(&self, counter: Counter, count: u64) {
        if let Some(counted) = self.counts.get(counter as usize) {
            counted.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// Counts what a client of this service does.
    pub(crate) fn meter(&self, service: Service) -> Meter {
        Meter { service, usage: self.clone() }
    }
}

impl fmt::Debug for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = COUNTERS.iter().zip(self.counts.iter());
        f.debug_map().entries(counts.map(|((_, name), count)| (name, count))).finish()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    DynamoDb,
    Sqs,
    Management,
    Secrets,
    Ses,
}

/// Stands in the way of every call of one client. It only counts: nothing that it meets is an
/// error.
#[derive(Debug)]
pub(crate) struct Meter {
    service: Service,
    usage: Usage,
}

/// The one field of a call to SQS that the price depends on.
#[derive(Deserialize)]
struct ToQueue {
    #[serde(rename = "QueueUrl")]
    queue_url: String,
}

impl Meter {
    fn capacity(&self, spent: Spent) {
        self.usage.add(Counter::DynamoDbReadHalves, spent.read_halves);
        self.usage.add(Counter::DynamoDbWriteUnits, spent.write_units);
    }

    fn sqs(&self, body: &[u8]) {
        let units = units(body, QUEUE_UNIT_BYTES);
        self.usage.add(Counter::SqsRequests, 1);
        self.usage.add(Counter::SqsUnits, units);
        let is_fifo = serde_json::from_slice::<ToQueue>(body)
            .is_ok_and(|call| call.queue_url.ends_with(".fifo"));
        if is_fifo {
            self.usage.add(Counter::SqsFifoUnits, units);
        }
    }

    /// Other calls than those that send cost nothing.
    fn ses(&self, uri: &str) {
        self.usage.add(Counter::SesMails, u64::from(uri.ends_with("/outbound-emails")));
    }

    fn management(&self, method: &str, body: &[u8]) {
        if method == "POST" {
            self.usage.add(Counter::ManagementPosts, 1);
            self.usage.add(Counter::ManagementUnits, units(body, SOCKET_UNIT_BYTES));
        }
    }
}

/// At least one.
fn units(body: &[u8], unit_bytes: u64) -> u64 {
    u64::try_from(body.len()).unwrap_or(u64::MAX).div_ceil(unit_bytes).max(1)
}

impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.service == Service::DynamoDb {
            dynamodb::ask_for_capacity(context);
        }
        Ok(())
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let body = request.body().bytes().unwrap_or_default();
        match self.service {
            Service::DynamoDb => {
                let target = request.headers().get("x-amz-target").unwrap_or_default();
                self.usage.add(Counter::DynamoDbRequests, 1);
                self.usage.add(Counter::DynamoDbScans, u64::from(target.ends_with(".Scan")));
                self.capacity(dynamodb::asked(target, body));
            }
            Service::Sqs => self.sqs(body),
            Service::Management => self.management(request.method(), body),
            Service::Secrets => self.usage.add(Counter::SecretsRequests, 1),
            Service::Ses => self.ses(request.uri()),
        }
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.service == Service::DynamoDb {
            self.capacity(dynamodb::spent(context));
        }
        Ok(())
    }
}
