//! One call of a function on behalf of a client, with the gateway's own time limit.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use crate::invoke::{Invoke, InvokeError};

/// The most a synchronous Lambda invocation may answer (AWS Lambda quotas).
const MAX_ANSWER_BYTES: usize = 6_291_556;

/// Why the client gets the gateway's words instead of the function's.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Invoke(#[from] InvokeError),
    #[error("the function's answer is larger than Lambda allows")]
    AnswerTooLarge,
    #[error("the gateway's own time limit for an integration passed")]
    GatewayTimeout,
}

/// Calls the function and waits at most `limit`. As on AWS the call goes on when the client
/// leaves or the limit passes; nobody reads its answer then.
pub(crate) async fn call(
    invoke: &Arc<dyn Invoke>,
    function: &str,
    event: &Value,
    limit: Duration,
) -> Result<Bytes, Failure> {
    let (invoke, function) = (Arc::clone(invoke), function.to_owned());
    let event = Bytes::from(event.to_string());
    let call = tokio::spawn(async move { invoke.invoke(&function, event).await });
    let answer = match tokio::time::timeout(limit, call).await {
        Err(_) => return Err(Failure::GatewayTimeout),
        Ok(Err(lost)) => return Err(InvokeError::Unavailable(lost.to_string()).into()),
        Ok(Ok(answer)) => answer?,
    };
    if answer.len() > MAX_ANSWER_BYTES {
        return Err(Failure::AnswerTooLarge);
    }
    Ok(answer)
}
