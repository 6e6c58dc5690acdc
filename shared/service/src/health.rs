//! Whether what the functions stand on is there.

use std::sync::Arc;

use crate::port::Probe;

#[derive(Clone)]
pub struct Health {
    pub probes: Vec<Arc<dyn Probe>>,
}

impl Health {
    /// The names of what is down; empty when all is well. All are asked at once.
    pub async fn down(&self) -> Vec<&'static str> {
        let checks = self.probes.iter().map(|probe| async move {
            match probe.check().await {
                Ok(()) => None,
                Err(failure) => {
                    tracing::warn!(probe = probe.name(), error = %failure, "not ready");
                    Some(probe.name())
                }
            }
        });
        futures::future::join_all(checks).await.into_iter().flatten().collect()
    }
}
