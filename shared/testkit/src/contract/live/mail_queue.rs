//! `MailQueue`

use async_trait::async_trait;
use domain::EmailAddress;
use service::port::{MailJob, MailQueue};

use super::sample::{identity, user};

/// The queue from both ends.
#[async_trait]
pub trait Mails: Send + Sync {
    fn queue(&self) -> &dyn MailQueue;
    /// Everything in the queue, in no order; it is empty afterwards.
    async fn drain(&self) -> Vec<MailJob>;
}

/// One test a promise.
#[macro_export]
macro_rules! mail_queue_promises {
    ($open:expr) => {
        $crate::promises! {
            mail_queue, ($crate::contract::live::mail_queue), $open,
            [
                every_kind_of_mail_arrives_as_it_was_asked_for,
                the_same_mail_asked_for_twice_is_two,
            ]
        }
    };
}

fn jobs() -> Vec<MailJob> {
    let email = EmailAddress::parse("ada+lists@example.org").expect("an address");
    vec![
        MailJob::VerifyEmail { user_id: user(1) },
        MailJob::ResetPassword { email },
        MailJob::NewSignIn { identity: identity(1) },
    ]
}

fn sorted(mut jobs: Vec<MailJob>) -> Vec<MailJob> {
    jobs.sort_by_key(|job| format!("{job:?}"));
    jobs
}

pub async fn every_kind_of_mail_arrives_as_it_was_asked_for(port: &impl Mails) {
    for job in jobs() {
        port.queue().enqueue(job).await.expect("enqueue");
    }
    assert_eq!(sorted(port.drain().await), sorted(jobs()));
    assert_eq!(port.drain().await, []);
}

pub async fn the_same_mail_asked_for_twice_is_two(port: &impl Mails) {
    for _ in 0..2 {
        let job = MailJob::VerifyEmail { user_id: user(1) };
        port.queue().enqueue(job).await.expect("enqueue");
    }
    assert_eq!(port.drain().await.len(), 2);
}
