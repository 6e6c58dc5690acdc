//! A WebSocket as the protocol opens it.

use futures::{SinkExt, StreamExt};
use protocol::body::SocketTicket;
use protocol::frame::ClientFrame;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::wire::{Heard, WireError, WireSocket};

/// One open socket.
pub struct WebSocket(WebSocketStream<MaybeTlsStream<TcpStream>>);

fn failed(error: impl std::fmt::Display) -> WireError {
    WireError::Failed(error.to_string())
}

impl WebSocket {
    /// The ticket goes into a header, where no log of addresses finds it.
    ///
    /// # Errors
    /// Nobody answered, or the ticket was refused: the next one may be taken.
    pub async fn open(ticket: &SocketTicket) -> Result<Self, WireError> {
        let mut request = ticket.url.as_str().into_client_request().map_err(failed)?;
        let protocols = format!("chat.v1, ticket.{}", ticket.ticket);
        let protocols = HeaderValue::from_str(&protocols).map_err(failed)?;
        request.headers_mut().insert("sec-websocket-protocol", protocols);
        let (stream, _) = connect_async(request).await.map_err(failed)?;
        Ok(Self(stream))
    }
}

impl WireSocket for WebSocket {
    async fn say(&mut self, frame: &ClientFrame) -> Result<(), WireError> {
        let text = serde_json::to_string(frame).map_err(failed)?;
        self.0.send(Message::text(text)).await.map_err(failed)
    }

    async fn hear(&mut self) -> Heard {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return Heard::read(&text),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Heard::Closed,
                Some(Ok(_)) => {}
            }
        }
    }

    async fn close(&mut self) {
        // The other side may have closed it already.
        let _ = self.0.close(None).await;
    }
}
