//! Sockets that remember what they were told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::ConnectionId;
use service::Event;
use service::port::{Failure, PushOutcome, Pusher};

/// Delivers every push, unless told otherwise for a connection.
#[derive(Default)]
pub struct FakePusher {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    answers: BTreeMap<ConnectionId, PushOutcome>,
    said: Vec<(ConnectionId, Event)>,
    disconnected: BTreeSet<ConnectionId>,
}

impl FakePusher {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// From now on, pushes to this connection end so.
    pub fn answer(&self, connection_id: &ConnectionId, outcome: PushOutcome) {
        self.lock().answers.insert(connection_id.clone(), outcome);
    }

    /// What reached this connection, in order.
    pub fn heard_by(&self, connection_id: &ConnectionId) -> Vec<Event> {
        let state = self.lock();
        let to_them = state.said.iter().filter(|(id, _)| id == connection_id);
        to_them.map(|(_, event)| event.clone()).collect()
    }

    /// Everything that reached somebody, in order.
    pub fn said(&self) -> Vec<(ConnectionId, Event)> {
        self.lock().said.clone()
    }

    pub fn is_disconnected(&self, connection_id: &ConnectionId) -> bool {
        self.lock().disconnected.contains(connection_id)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Pusher for FakePusher {
    async fn push(&self, connection_id: &ConnectionId, event: &Event) -> PushOutcome {
        let mut state = self.lock();
        if state.disconnected.contains(connection_id) {
            return PushOutcome::Gone;
        }
        let outcome = state.answers.get(connection_id).copied();
        let outcome = outcome.unwrap_or(PushOutcome::Delivered);
        if outcome == PushOutcome::Delivered {
            state.said.push((connection_id.clone(), event.clone()));
        }
        outcome
    }

    async fn disconnect(&self, connection_id: &ConnectionId) -> Result<(), Failure> {
        self.lock().disconnected.insert(connection_id.clone());
        Ok(())
    }
}
