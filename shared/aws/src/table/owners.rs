//! Whose a connection was when this process last saw it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::{ConnectionId, UserId};

/// Connections remembered at once; a busy process serves fewer between two garbage collections of
/// API Gateway. When full, it starts again.
const CAPACITY: usize = 4_096;

/// A hint, so that `C#…` and `V#…` can be read in one call. The read `C#…` has the last word.
#[derive(Default)]
pub(super) struct Owners {
    known: Mutex<HashMap<ConnectionId, UserId>>,
}

impl Owners {
    pub(super) fn of(&self, id: &ConnectionId) -> Option<UserId> {
        self.lock().get(id).copied()
    }

    pub(super) fn note(&self, id: &ConnectionId, user: UserId) {
        let mut known = self.lock();
        if known.len() >= CAPACITY {
            known.clear();
        }
        known.insert(id.clone(), user);
    }

    pub(super) fn forget(&self, id: &ConnectionId) {
        self.lock().remove(id);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ConnectionId, UserId>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
