//! One session over HTTP and WebSocket.

use std::time::Duration;

use protocol::body::{ChangeList, Login, ReceiptList, SignedIn, SocketTicket, Sync};
use protocol::value::MemberMarks;
use reqwest::{Method, RequestBuilder, Response, Url};
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::websocket::WebSocket;
use super::wire::{Wire, WireError};

/// Longer than any function of the server runs.
const TIMEOUT: Duration = Duration::from_secs(35);

/// What keeps a session: a refresh token works once, so the newest is to be stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens {
    pub access_token: String,
    pub refresh_token: String,
}

/// Secrets stay out of logs.
impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(…)")
    }
}

/// A server, and the tokens of one session there.
#[derive(Debug)]
pub struct HttpWire {
    base: String,
    http: reqwest::Client,
    tokens: Mutex<Tokens>,
}

fn failed(error: impl std::fmt::Display) -> WireError {
    WireError::Failed(error.to_string())
}

fn client() -> Result<reqwest::Client, WireError> {
    reqwest::Client::builder().timeout(TIMEOUT).build().map_err(failed)
}

/// The body of a good answer, or what the status says.
async fn read<T: DeserializeOwned>(response: Response) -> Result<T, WireError> {
    match response.status().as_u16() {
        200..=299 => response.json().await.map_err(failed),
        401 => Err(WireError::SignedOut),
        404 => Err(WireError::Gone),
        // A cursor that the server cannot read is worth as little as one that is too old.
        410 | 422 => Err(WireError::Expired),
        status => Err(WireError::Failed(format!("the server answered {status}"))),
    }
}

/// A cursor is opaque: it may hold anything.
pub(crate) fn sync_path(cursor: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let Some(cursor) = cursor else { return "/v1/sync".to_owned() };
    format!("/v1/sync?{}", query.append_pair("cursor", cursor).finish())
}

impl HttpWire {
    /// A session that was begun before.
    ///
    /// # Errors
    /// The HTTP client cannot be made.
    pub fn new(base: &str, tokens: Tokens) -> Result<Self, WireError> {
        let base = base.trim_end_matches('/').to_owned();
        Ok(Self { base, http: client()?, tokens: Mutex::new(tokens) })
    }

    /// A new session.
    ///
    /// # Errors
    /// Nobody answered; [`WireError::SignedOut`] when name or password are wrong.
    pub async fn sign_in(base: &str, login: &Login) -> Result<(Self, SignedIn), WireError> {
        let url = format!("{}/v1/auth/login", base.trim_end_matches('/'));
        let response = client()?.post(url).json(login).send().await.map_err(failed)?;
        let signed_in: SignedIn = read(response).await?;
        let tokens = Tokens {
            access_token: signed_in.access_token.clone(),
            refresh_token: signed_in.refresh_token.clone(),
        };
        Ok((Self::new(base, tokens)?, signed_in))
    }

    /// The tokens as they are now, to be stored.
    pub async fn tokens(&self) -> Tokens {
        self.tokens.lock().await.clone()
    }

    /// Asks with the access token, and once more with a new one when it has expired.
    ///
    /// # Errors
    /// See [`WireError`].
    pub async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        complete: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<T, WireError> {
        let url: Url = format!("{}{path}", self.base).parse().map_err(failed)?;
        let mut token = self.tokens().await.access_token;
        for is_last in [false, true] {
            let request = complete(self.http.request(method.clone(), url.clone()));
            let response = request.bearer_auth(&token).send().await.map_err(failed)?;
            if response.status().as_u16() != 401 || is_last {
                return read(response).await;
            }
            token = self.refresh(&token).await?;
        }
        Err(WireError::SignedOut)
    }

    /// One refresh at a time: a refresh token is good for one.
    async fn refresh(&self, expired: &str) -> Result<String, WireError> {
        let mut tokens = self.tokens.lock().await;
        if tokens.access_token != expired {
            return Ok(tokens.access_token.clone());
        }
        let body = json!({ "refresh_token": tokens.refresh_token });
        let url = format!("{}/v1/auth/refresh", self.base);
        let response = self.http.post(url).json(&body).send().await.map_err(failed)?;
        let signed_in: SignedIn = read(response).await?;
        tokens.access_token.clone_from(&signed_in.access_token);
        tokens.refresh_token = signed_in.refresh_token;
        Ok(signed_in.access_token)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, WireError> {
        self.ask(Method::GET, path, |request| request).await
    }
}

impl Wire for HttpWire {
    type Socket = WebSocket;

    async fn open(&self) -> Result<WebSocket, WireError> {
        let ticket: SocketTicket =
            self.ask(Method::POST, "/v1/socket-tickets", |request| request).await?;
        WebSocket::open(&ticket).await
    }

    async fn sync(&self, cursor: Option<String>) -> Result<Sync, WireError> {
        self.get(&sync_path(cursor.as_deref())).await
    }

    async fn changes(&self, conversation: Uuid, after: i64) -> Result<ChangeList, WireError> {
        let path = format!("/v1/conversations/{conversation}/changes?after={after}&limit=200");
        self.get(&path).await
    }

    async fn receipts(&self, conversation: Uuid) -> Result<Vec<MemberMarks>, WireError> {
        let path = format!("/v1/conversations/{conversation}/receipts");
        let list: ReceiptList = self.get(&path).await?;
        Ok(list.items)
    }
}
