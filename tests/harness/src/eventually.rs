//! Waiting for something to become true, in place of sleeping and hoping.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{Failure, Result};

/// How long anything may take that should take no time at all: a busy machine is no failure.
pub const WAIT: Duration = Duration::from_secs(20);

/// Between two looks.
const STEP: Duration = Duration::from_millis(50);

/// Looks again and again until `look` finds something, `within` this time at the most.
///
/// # Errors
/// The time has passed; the error says what was waited for.
pub async fn eventually<T, F>(
    what: &str,
    within: Duration,
    mut look: impl FnMut() -> F,
) -> Result<T>
where
    F: Future<Output = Option<T>>,
{
    let until = Instant::now() + within;
    loop {
        if let Some(found) = look().await {
            return Ok(found);
        }
        if Instant::now() >= until {
            return Err(Failure::new(format!("within {within:?} this did not happen: {what}")));
        }
        sleep(STEP).await;
    }
}
