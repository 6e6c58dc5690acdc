//! An upgrade, a frame, a close: what arrives on a socket.

use domain::{ConnectionId, limits};
use protocol::frame::ClientFrame;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::Rejection;
use crate::rejection::{read_json, read_value};

/// The subprotocol that the server speaks.
pub(crate) const SUBPROTOCOL: &str = "chat.v1";
/// A ticket travels as the subprotocol `ticket.<ticket>` where headers cannot be set.
const TICKET_PREFIX: &str = "ticket.";

/// A client asks for a socket.
#[derive(Debug)]
pub struct Upgrade {
    pub connection_id: ConnectionId,
    /// From `?ticket=` or from the subprotocols; never logged.
    pub ticket: Option<String>,
    /// What a browser says it comes from.
    pub origin: Option<String>,
    /// Echoed when the client offered it.
    pub(crate) offers_subprotocol: bool,
}

impl Upgrade {
    pub(crate) fn new(
        connection_id: ConnectionId,
        query_ticket: Option<String>,
        origin: Option<String>,
        subprotocols: &str,
    ) -> Self {
        let offered = || subprotocols.split(',').map(str::trim);
        let header_ticket = offered().find_map(|offer| offer.strip_prefix(TICKET_PREFIX));
        let ticket = query_ticket.or_else(|| header_ticket.map(str::to_owned));
        let offers_subprotocol = offered().any(|offer| offer == SUBPROTOCOL);
        Self { connection_id, ticket, origin, offers_subprotocol }
    }

    /// The ticket, or a text that no ticket is.
    pub fn ticket(&self) -> &str {
        self.ticket.as_deref().unwrap_or_default()
    }
}

/// A client's frame.
#[derive(Debug)]
pub struct Frame {
    pub connection_id: ConnectionId,
    frame_type: String,
    id: Uuid,
    data: Value,
}

impl Frame {
    pub(crate) fn read(connection_id: ConnectionId, text: &str) -> Result<Self, Rejection> {
        if text.len() > limits::FRAME_MAX_BYTES {
            return Err(Rejection::TooLarge { max_bytes: limits::FRAME_MAX_BYTES });
        }
        let ClientFrame { frame_type, id, data } = read_json(text.as_bytes())?;
        Ok(Self { connection_id, frame_type, id, data })
    }

    pub fn frame_type(&self) -> &str {
        &self.frame_type
    }

    pub(crate) fn id(&self) -> Uuid {
        self.id
    }

    /// The frame's data in whatever shape it came.
    pub(crate) fn raw_data(&self) -> &Value {
        &self.data
    }

    /// The frame's data in the shape of its type.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, Rejection> {
        read_value(self.data.clone())
    }
}

/// A socket is gone.
#[derive(Debug)]
pub struct Closed {
    pub connection_id: ConnectionId,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upgrade(query: Option<&str>, subprotocols: &str) -> Upgrade {
        let id = ConnectionId::parse("c1").unwrap();
        Upgrade::new(id, query.map(str::to_owned), None, subprotocols)
    }

    #[test]
    fn a_ticket_comes_in_the_query_or_as_a_subprotocol() {
        assert_eq!(upgrade(Some("t1"), "chat.v1").ticket(), "t1");
        let by_header = upgrade(None, " chat.v1 , ticket.t2");
        assert_eq!((by_header.ticket(), by_header.offers_subprotocol), ("t2", true));
        let neither = upgrade(None, "chat.v2, ticket");
        assert_eq!((neither.ticket(), neither.offers_subprotocol), ("", false));
    }

    #[test]
    fn hostile_frames_are_refused() {
        let read = |text: &str| Frame::read(ConnectionId::parse("c1").unwrap(), text);
        for text in ["", "{", "hello", "\u{0}"] {
            assert!(matches!(read(text), Err(Rejection::NotJson(_))), "{text:?}");
        }
        let deep = format!("{{\"type\":{}", "[".repeat(30_000));
        assert!(matches!(read(&deep), Err(Rejection::NotJson(_))));
        let long = " ".repeat(limits::FRAME_MAX_BYTES + 1);
        assert!(matches!(read(&long), Err(Rejection::TooLarge { .. })));
        for text in ["[]", "{}", r#"{"type":1}"#, r#"{"type":"typing","id":"x"}"#] {
            assert!(matches!(read(text), Err(Rejection::Service(_))), "{text:?}");
        }
    }
}
