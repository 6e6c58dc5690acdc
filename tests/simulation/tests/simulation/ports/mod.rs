//! Every way out of a function, with a fault at each step.

mod history;
mod live;
mod people;
mod queues;
mod services;
mod upkeep;

use std::sync::Arc;

use service::port::Failure;

use crate::invocation::Invocation;
use crate::world::World;

/// The ports of one invocation: the fakes, wrapped in what may go wrong.
#[derive(Clone)]
pub struct Ports {
    pub world: Arc<World>,
    pub invocation: Arc<Invocation>,
}

impl Ports {
    /// One atomic effect, and the seed before and after it.
    async fn step<T, E: From<Failure>>(
        &self,
        point: &'static str,
        effect: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        self.invocation.before(point).await?;
        let done = effect.await?;
        self.invocation.after(point).await?;
        Ok(done)
    }
}
