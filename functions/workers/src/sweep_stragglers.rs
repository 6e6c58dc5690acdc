//! Each minute — nudge who is behind, repair what a crash left undone.

use std::process::ExitCode;

use service::Sweep;
use service::port::Failure;
use transport::{connect, schedule};

pub async fn sweep_stragglers(sweep: Sweep) -> Result<(), Failure> {
    sweep.run().await.map(drop)
}

pub fn main() -> ExitCode {
    schedule::run(connect::sweep, sweep_stragglers)
}
