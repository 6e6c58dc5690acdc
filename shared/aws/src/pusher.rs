//! Pushes through API Gateway's `@connections`.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::config::http::HttpResponse;
use aws_sdk_apigatewaymanagement::error::SdkError;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use domain::ConnectionId;
use service::Event;
use service::port::{Entropy, Failure, PushOutcome, Pusher};

use crate::{call, frames};

/// HTTP's word for a socket that is not there any more.
const GONE: u16 = 410;

/// Tells sockets through the management API.
pub struct ManagementPusher {
    client: Client,
    entropy: Arc<dyn Entropy>,
}

impl ManagementPusher {
    /// With a client of [`crate::Clients::management`]. Chance makes the ids of the frames.
    pub fn new(client: Client, entropy: Arc<dyn Entropy>) -> Self {
        Self { client, entropy }
    }
}

fn is_gone<E>(error: &SdkError<E, HttpResponse>) -> bool {
    error.raw_response().is_some_and(|response| response.status().as_u16() == GONE)
}

#[async_trait]
impl Pusher for ManagementPusher {
    async fn push(&self, connection_id: &ConnectionId, event: &Event) -> PushOutcome {
        let frames = match frames::encode(event, &*self.entropy) {
            Ok(frames) => frames,
            Err(error) => {
                tracing::error!(%connection_id, %error, "an event cannot be written as frames");
                return PushOutcome::Failed;
            }
        };
        for frame in frames {
            let post = self.client.post_to_connection().connection_id(connection_id.as_str());
            match post.data(Blob::new(frame)).send().await {
                Ok(_) => {}
                Err(error) if is_gone(&error) => return PushOutcome::Gone,
                Err(error) => {
                    let failure = call::failure("sockets", error);
                    let source = std::error::Error::source(&failure);
                    let why = source.map(ToString::to_string).unwrap_or_default();
                    tracing::warn!(%connection_id, why, "a push failed");
                    return PushOutcome::Failed;
                }
            }
        }
        PushOutcome::Delivered
    }

    async fn disconnect(&self, connection_id: &ConnectionId) -> Result<(), Failure> {
        let delete = self.client.delete_connection().connection_id(connection_id.as_str());
        match delete.send().await {
            Err(error) if !is_gone(&error) => Err(call::failure("sockets", error)),
            _ => Ok(()),
        }
    }
}
