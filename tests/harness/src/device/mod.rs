//! An app as the stories use it: the reference client over a wire that holds every answer and
//! every frame to the documents.

mod wire;

use std::time::Duration;

use ::client::core::{Settings, State, Tick};
use ::client::shell::App;
use protocol::value::Message;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::{Client, Failure, Result, WAIT, unique_id};
use wire::DocumentedWire;

/// Of the protocol.
const HEARTBEAT: Duration = Duration::from_secs(240);

/// One running app of one session. It ends with the value, cutting its socket.
pub struct Device {
    client: Client,
    app: App,
    notes: wire::Notes,
}

impl Device {
    /// An app that follows these conversations; its socket is open when this returns.
    ///
    /// # Errors
    /// No socket could be opened.
    pub async fn start(client: &Client, conversations: &[Uuid]) -> Result<Self> {
        let seed = unique_id().as_u64_pair().0;
        Self::start_with(client, conversations, seed, HEARTBEAT).await
    }

    /// As [`Self::start`]; the app's jitter is of this seed, and its heart beats so often.
    ///
    /// # Errors
    /// No socket could be opened.
    pub async fn start_with(
        client: &Client,
        conversations: &[Uuid],
        seed: u64,
        heartbeat: Duration,
    ) -> Result<Self> {
        let heartbeat_ms = u64::try_from(heartbeat.as_millis()).unwrap_or(u64::MAX);
        let settings = Settings { seed, heartbeat_ms, ..Settings::default() };
        let mut state = State::new(client.id(), settings);
        conversations.iter().for_each(|conversation| state.follow(*conversation, 0));
        state.connect(0);
        let wire = DocumentedWire::of(client);
        let notes = wire.notes();
        let device = Self { client: client.clone(), app: App::start(wire, state), notes };
        device.until("its first socket", WAIT, State::is_online).await?;
        Ok(device)
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The app itself.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Into the outbox; answers the message's client id.
    pub fn post(&self, conversation: Uuid, text: &str) -> Uuid {
        let client_id = unique_id();
        self.app.tell(|state, now| state.post_text(conversation, client_id, text, now));
        client_id
    }

    /// Everything up to this number was seen by the person.
    pub fn mark_read(&self, conversation: Uuid, seq: i64) {
        self.app.tell(|state, now| state.mark_read(conversation, seq, now));
    }

    /// A key was pressed, or the person stopped.
    pub fn set_typing(&self, conversation: Uuid, is_active: bool) {
        self.app.tell(|state, now| state.set_typing(conversation, is_active, now));
    }

    /// `online`, `away`, `dnd` or `invisible`.
    pub fn set_presence(&self, status: &str) {
        self.app.tell(|state, _| state.set_presence(status));
    }

    /// The people on the screen.
    pub fn watch(&self, users: &[Uuid]) {
        self.app.tell(|state, now| state.watch_presence(users, now));
    }

    /// Cuts the socket as a tunnel does; the app opens another by itself.
    pub fn cut_socket(&self) {
        self.app.cut();
    }

    /// Cuts the socket and stays offline.
    pub fn go_offline(&self) {
        self.app.cut();
        self.app.disconnect();
    }

    pub fn go_online(&self) {
        self.app.connect();
    }

    /// Looks at the app's state.
    pub fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        self.app.look(look)
    }

    pub fn transcript(&self, conversation: Uuid) -> Vec<Message> {
        self.look(|state| state.transcript(conversation).to_vec())
    }

    /// Who types there, as the screen shows it now.
    pub fn typists(&self, conversation: Uuid) -> Vec<Uuid> {
        let now = self.app.now();
        self.look(|state| state.typists(conversation, now))
    }

    /// What stands beside an own message of this number.
    pub fn tick(&self, conversation: Uuid, seq: i64) -> Tick {
        self.look(|state| state.tick(conversation, seq))
    }

    /// Waits until the app's state is such that `is_so`.
    ///
    /// # Errors
    /// It is not, `within` this time; the error shows the state.
    pub async fn until(
        &self,
        what: &str,
        within: Duration,
        is_so: impl Fn(&State) -> bool,
    ) -> Result<()> {
        let until = Instant::now() + within;
        let mut changes = self.app.changes();
        while !self.look(&is_so) {
            if let Some(complaint) =
                self.app.complaints().first().or(self.notes.complaint().as_ref())
            {
                return Err(Failure::new(complaint));
            }
            if timeout_at(until, changes.changed()).await.is_err() {
                return Err(self.missed(what, within));
            }
        }
        Ok(())
    }

    fn missed(&self, what: &str, within: Duration) -> Failure {
        let name = &self.client.account().username;
        let trouble = self.notes.last_trouble().unwrap_or_default();
        let state = self.look(|state| {
            let text: String = format!("{state:?}").chars().take(8_000).collect();
            format!("online: {}, unsettled: {}, {text}", state.is_online(), state.unsettled())
        });
        Failure::new(format!("within {within:?} {name} did not see: {what}; {trouble}; {state}"))
    }
}
