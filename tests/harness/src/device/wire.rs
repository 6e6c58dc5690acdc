//! The wire of a [`super::Device`].

use std::sync::{Arc, Mutex as Slot, PoisonError};
use std::time::Duration;

use ::client::shell::{Heard, Wire, WireError, WireSocket};
use protocol::body::{ChangeList, ReceiptList, SocketTicket, Sync};
use protocol::frame::ClientFrame;
use protocol::value::MemberMarks;
use reqwest::Method;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use tokio::time::Instant;
use uuid::Uuid;

use crate::http::Answer;
use crate::{Client, Failure, Socket, socket};

/// Nothing has to come on a socket.
const FOR_EVER: Duration = Duration::from_secs(7 * 24 * 3600);

/// What went wrong on the way, for whoever wonders why nothing comes.
#[derive(Clone, Default)]
pub(super) struct Notes(Arc<Slot<Noted>>);

#[derive(Default)]
struct Noted {
    /// Something that the documents do not describe: never right.
    complaint: Option<String>,
    /// Something that may happen to anybody.
    trouble: Option<String>,
}

impl Notes {
    pub(super) fn complaint(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).complaint.clone()
    }

    pub(super) fn last_trouble(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).trouble.clone()
    }

    fn trouble(&self, failure: &Failure) -> WireError {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.trouble = Some(failure.to_string());
        if failure.is_undocumented() && noted.complaint.is_none() {
            noted.complaint = Some(failure.to_string());
        }
        WireError::Failed(failure.to_string())
    }
}

/// One session over the harness's own HTTP and sockets.
pub(super) struct DocumentedWire {
    client: Mutex<Client>,
    notes: Notes,
}

impl DocumentedWire {
    pub(super) fn of(client: &Client) -> Self {
        Self { client: Mutex::new(client.clone()), notes: Notes::default() }
    }

    pub(super) fn notes(&self) -> Notes {
        self.notes.clone()
    }

    /// With a new access token if the old one has expired.
    async fn ask<T: DeserializeOwned>(&self, method: Method, path: &str) -> Result<T, WireError> {
        let client = self.client.lock().await.clone();
        let answer = self.answer(&client, &method, path).await?;
        if answer.status != 401 {
            return self.read(&answer);
        }
        let fresh = self.refreshed(&client.access_token).await?;
        let answer = self.answer(&fresh, &method, path).await?;
        self.read(&answer)
    }

    async fn answer(
        &self,
        client: &Client,
        method: &Method,
        path: &str,
    ) -> Result<Answer, WireError> {
        let answer = client.api().send(client.request(method.clone(), path)).await;
        answer.map_err(|failure| self.notes.trouble(&failure))
    }

    fn read<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, WireError> {
        match answer.status {
            401 => Err(WireError::SignedOut),
            404 => Err(WireError::Gone),
            410 | 422 => Err(WireError::Expired),
            200 | 201 => answer.json().map_err(|failure| self.notes.trouble(&failure)),
            status => {
                let text = answer.text();
                Err(self.notes.trouble(&Failure::new(format!("answered {status}: {text}"))))
            }
        }
    }

    /// One refresh at a time: a refresh token is good for one.
    async fn refreshed(&self, expired: &str) -> Result<Client, WireError> {
        let mut client = self.client.lock().await;
        if client.access_token == expired {
            let answer = client.refresh().await;
            let answer = answer.map_err(|failure| self.notes.trouble(&failure))?;
            *client = client.with_tokens(self.read(&answer)?);
        }
        Ok(client.clone())
    }
}

fn sync_path(cursor: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let Some(cursor) = cursor else { return "/v1/sync".to_owned() };
    format!("/v1/sync?{}", query.append_pair("cursor", cursor).finish())
}

impl Wire for DocumentedWire {
    type Socket = Socket;

    async fn open(&self) -> Result<Socket, WireError> {
        let ticket: SocketTicket = self.ask(Method::POST, "/v1/socket-tickets").await?;
        Socket::connect(&ticket).await.map_err(|failure| self.notes.trouble(&failure))
    }

    async fn sync(&self, cursor: Option<String>) -> Result<Sync, WireError> {
        self.ask(Method::GET, &sync_path(cursor.as_deref())).await
    }

    async fn changes(&self, conversation: Uuid, after: i64) -> Result<ChangeList, WireError> {
        let path = format!("/v1/conversations/{conversation}/changes?after={after}&limit=200");
        self.ask(Method::GET, &path).await
    }

    async fn receipts(&self, conversation: Uuid) -> Result<Vec<MemberMarks>, WireError> {
        let path = format!("/v1/conversations/{conversation}/receipts");
        let list: ReceiptList = self.ask(Method::GET, &path).await?;
        Ok(list.items)
    }
}

impl WireSocket for Socket {
    async fn say(&mut self, frame: &ClientFrame) -> Result<(), WireError> {
        let said = self.say_client_frame(frame).await;
        said.map_err(|failure| WireError::Failed(failure.to_string()))
    }

    async fn hear(&mut self) -> Heard {
        match Socket::hear(self, Instant::now() + FOR_EVER).await {
            Ok(socket::Heard::Frame(frame)) => Heard::Frame(frame),
            Ok(socket::Heard::Gateway(_)) => Heard::Gateway,
            Ok(socket::Heard::Undocumented(why)) => Heard::Unreadable(why),
            Ok(socket::Heard::Closed(_)) | Err(_) => Heard::Closed,
        }
    }

    async fn close(&mut self) {
        // The other side may have closed it already.
        let _ = Socket::close(self).await;
    }
}
