//! Who asks too often is told when to come again.

use std::net::{IpAddr, Ipv6Addr};

use domain::{Timestamp, TokenBucket, UserId, limits};

use crate::Error;
use crate::port::{Clock, RateLimiter};

/// The network that a bucket counts for this address: one of IPv4 is one customer, and of IPv6 a
/// customer has at least the 2^64 with the same beginning.
pub(crate) fn network(address: &str) -> String {
    let Ok(ip) = address.parse::<IpAddr>() else { return address.to_owned() };
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
        }
    }
}

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

/// Conversations that one person opens.
pub(crate) async fn take_openings(
    limiter: &dyn RateLimiter,
    (user, bucket): (UserId, TokenBucket),
    count: u32,
    now: Timestamp,
) -> Result<(), Error> {
    take(limiter, &format!("open/{user}"), bucket, count, now).await
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_counts_for_its_network() {
        let known = [
            ("203.0.113.9", "203.0.113.9"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:0DB8:1:2::1", "2001:db8:1:2::"),
            ("2001:db8:1:3::1", "2001:db8:1:3::"),
            ("nonsense", "nonsense"),
        ];
        for (address, counted) in known {
            assert_eq!(network(address), counted);
        }
    }
}
