//! Stands in for queues that a function does not need, so that it has neither their address nor
//! the permission to send there.

use async_trait::async_trait;
use service::port::{Failure, FanOutJob, FanOutQueue, PushLog, PushRecord};

/// Takes nothing.
pub(crate) struct Nowhere;

#[async_trait]
impl FanOutQueue for Nowhere {
    async fn enqueue(&self, _jobs: Vec<FanOutJob>) -> Result<(), Failure> {
        Err(Failure::bug("fan-out queue", "this function has none"))
    }
}

#[async_trait]
impl PushLog for Nowhere {
    async fn record(&self, _pushes: &[PushRecord]) -> Result<(), Failure> {
        Err(Failure::bug("push log", "this function has none"))
    }
}
