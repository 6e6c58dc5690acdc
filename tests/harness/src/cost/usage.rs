//! What the gateway counted.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{Api, Result};

/// `GET /_gateway/usage`
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Usage {
    pub lambda: BTreeMap<String, Lambda>,
    pub management: Units,
    pub socket: Socket,
    pub sqs_pollers: BTreeMap<String, Poller>,
    /// What functions count themselves, by function and counter.
    pub functions: BTreeMap<String, BTreeMap<String, f64>>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct Lambda {
    pub invocations: f64,
    pub billed_ms: f64,
    /// The part of `billed_ms` that cold starts took.
    pub init_ms: f64,
    pub memory_mb: f64,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct Units {
    pub posts: f64,
    /// Of 32 KB.
    pub units: f64,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct Socket {
    pub units_in: f64,
    pub units_out: f64,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct Poller {
    pub receives: f64,
    pub empty_receives: f64,
    pub deletes: f64,
    pub is_fifo: bool,
}

impl Usage {
    /// # Errors
    /// The gateway does not answer.
    pub async fn of(api: &Api) -> Result<Self> {
        api.get("/_gateway/usage").await?.expect(200)
    }

    /// Counts from now on.
    ///
    /// # Errors
    /// The gateway does not answer.
    pub async fn begin(api: &Api) -> Result<()> {
        let answer = api.send(api.request(reqwest::Method::DELETE, "/_gateway/usage")).await?;
        answer.expect_status(204)
    }

    /// One counter, summed over all functions.
    pub fn counted(&self, counter: &str) -> f64 {
        self.functions.values().filter_map(|counters| counters.get(counter)).sum()
    }
}
