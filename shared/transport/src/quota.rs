//! What is left of a limit, told with the answer: who is near the wall sees it coming.

use std::cell::Cell;
use std::time::Duration;

use domain::{Timestamp, TokenBucket};

/// One bucket after it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quota {
    bucket: TokenBucket,
    remaining: u32,
    /// Until there is one more.
    next_in: Duration,
}

/// What one request took from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Noted {
    /// The caller's own bucket: it is asked first.
    own: Option<Quota>,
    /// The last that had nothing left.
    refusal: Option<Quota>,
}

impl Noted {
    /// What the answer tells: with 429 the bucket that refused, else the caller's own. What others
    /// do at the same account is not told, nor what was left out because a bucket was empty.
    pub(crate) fn told(self, is_refused: bool) -> Option<Quota> {
        if is_refused { self.refusal.or(self.own) } else { self.own }
    }
}

tokio::task_local! {
    /// Of the request that this task answers.
    static NOTED: Cell<Noted>;
}

/// Does the work, and answers as well what it noted.
pub(crate) async fn noted_by<T>(work: impl Future<Output = T>) -> (T, Noted) {
    let watched = async { (work.await, NOTED.with(Cell::get)) };
    NOTED.scope(Cell::default(), watched).await
}

/// A bucket was asked. Outside of a request nobody listens.
pub(crate) fn note(bucket: TokenBucket, taken: Result<Timestamp, u64>, now: Timestamp) {
    let (remaining, next_in) = match taken {
        Ok(full_at) => bucket.left(full_at, now),
        Err(wait_ms) => (0, Duration::from_millis(wait_ms.max(1))),
    };
    let quota = Quota { bucket, remaining, next_in };
    let keep = |cell: &Cell<Noted>| {
        let Noted { own, refusal } = cell.get();
        let refusal = if taken.is_err() { Some(quota) } else { refusal };
        cell.set(Noted { own: own.or(Some(quota)), refusal });
    };
    // The one error is that there is no request.
    let _ = NOTED.try_with(keep);
}

impl Quota {
    /// Header names and values. Seconds are whole, and never too few.
    pub(crate) fn headers(self) -> [(&'static str, String); 4] {
        let seconds = |time: Duration| time.as_millis().div_ceil(1_000);
        // Intervals are rounded to milliseconds; the hour that was set is told as an hour.
        let window = (self.bucket.window().as_millis() + 500) / 1_000;
        let (limit, window) = (self.bucket.burst, window.max(1));
        [
            ("ratelimit-limit", limit.to_string()),
            ("ratelimit-remaining", self.remaining.to_string()),
            ("ratelimit-reset", seconds(self.next_in).to_string()),
            ("ratelimit-policy", format!("{limit};w={window}")),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: TokenBucket = TokenBucket::per_minute(10);
    const THEIRS: TokenBucket = TokenBucket::per_hour(60);

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(ms).unwrap()
    }

    fn values(quota: Option<Quota>) -> [String; 4] {
        quota.unwrap().headers().map(|(_, value)| value)
    }

    #[tokio::test]
    async fn what_is_left_of_ones_own_bucket_is_told() {
        let work = async {
            note(OWN, Ok(at(7_500)), at(0));
            note(THEIRS, Ok(at(0)), at(0));
        };
        let ((), noted) = noted_by(work).await;
        assert_eq!(values(noted.told(false)), ["10", "8", "2", "10;w=60"]);
    }

    #[tokio::test]
    async fn the_bucket_that_refuses_is_the_one_that_is_told() {
        let work = async {
            note(OWN, Ok(at(6_000)), at(0));
            note(THEIRS, Err(59_001), at(0));
        };
        let ((), noted) = noted_by(work).await;
        assert_eq!(values(noted.told(true)), ["60", "0", "60", "60;w=3600"]);
        // Something was left out, and the request was done.
        assert_eq!(values(noted.told(false)), ["10", "9", "6", "10;w=60"]);
    }

    #[tokio::test]
    async fn one_request_knows_nothing_of_another() {
        note(OWN, Ok(at(0)), at(0));
        assert_eq!(noted_by(async {}).await, ((), Noted::default()));
        noted_by(async { note(OWN, Ok(at(0)), at(0)) }).await;
        assert_eq!(noted_by(async {}).await, ((), Noted::default()));
    }
}
