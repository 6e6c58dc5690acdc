//! One signed-in session: HTTP with types, and the way to a socket.

use protocol::body::{
    ChangeList, ConversationEntry, CreateConversation, List, Login, Me, Member, MessageAccepted,
    MessageList, Profile, Register, SignedIn, SocketTicket,
};
use protocol::value::{Conversation, MessageDraft};
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use uuid::Uuid;

use crate::http::{Answer, Api};
use crate::{Failure, Result, Socket, unique_id, unique_name};

/// Everybody's.
pub const PASSWORD: &str = "correct horse battery staple";

/// What a person signs in with.
#[derive(Debug, Clone)]
pub struct Account {
    pub username: String,
    pub email: String,
}

impl Account {
    /// `ada-1f3a…`, so that tests never meet.
    pub fn new(start: &str) -> Self {
        let username = unique_name(start);
        Self { email: format!("{username}@example.org"), username }
    }

    pub fn to_register(&self) -> Register {
        Register {
            username: Some(self.username.clone()),
            email: Some(self.email.clone()),
            password: Some(PASSWORD.to_owned()),
            display_name: None,
        }
    }

    pub fn to_login(&self) -> Login {
        let (login, password) = (Some(self.username.clone()), Some(PASSWORD.to_owned()));
        Login { login, password, device_name: Some("a test".to_owned()), totp: None }
    }
}

/// One session of one person.
#[derive(Clone)]
pub struct Client {
    api: Api,
    account: Account,
    pub me: Me,
    pub session_id: Uuid,
    pub access_token: String,
    pub refresh_token: String,
}

impl Client {
    /// A new person.
    ///
    /// # Errors
    /// As every method here: nobody answered, or not what a success is.
    pub async fn register(api: &Api, start: &str) -> Result<Self> {
        let account = Account::new(start);
        let request = api.request(Method::POST, "/v1/auth/register");
        let answer = api.send_patiently(request.json(&account.to_register())).await?;
        Ok(Self::signed_in(api, account, answer.expect(201)?))
    }

    /// The same person on another device.
    pub async fn another_device(&self) -> Result<Self> {
        let request = self.api.request(Method::POST, "/v1/auth/login");
        let answer = self.api.send_patiently(request.json(&self.account.to_login())).await?;
        Ok(Self::signed_in(&self.api, self.account.clone(), answer.expect(200)?))
    }

    /// The same session after its tokens were exchanged.
    pub async fn refreshed(&self) -> Result<Self> {
        let answer = self.refresh().await?;
        Ok(self.with_tokens(answer.expect(200)?))
    }

    pub(crate) fn with_tokens(&self, signed_in: SignedIn) -> Self {
        Self::signed_in(&self.api, self.account.clone(), signed_in)
    }

    /// Exchanges this client's refresh token, whatever comes of it.
    pub async fn refresh(&self) -> Result<Answer> {
        let body = json!({ "refresh_token": self.refresh_token });
        self.api.post("/v1/auth/refresh", &body).await
    }

    fn signed_in(api: &Api, account: Account, signed_in: SignedIn) -> Self {
        let SignedIn { user, session_id, access_token, refresh_token, .. } = signed_in;
        Self { api: api.clone(), account, me: user, session_id, access_token, refresh_token }
    }

    pub fn id(&self) -> Uuid {
        self.me.id
    }

    pub fn api(&self) -> &Api {
        &self.api
    }

    pub fn account(&self) -> &Account {
        &self.account
    }

    /// A request with this session's access token.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.api.request(method, path).bearer_auth(&self.access_token)
    }

    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.api.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &impl Serialize) -> Result<Answer> {
        self.api.send(self.request(Method::POST, path).json(body)).await
    }

    /// [`Api::send_patiently`] with this session's access token.
    async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.api.send_patiently(self.request(Method::GET, path)).await?.expect(200)
    }

    /// The same for what may be said twice.
    async fn write(&self, path: &str, body: &impl Serialize) -> Result<Answer> {
        self.api.send_patiently(self.request(Method::POST, path).json(body)).await
    }

    pub async fn profile_of(&self, user: Uuid) -> Result<Profile> {
        self.read(&format!("/v1/users/{user}")).await
    }

    /// The direct conversation with somebody, new or not.
    pub async fn open_direct(&self, other: Uuid) -> Result<Conversation> {
        let body = CreateConversation {
            conversation_type: Some("direct".to_owned()),
            member_ids: Some(vec![other.to_string()]),
            ..CreateConversation::default()
        };
        self.open(&body).await
    }

    /// A new group with these people and oneself.
    pub async fn open_group(&self, title: &str, others: &[Uuid]) -> Result<Conversation> {
        let body = CreateConversation {
            conversation_type: Some("group".to_owned()),
            client_id: Some(unique_id().to_string()),
            title: Some(title.to_owned()),
            member_ids: Some(others.iter().map(Uuid::to_string).collect()),
        };
        self.open(&body).await
    }

    async fn open(&self, body: &CreateConversation) -> Result<Conversation> {
        let answer = self.write("/v1/conversations", body).await?;
        if answer.status == 200 { answer.json() } else { answer.expect(201) }
    }

    pub async fn conversations(&self) -> Result<List<ConversationEntry>> {
        self.read("/v1/conversations").await
    }

    pub async fn conversation(&self, id: Uuid) -> Result<Conversation> {
        self.read(&format!("/v1/conversations/{id}")).await
    }

    pub async fn members(&self, id: Uuid) -> Result<List<Member>> {
        self.read(&format!("/v1/conversations/{id}/members")).await
    }

    /// Over HTTP: 202 means durable in the queue.
    pub async fn send(&self, conversation: Uuid, draft: &MessageDraft) -> Result<MessageAccepted> {
        self.write(&format!("/v1/conversations/{conversation}/messages"), draft).await?.expect(202)
    }

    /// `query`: `after=3&limit=10`, or empty for the newest page.
    pub async fn messages(&self, conversation: Uuid, query: &str) -> Result<MessageList> {
        let path = format!("/v1/conversations/{conversation}/messages?{query}");
        self.read(&path).await
    }

    /// The whole history, page by page.
    pub async fn history(&self, conversation: Uuid) -> Result<Vec<protocol::value::Message>> {
        let mut history = Vec::new();
        let mut after = 0;
        loop {
            let page = self.messages(conversation, &format!("after={after}&limit=200")).await?;
            let Some(last) = page.items.last() else { return Ok(history) };
            if last.seq <= after {
                return Err(Failure::new(format!("the page after {after} does not come after it")));
            }
            after = last.seq;
            history.extend(page.items);
            if !page.has_more_after {
                return Ok(history);
            }
        }
    }

    pub async fn changes(&self, conversation: Uuid, after: i64) -> Result<ChangeList> {
        let path = format!("/v1/conversations/{conversation}/changes?after={after}&limit=200");
        self.read(&path).await
    }

    pub async fn ticket(&self) -> Result<SocketTicket> {
        let request = self.request(Method::POST, "/v1/socket-tickets");
        self.api.send_patiently(request).await?.expect(201)
    }

    /// A ticket, and the socket that it opens.
    pub async fn socket(&self) -> Result<Socket> {
        Socket::connect(&self.ticket().await?).await
    }
}

/// A text message of one's own naming.
pub fn text_draft(client_id: Uuid, text: &str) -> MessageDraft {
    MessageDraft {
        client_id: Some(client_id.to_string()),
        text: Some(text.to_owned()),
        ..MessageDraft::default()
    }
}
