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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    /// Answers when it is allowed to, and says that it did.
    struct Patient {
        gate: Semaphore,
        ended: AtomicBool,
        answer: Bytes,
    }

    #[async_trait::async_trait]
    impl Invoke for Patient {
        async fn invoke(&self, _: &str, _: Bytes) -> Result<Bytes, InvokeError> {
            self.gate.acquire().await.map_err(|_| InvokeError::Crashed)?.forget();
            self.ended.store(true, Ordering::SeqCst);
            Ok(self.answer.clone())
        }
    }

    fn patient(answer: Vec<u8>) -> (Arc<Patient>, Arc<dyn Invoke>) {
        let gate = Semaphore::new(0);
        let ended = AtomicBool::new(false);
        let function = Arc::new(Patient { gate, ended, answer: answer.into() });
        (Arc::clone(&function), function)
    }

    #[tokio::test]
    async fn a_call_goes_on_after_the_gateway_stopped_waiting() {
        let (function, invoke) = patient(b"{}".to_vec());
        let limit = Duration::from_millis(1);
        let failure = call(&invoke, "f", &Value::Null, limit).await.unwrap_err();
        assert!(matches!(failure, Failure::GatewayTimeout));
        function.gate.add_permits(1);
        let ended = async {
            while !function.ended.load(Ordering::SeqCst) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), ended).await.unwrap();
    }

    #[tokio::test]
    async fn an_answer_larger_than_lambda_allows_is_a_failure() {
        let (function, invoke) = patient(vec![b'x'; MAX_ANSWER_BYTES + 1]);
        function.gate.add_permits(1);
        let limit = Duration::from_secs(20);
        let failure = call(&invoke, "f", &Value::Null, limit).await.unwrap_err();
        assert!(matches!(failure, Failure::AnswerTooLarge));
    }
}
