//! One socket, frame by frame.

use std::collections::VecDeque;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use protocol::body::SocketTicket;
use protocol::frame::{
    ClientFrame, ErrorData, MessageAccepted, MessageRejected, MessageSend, Messages, Said,
    ServerFrame,
};
use protocol::value::MessageDraft;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use uuid::Uuid;

use crate::{Failure, Result, WAIT, documents, unique_id};

/// What can come out of a socket.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    Frame(Box<ServerFrame>),
    /// API Gateway's own words when a function failed: `{"message", "connectionId", "requestId"}`.
    Gateway(Value),
    /// The end, with the close code; `None` when the connection was cut.
    Closed(Option<u16>),
    /// What `docs/asyncapi.yaml` does not describe, and why not.
    Undocumented(String),
}

pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Heard while something else was waited for.
    put_aside: VecDeque<Heard>,
    patience: Duration,
}

impl Socket {
    /// # Errors
    /// The upgrade was refused.
    pub async fn connect(ticket: &SocketTicket) -> Result<Self> {
        let protocols = format!("chat.v1, ticket.{}", ticket.ticket);
        let refused = |status| Failure::new(format!("the upgrade answered {status}"));
        Self::upgrade(&ticket.url, &[("sec-websocket-protocol", &protocols)])
            .await?
            .map_err(refused)
    }

    /// An upgrade with these headers; a refusal is its HTTP status.
    ///
    /// # Errors
    /// Nobody answered.
    pub async fn upgrade(
        url: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<std::result::Result<Self, u16>> {
        let failed = |e: Error| Failure::cannot("open a socket", e);
        let mut request = url.into_client_request().map_err(failed)?;
        for (name, value) in headers {
            let value = value.parse().map_err(|e| Failure::cannot("set a header", e))?;
            request.headers_mut().insert(*name, value);
        }
        match timeout_at(Instant::now() + WAIT, connect_async(request)).await {
            Ok(Ok((stream, _))) => {
                Ok(Ok(Self { stream, put_aside: VecDeque::new(), patience: WAIT }))
            }
            Ok(Err(Error::Http(answer))) => Ok(Err(answer.status().as_u16())),
            Ok(Err(error)) => Err(failed(error)),
            Err(_) => Err(Failure::new(format!("the upgrade was not answered in {WAIT:?}"))),
        }
    }

    /// Waits longer than usual from now on.
    pub fn be_patient(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// # Errors
    /// The socket is closed.
    pub async fn say(&mut self, text: impl Into<String>) -> Result<()> {
        let said = self.stream.send(Message::text(text.into())).await;
        said.map_err(|e| Failure::cannot("send a frame", e))
    }

    /// Says a frame of this type and answers its id.
    ///
    /// # Errors
    /// The socket is closed.
    pub async fn say_frame(&mut self, frame_type: &str, data: Value) -> Result<Uuid> {
        let id = unique_id();
        self.say(json!({ "type": frame_type, "id": id, "data": data }).to_string()).await?;
        Ok(id)
    }

    /// # Errors
    /// The socket is closed.
    pub async fn say_client_frame(&mut self, frame: &ClientFrame) -> Result<()> {
        let text = serde_json::to_string(frame);
        self.say(text.map_err(|e| Failure::cannot("write a frame", e))?).await
    }

    /// `message.send`; answers the frame's id.
    ///
    /// # Errors
    /// The socket is closed.
    pub async fn send(&mut self, conversation: Uuid, drafts: &[MessageDraft]) -> Result<Uuid> {
        let (conversation_id, messages) = (Some(conversation.to_string()), Some(drafts.to_vec()));
        let data = serde_json::to_value(MessageSend { conversation_id, messages });
        self.say_frame("message.send", data.unwrap_or_default()).await
    }

    /// The next thing that comes, put aside or not, until `until`.
    ///
    /// # Errors
    /// Nothing came.
    pub async fn hear(&mut self, until: Instant) -> Result<Heard> {
        if let Some(heard) = self.put_aside.pop_front() {
            return Ok(heard);
        }
        self.hear_anew(until).await
    }

    async fn hear_anew(&mut self, until: Instant) -> Result<Heard> {
        loop {
            let next = timeout_at(until, self.stream.next()).await;
            match next.map_err(|_| Failure::new("nothing more came"))? {
                Some(Ok(Message::Text(text))) => return Ok(read(&text)),
                Some(Ok(Message::Close(frame))) => {
                    return Ok(Heard::Closed(frame.map(|frame| frame.code.into())));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Ok(Heard::Closed(None)),
            }
        }
    }

    /// The first thing heard of which `pick` makes something; the others stay for later.
    ///
    /// # Errors
    /// It did not come in time; the error lists what came instead.
    pub async fn wait_for<T>(
        &mut self,
        what: &str,
        mut pick: impl FnMut(&Heard) -> Option<T>,
    ) -> Result<T> {
        for (index, heard) in self.put_aside.iter().enumerate() {
            if let Some(found) = pick(heard) {
                self.put_aside.remove(index);
                return Ok(found);
            }
        }
        let until = Instant::now() + self.patience;
        loop {
            let Ok(heard) = self.hear_anew(until).await else {
                let seen = &self.put_aside;
                return Err(Failure::new(format!(
                    "no {what} in {:?}, but {seen:#?}",
                    self.patience
                )));
            };
            if let Heard::Undocumented(why) = heard {
                return Err(Failure::new(why));
            }
            if let Some(found) = pick(&heard) {
                return Ok(found);
            }
            let is_end = matches!(heard, Heard::Closed(_));
            self.put_aside.push_back(heard);
            if is_end {
                let seen = &self.put_aside;
                return Err(Failure::new(format!("closed before {what}, after {seen:#?}")));
            }
        }
    }

    /// The one answer to a frame.
    ///
    /// # Errors
    /// None came.
    pub async fn answer_to(&mut self, frame_id: Uuid) -> Result<Said> {
        let what = format!("answer to {frame_id}");
        self.wait_for(&what, |heard| match heard {
            Heard::Frame(frame) if frame.in_reply_to == Some(frame_id) => Some(frame.said.clone()),
            _ => None,
        })
        .await
    }

    /// # Errors
    /// The frame was answered otherwise, or not at all.
    pub async fn accepted(&mut self, frame_id: Uuid) -> Result<MessageAccepted> {
        match self.answer_to(frame_id).await? {
            Said::MessageAccepted(accepted) => Ok(accepted),
            other => Err(Failure::new(format!("not accepted, but {other:?}"))),
        }
    }

    /// # Errors
    /// The frame was answered otherwise, or not at all.
    pub async fn refused(&mut self, frame_id: Uuid) -> Result<ErrorData> {
        match self.answer_to(frame_id).await? {
            Said::Error(error) => Ok(error),
            other => Err(Failure::new(format!("not refused, but {other:?}"))),
        }
    }

    /// The next error that answers no frame in particular: one that could not be read.
    ///
    /// # Errors
    /// None came.
    pub async fn error(&mut self) -> Result<ErrorData> {
        self.wait_for("error", |heard| match heard {
            Heard::Frame(frame) => match &frame.said {
                Said::Error(error) if frame.in_reply_to.is_none() => Some(error.clone()),
                _ => None,
            },
            _ => None,
        })
        .await
    }

    /// The next push of new messages in this conversation.
    ///
    /// # Errors
    /// None came.
    pub async fn pushed(&mut self, conversation: Uuid) -> Result<Messages> {
        self.wait_for("message.new", |heard| match heard {
            Heard::Frame(frame) => match &frame.said {
                Said::MessageNew(new) if new.conversation_id == conversation => Some(new.clone()),
                _ => None,
            },
            _ => None,
        })
        .await
    }

    /// # Errors
    /// None came.
    pub async fn rejected(&mut self, client_id: Uuid) -> Result<MessageRejected> {
        self.wait_for("message.rejected", |heard| match heard {
            Heard::Frame(frame) => match &frame.said {
                Said::MessageRejected(no) if no.client_id == client_id => Some(no.clone()),
                _ => None,
            },
            _ => None,
        })
        .await
    }

    /// The end of the socket, with its close code.
    ///
    /// # Errors
    /// It stays open.
    pub async fn closed(&mut self) -> Result<Option<u16>> {
        self.wait_for("close", |heard| match heard {
            Heard::Closed(code) => Some(*code),
            _ => None,
        })
        .await
    }

    /// A binary frame, which nobody here understands.
    ///
    /// # Errors
    /// The socket is closed.
    pub async fn say_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let said = self.stream.send(Message::binary(bytes.to_vec())).await;
        said.map_err(|e| Failure::cannot("send a frame", e))
    }

    /// Closes it as a well-behaved client does.
    ///
    /// # Errors
    /// It is closed already.
    pub async fn close(&mut self) -> Result<()> {
        self.stream.close(None).await.map_err(|e| Failure::cannot("close a socket", e))
    }
}

fn read(text: &str) -> Heard {
    if let Err(failure) = documents::check_frame(text) {
        return Heard::Undocumented(failure.to_string());
    }
    match serde_json::from_str::<ServerFrame>(text) {
        Ok(frame) => Heard::Frame(Box::new(frame)),
        Err(_) => Heard::Gateway(serde_json::from_str(text).unwrap_or_else(|_| text.into())),
    }
}
