//! Who asks too often is told when to come again.

use domain::{Timestamp, TokenBucket, UserId, limits};

use crate::Error;
use crate::port::{Clock, RateLimiter};

/// Takes one from this bucket, or 429.
pub(crate) async fn throttle(
    limiter: &dyn RateLimiter,
    clock: &dyn Clock,
    scope: &str,
    bucket: TokenBucket,
) -> Result<(), Error> {
    take(limiter, scope, bucket, 1, clock.now()).await
}

/// What one person sends and changes, whichever way it comes.
pub(crate) async fn take_messages(
    limiter: &dyn RateLimiter,
    (user, bucket): (UserId, TokenBucket),
    count: u32,
    now: Timestamp,
) -> Result<(), Error> {
    take(limiter, &format!("message/{user}"), bucket, count, now).await
}

/// Frames of one person that others are told of, and that store nothing for good.
pub(crate) async fn take_signal(
    limiter: &dyn RateLimiter,
    user: UserId,
    now: Timestamp,
) -> Result<(), Error> {
    let bucket = TokenBucket::per_second(limits::SIGNALS_PER_SECOND, limits::SIGNALS_BURST);
    take(limiter, &format!("signal/{user}"), bucket, 1, now).await
}

async fn take(
    limiter: &dyn RateLimiter,
    scope: &str,
    bucket: TokenBucket,
    count: u32,
    now: Timestamp,
) -> Result<(), Error> {
    match limiter.take(scope, bucket, count, now).await? {
        Ok(_full_at) => Ok(()),
        Err(wait_ms) => Err(Error::TooMany { retry_after_ms: wait_ms.max(1) }),
    }
}
