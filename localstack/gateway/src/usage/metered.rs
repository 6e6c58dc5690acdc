//! Counts invocations of functions that somebody else hosts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;

use super::Usage;
use crate::invoke::{Invoke, InvokeError};
use crate::model::Model;

/// Passes everything on. What it measures includes the way there, and builds by
/// `cargo lambda watch`: the numbers of functions that the gateway hosts itself are better.
pub struct Metered<I> {
    inner: I,
    usage: Arc<Usage>,
    memory_mb: BTreeMap<String, u32>,
}

impl<I> Metered<I> {
    pub fn new(inner: I, usage: Arc<Usage>, model: &Model) -> Self {
        let functions = model.functions.values();
        let memory_mb = functions.map(|known| (known.name.clone(), known.memory_mb)).collect();
        Self { inner, usage, memory_mb }
    }
}

#[async_trait]
impl<I: Invoke> Invoke for Metered<I> {
    async fn invoke(&self, function: &str, event: Bytes) -> Result<Bytes, InvokeError> {
        let begin = Instant::now();
        let answer = self.inner.invoke(function, event).await;
        let has_run = !matches!(answer, Err(InvokeError::Throttled | InvokeError::Unavailable(_)));
        if let Some(memory_mb) = self.memory_mb.get(function).filter(|_| has_run) {
            self.usage.invoked(function, *memory_mb, begin.elapsed(), None);
        }
        answer
    }

    fn status(&self) -> serde_json::Value {
        self.inner.status()
    }
}
