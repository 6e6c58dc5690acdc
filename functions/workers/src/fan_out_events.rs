//! `events-to-fan-out` — say one thing to many sockets.

use std::process::ExitCode;

use service::FanOut;
use transport::connect;
use transport::queue::{self, Batch, Failed};

pub async fn fan_out_events(fan_out: FanOut, batch: Batch) -> Failed {
    batch.each_fan_out(|job| fan_out.run(job)).await
}

pub fn main() -> ExitCode {
    queue::consume(connect::fan_out, fan_out_events)
}
