//! Faults in the gateway of a system that was started [`crate::Options::with_faults`].

use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;

use crate::http::Api;
use crate::{Result, System};

/// The gateway's `/_gateway/faults`.
#[derive(Clone)]
pub struct Faults {
    api: Api,
}

#[derive(Deserialize)]
struct Added {
    id: u64,
}

#[derive(Deserialize)]
struct Connections {
    connections: Vec<String>,
}

impl Faults {
    /// # Errors
    /// As every method here: the gateway does not answer, or takes no faults.
    pub fn of(system: &System) -> Result<Self> {
        Ok(Self { api: system.api()? })
    }

    /// Lets a rule loose, as the gateway's `--help` describes it; answers its number.
    pub async fn add(&self, rule: &Value) -> Result<u64> {
        let added: Added = self.api.post("/_gateway/faults", rule).await?.expect(201)?;
        Ok(added.id)
    }

    pub async fn remove(&self, rule: u64) -> Result<()> {
        self.delete(&format!("/_gateway/faults/{rule}")).await
    }

    /// From here on everything works.
    pub async fn heal(&self) -> Result<()> {
        self.delete("/_gateway/faults").await
    }

    /// The rules, each with how often it has fired.
    pub async fn rules(&self) -> Result<Value> {
        self.api.get("/_gateway/faults").await?.expect(200)
    }

    /// How often all rules have fired.
    pub async fn fired(&self) -> Result<u64> {
        let rules = self.rules().await?;
        let fired = |rule: &Value| rule["fired"].as_u64().unwrap_or(0);
        Ok(rules["rules"].as_array().map_or(0, |rules| rules.iter().map(fired).sum()))
    }

    /// The open sockets.
    pub async fn connections(&self) -> Result<Vec<String>> {
        let open: Connections = self.api.get("/_gateway/faults/connections").await?.expect(200)?;
        Ok(open.connections)
    }

    async fn delete(&self, path: &str) -> Result<()> {
        let answer = self.api.send(self.api.request(Method::DELETE, path)).await?;
        answer.expect_status(204)
    }
}
