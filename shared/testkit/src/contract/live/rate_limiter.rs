//! `RateLimiter`

use domain::TokenBucket;
use service::port::RateLimiter;

use crate::ambient::at_ms;

/// One test a promise.
#[macro_export]
macro_rules! rate_limiter_promises {
    ($open:expr) => {
        $crate::promises! {
            rate_limiter, ($crate::contract::live::rate_limiter), $open,
            [
                the_burst_is_there_at_once_and_no_more,
                tokens_come_back_at_the_rate,
                a_refusal_takes_nothing,
                scopes_do_not_share_a_bucket,
                an_idle_bucket_is_full_and_not_more,
                who_takes_is_told_when_the_bucket_is_full_again,
                takers_at_once_never_get_more_than_the_burst,
                takers_at_once_all_get_what_is_there,
            ]
        }
    };
}

const BUCKET: TokenBucket = TokenBucket::per_second(5, 20);

async fn take(port: &impl RateLimiter, scope: &str, count: u32, ms: i64) -> Result<(), u64> {
    port.take(scope, BUCKET, count, at_ms(ms)).await.expect("take").map(|_| ())
}

pub async fn the_burst_is_there_at_once_and_no_more(port: &impl RateLimiter) {
    assert_eq!(take(port, "message/a", 15, 0).await, Ok(()));
    assert_eq!(take(port, "message/a", 5, 0).await, Ok(()));
    assert_eq!(take(port, "message/a", 1, 0).await, Err(200));
}

pub async fn tokens_come_back_at_the_rate(port: &impl RateLimiter) {
    assert_eq!(take(port, "message/a", 20, 0).await, Ok(()));
    assert_eq!(take(port, "message/a", 5, 1_000).await, Ok(()));
    assert_eq!(take(port, "message/a", 1, 1_100).await, Err(100));
}

pub async fn a_refusal_takes_nothing(port: &impl RateLimiter) {
    assert_eq!(take(port, "message/a", 20, 0).await, Ok(()));
    for _ in 0..3 {
        assert_eq!(take(port, "message/a", 1, 100).await, Err(100));
    }
    assert_eq!(take(port, "message/a", 1, 200).await, Ok(()));
}

pub async fn scopes_do_not_share_a_bucket(port: &impl RateLimiter) {
    assert_eq!(take(port, "message/a", 20, 0).await, Ok(()));
    assert_eq!(take(port, "message/b", 20, 0).await, Ok(()));
    assert_eq!(take(port, "login/a", 20, 0).await, Ok(()));
}

pub async fn an_idle_bucket_is_full_and_not_more(port: &impl RateLimiter) {
    assert_eq!(take(port, "message/a", 1, 0).await, Ok(()));
    assert_eq!(take(port, "message/a", 20, 3_600_000).await, Ok(()));
    assert_eq!(take(port, "message/a", 1, 3_600_000).await, Err(200));
    assert_eq!(take(port, "message/b", 21, 0).await, Err(200));
}

pub async fn who_takes_is_told_when_the_bucket_is_full_again(port: &impl RateLimiter) {
    for (count, ms, full_at) in [(1, 0, 200), (4, 0, 1_000), (1, 100, 1_200), (1, 9_000, 9_200)] {
        let taken = port.take("message/a", BUCKET, count, at_ms(ms)).await.expect("take");
        assert_eq!(taken, Ok(at_ms(full_at)));
    }
}

pub async fn takers_at_once_never_get_more_than_the_burst(port: &impl RateLimiter) {
    let one = || async { port.take("message/a", BUCKET, 7, at_ms(0)).await.expect("take").is_ok() };
    let (a, b, c, d) = tokio::join!(one(), one(), one(), one());
    let taken = [a, b, c, d].into_iter().filter(|taken| *taken).count();
    assert_eq!(taken, 2, "of 7 tokens each");
}

/// One network address has many people behind it.
pub async fn takers_at_once_all_get_what_is_there(port: &impl RateLimiter) {
    let one = || take(port, "login/a", 2, 0);
    let some = || async { tokio::join!(one(), one(), one(), one(), one()) };
    let taken = tokio::join!(some(), some());
    let all = (Ok(()), Ok(()), Ok(()), Ok(()), Ok(()));
    assert_eq!(taken, (all, all));
    assert_eq!(take(port, "login/a", 1, 0).await, Err(200));
}
