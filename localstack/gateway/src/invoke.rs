//! The one way the fronts and the event sources reach a function, whoever hosts it.

use async_trait::async_trait;
use bytes::Bytes;

/// Sends one event to one function and waits for its answer.
#[async_trait]
pub trait Invoke: Send + Sync + 'static {
    /// `function` is the binary's name (`send-message`); `event` and the answer are JSON.
    async fn invoke(&self, function: &str, event: Bytes) -> Result<Bytes, InvokeError>;

    /// What `GET /_gateway/functions` shows of the functions' processes.
    fn status(&self) -> serde_json::Value {
        serde_json::Value::Null
    }
}

/// Why there is no answer. Each is what AWS would report as a failed integration.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum InvokeError {
    /// The handler returned an error or panicked; the text is the function's error JSON.
    #[error("the function answered with an error: {0}")]
    Function(String),
    #[error("the function did not answer within {0} ms")]
    Timeout(u64),
    #[error("the function's process ended before it answered")]
    Crashed,
    #[error("every process of the function was busy for too long")]
    Throttled,
    #[error("the function cannot be reached: {0}")]
    Unavailable(String),
}
