//! How often things may be done in this deployment.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{Timestamp, TokenBucket, limits};
use service::port::{Failure, RateLimiter};

use super::Parts;
use crate::config::name;
use crate::quota;

/// The limits that this deployment sets, in place of those that the services ask for. What is left
/// of them is noted for the answer.
pub(crate) struct Pace {
    limiter: Arc<dyn RateLimiter>,
    /// What a scope begins with (`login` of `login/<user>`), and its bucket.
    buckets: Vec<(&'static str, TokenBucket)>,
}

impl Pace {
    pub(crate) fn new(
        limiter: Arc<dyn RateLimiter>,
        buckets: Vec<(&'static str, TokenBucket)>,
    ) -> Arc<Self> {
        Arc::new(Self { limiter, buckets })
    }
}

#[async_trait]
impl RateLimiter for Pace {
    async fn take(
        &self,
        scope: &str,
        bucket: TokenBucket,
        count: u32,
        now: Timestamp,
    ) -> Result<Result<Timestamp, u64>, Failure> {
        let kind = scope.split('/').next().unwrap_or_default();
        let own = self.buckets.iter().find(|(name, _)| *name == kind);
        let bucket = own.map_or(bucket, |(_, own)| *own);
        let taken = self.limiter.take(scope, bucket, count, now).await?;
        quota::note(bucket, taken, now);
        Ok(taken)
    }
}

/// Of one user, for what they send and change, and for the groups that they change.
pub(super) fn message_bucket(parts: &Parts) -> TokenBucket {
    let per_second =
        parts.environment.parsed(name::MESSAGES_PER_SECOND, limits::MESSAGES_PER_SECOND);
    let burst = parts.environment.parsed(name::MESSAGES_BURST, limits::MESSAGES_BURST);
    TokenBucket::per_second(per_second, burst)
}

/// Of one user, for the conversations that they open.
pub(super) fn opening_bucket(parts: &Parts) -> TokenBucket {
    let most = limits::CONVERSATIONS_PER_HOUR;
    TokenBucket::per_hour(parts.environment.parsed(name::CONVERSATIONS_PER_HOUR, most))
}

pub(super) fn login_bucket(parts: &Parts) -> (&'static str, TokenBucket) {
    let count = parts.environment.parsed(name::LOGINS_PER_MINUTE, limits::LOGINS_PER_MINUTE);
    ("login", TokenBucket::per_minute(count))
}

/// Proving the password while signed in: as often as signing in, and counted apart.
pub(super) fn proof_bucket(parts: &Parts) -> (&'static str, TokenBucket) {
    ("proof", login_bucket(parts).1)
}

pub(super) fn registration_bucket(parts: &Parts) -> (&'static str, TokenBucket) {
    let most = limits::REGISTRATIONS_PER_HOUR;
    let count = parts.environment.parsed(name::REGISTRATIONS_PER_HOUR, most);
    ("register", TokenBucket::per_hour(count))
}

pub(super) fn mail_bucket(parts: &Parts) -> (&'static str, TokenBucket) {
    let count = parts.environment.parsed(name::MAILS_PER_HOUR, limits::MAILS_PER_HOUR);
    ("mail", TokenBucket::per_hour(count))
}

/// Making invites, and trying tokens.
pub(super) fn invite_buckets(parts: &Parts) -> Vec<(&'static str, TokenBucket)> {
    let count = parts.environment.parsed(name::INVITES_PER_HOUR, limits::INVITES_PER_HOUR);
    let bucket = TokenBucket::per_hour(count);
    vec![("invite", bucket), ("invite-guess", bucket)]
}

pub(super) fn ticket_bucket(parts: &Parts) -> (&'static str, TokenBucket) {
    let count = parts.environment.parsed(name::TICKETS_PER_MINUTE, limits::TICKETS_PER_MINUTE);
    ("ticket", TokenBucket::per_minute(count))
}

pub(super) fn contact_bucket(parts: &Parts) -> (&'static str, TokenBucket) {
    let most = limits::CONTACT_REQUESTS_PER_HOUR;
    let count = parts.environment.parsed(name::CONTACT_REQUESTS_PER_HOUR, most);
    ("contact", TokenBucket::per_hour(count))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Notes what it is asked for.
    #[derive(Default)]
    struct Noted(Mutex<Vec<(String, TokenBucket)>>);

    #[async_trait]
    impl RateLimiter for Noted {
        async fn take(
            &self,
            scope: &str,
            bucket: TokenBucket,
            _count: u32,
            now: Timestamp,
        ) -> Result<Result<Timestamp, u64>, Failure> {
            self.0.lock().unwrap().push((scope.to_owned(), bucket));
            Ok(bucket.take(None, 1, now).map_err(|_| 1))
        }
    }

    #[tokio::test]
    async fn a_limit_that_is_set_counts_and_the_others_stay() {
        let (asked, set) = (TokenBucket::per_minute(10), TokenBucket::per_minute(1_000));
        let noted = Arc::new(Noted::default());
        let pace = Pace::new(noted.clone(), vec![("login", set)]);
        let now = Timestamp::from_unix_ms(0).unwrap();
        for scope in ["login/alice", "logins/alice", "mail/login"] {
            pace.take(scope, asked, 1, now).await.unwrap().unwrap();
        }
        let buckets: Vec<_> = noted.0.lock().unwrap().iter().map(|(_, b)| *b).collect();
        assert_eq!(buckets, [set, asked, asked]);
    }

    #[tokio::test]
    async fn what_is_left_of_the_limit_that_is_set_is_told() {
        let pace = Pace::new(Arc::new(Noted::default()), vec![("login", TokenBucket::per_hour(7))]);
        let now = Timestamp::from_unix_ms(0).unwrap();
        let work = pace.take("login/alice", TokenBucket::per_minute(10), 1, now);
        let (_, noted) = quota::noted_by(work).await;
        let told = noted.told(false).unwrap().headers().map(|(_, value)| value);
        assert_eq!(told, ["7", "6", "515", "7;w=3600"]);
    }
}
