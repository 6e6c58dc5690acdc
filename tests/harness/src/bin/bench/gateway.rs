//! What an invocation costs on top of HTTP.

use std::time::Instant;

use harness::{Api, Result};

use crate::spread::Spread;

const CALLS: usize = 1_000;

/// The function behind `/health/live` does nothing, so the difference to an answer that the
/// gateway gives by itself is the price of one invocation: event, Runtime API, answer.
pub async fn report(api: &Api) -> Result<()> {
    api.get("/health/live").await?.expect_status(200)?;
    let by_itself = spread(api, "/no-such-route").await?;
    let invoking = spread(api, "/health/live").await?;
    let added = |percentile| invoking.p(percentile) - by_itself.p(percentile);
    println!("\ngateway");
    println!("  answers by itself (404)           {by_itself}");
    println!("  through a warm function           {invoking}");
    println!(
        "  added by the invocation           p50 {:.2} ms, p99 {:.2} ms",
        added(50.0),
        added(99.0)
    );
    Ok(())
}

async fn spread(api: &Api, path: &str) -> Result<Spread> {
    let mut spread = Spread::new();
    for _ in 0..CALLS {
        let begun = Instant::now();
        api.get(path).await?;
        spread.add(begun.elapsed());
    }
    Ok(spread)
}
