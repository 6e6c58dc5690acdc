//! `FanOutQueue`

use async_trait::async_trait;
use service::Event;
use service::port::{FanOutJob, FanOutQueue};

use super::sample::{
    connection, events, message, message_rejected, messages_new, recipients, trace,
};
use crate::ambient::at_ms;

/// The queue from both ends.
#[async_trait]
pub trait FanOut: Send + Sync {
    fn queue(&self) -> &dyn FanOutQueue;
    /// Everything in the queue, in no order; it is empty afterwards.
    async fn drain(&self) -> Vec<FanOutJob>;
}

/// One test a promise.
#[macro_export]
macro_rules! fan_out_queue_promises {
    ($open:expr) => {
        $crate::promises! {
            fan_out_queue, ($crate::contract::live::fan_out_queue), $open,
            [
                jobs_arrive_as_they_were_sent,
                every_kind_of_event_arrives_as_it_was_told,
                no_job_is_fine,
                more_jobs_than_one_call_takes_all_arrive,
                a_crowd_of_large_messages_arrives,
            ]
        }
    };
}

pub async fn jobs_arrive_as_they_were_sent(port: &impl FanOut) {
    let connections = vec![connection("a", 1, at_ms(0)), connection("b", 2, at_ms(1))];
    let event = messages_new(vec![message(7, "seven"), message(8, "eight \u{1f680}\n")]);
    let to_members = FanOutJob::ToMembers {
        event,
        trace_ids: vec![trace(1), trace(2)],
        recipients: recipients(3),
    };
    let to_connections = FanOutJob::ToConnections {
        event: message_rejected(),
        trace_ids: vec![trace(3)],
        connections,
    };
    let sent = vec![to_members, to_connections];
    port.queue().enqueue(sent.clone()).await.expect("enqueue");
    let mut drained = port.drain().await;
    drained.sort_by_key(|job| matches!(job, FanOutJob::ToConnections { .. }));
    assert_eq!(drained, sent);
}

pub async fn every_kind_of_event_arrives_as_it_was_told(port: &impl FanOut) {
    let job = |event| FanOutJob::ToMembers { event, trace_ids: vec![], recipients: recipients(1) };
    let sent: Vec<_> = events().into_iter().map(job).collect();
    port.queue().enqueue(sent.clone()).await.expect("enqueue");
    let sorted = |mut jobs: Vec<FanOutJob>| {
        jobs.sort_by_key(|job| format!("{job:?}"));
        jobs
    };
    assert_eq!(sorted(port.drain().await), sorted(sent));
}

pub async fn no_job_is_fine(port: &impl FanOut) {
    port.queue().enqueue(Vec::new()).await.expect("enqueue");
    assert_eq!(port.drain().await, []);
}

pub async fn more_jobs_than_one_call_takes_all_arrive(port: &impl FanOut) {
    let job = |number: u32| {
        let event = messages_new(vec![message(number.into(), "hello")]);
        FanOutJob::ToMembers { event, trace_ids: vec![], recipients: recipients(1) }
    };
    port.queue().enqueue((1..=23).map(job).collect()).await.expect("enqueue");
    assert_eq!(port.drain().await.len(), 23);
}

/// A hundred messages of 8,000 bytes for a hundred members, whatever number of jobs that takes.
pub async fn a_crowd_of_large_messages_arrives(port: &impl FanOut) {
    let large = "x".repeat(8_000);
    let event = messages_new((1..=100).map(|seq| message(seq, &large)).collect());
    let job = FanOutJob::ToMembers { event, trace_ids: vec![], recipients: recipients(100) };
    port.queue().enqueue(vec![job]).await.expect("enqueue");
    let mut seqs = Vec::new();
    for job in port.drain().await {
        let FanOutJob::ToMembers { event, recipients: told, .. } = job else {
            panic!("a job to connections was never sent");
        };
        assert_eq!(told, recipients(100));
        let Event::MessagesNew { after, through, messages, .. } = event else {
            panic!("nothing but messages was sent");
        };
        let revs: Vec<_> = messages.iter().map(|message| message.rev.0).collect();
        assert_eq!(revs, (after.0 + 1..=through.0).collect::<Vec<_>>());
        seqs.extend(revs);
    }
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=100).collect::<Vec<_>>());
}
