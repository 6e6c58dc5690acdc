//! An app: the pure rules of [`state`] with a socket and HTTP around them.

mod room;
pub mod state;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol::body::ChangeList;
use protocol::value::Message;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use crate::{Client, Failure, Heard, Result, Socket, unique_id};
use state::{Action, State};

/// How often patience is looked at.
const TICK: Duration = Duration::from_millis(50);
/// Before another try to open a socket.
const RECONNECT_DELAY: Duration = Duration::from_millis(200);
/// Calls that wait for the app at one time.
const CALLS: usize = 1_000;

/// What comes to a running app from within its process.
enum Call {
    /// Something was put into the outbox.
    Wake,
    /// The socket is cut without a word; `true`: and not opened again for now.
    Cut {
        stay_offline: bool,
    },
    GoOnline,
    Fetched {
        conversation: Uuid,
        changes: Result<ChangeList>,
    },
}

/// One running app of one session. It ends with the value, cutting its socket.
pub struct Device {
    client: Client,
    state: Arc<Mutex<State>>,
    calls: mpsc::Sender<Call>,
    changed: watch::Receiver<u64>,
    task: JoinHandle<()>,
}

impl Device {
    /// An app that follows these conversations; its socket is open when this returns.
    ///
    /// # Errors
    /// No socket could be opened.
    pub async fn start(client: &Client, conversations: &[Uuid]) -> Result<Self> {
        let socket = client.socket().await?;
        let mut state = State::new(client.id());
        conversations.iter().for_each(|conversation| state.follow(*conversation, 0));
        let state = Arc::new(Mutex::new(state));
        let (calls, called) = mpsc::channel(CALLS);
        let (tell, changed) = watch::channel(0);
        let app = App {
            client: client.clone(),
            state: Arc::clone(&state),
            calls: calls.clone(),
            tell,
            begun: Instant::now(),
            wants_socket: true,
        };
        let task = tokio::spawn(app.run(socket, called));
        Ok(Self { client: client.clone(), state, calls, changed, task })
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Into the outbox; answers the message's client id.
    pub fn post(&self, conversation: Uuid, text: &str) -> Uuid {
        let client_id = unique_id();
        locked(&self.state).post(conversation, client_id, text);
        self.call(Call::Wake);
        client_id
    }

    /// Cuts the socket as a tunnel does; the app opens another at once.
    pub fn cut_socket(&self) {
        self.call(Call::Cut { stay_offline: false });
    }

    /// Cuts the socket and stays offline.
    pub fn go_offline(&self) {
        self.call(Call::Cut { stay_offline: true });
    }

    pub fn go_online(&self) {
        self.call(Call::GoOnline);
    }

    fn call(&self, call: Call) {
        // When too many calls wait, the next tick does what a wake-up would.
        let _ = self.calls.try_send(call);
    }

    /// Looks at the app's state.
    pub fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&locked(&self.state))
    }

    pub fn transcript(&self, conversation: Uuid) -> Vec<Message> {
        self.look(|state| state.transcript(conversation).to_vec())
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
        let mut changed = self.changed.clone();
        let waits = async {
            while !self.look(&is_so) {
                if let Some(complaint) = self.look(|state| state.complaints().first().cloned()) {
                    return Err(Failure::new(complaint));
                }
                if changed.changed().await.is_err() {
                    return Err(Failure::new(format!("the app ended before: {what}")));
                }
            }
            Ok(())
        };
        timeout(within, waits).await.unwrap_or_else(|_| {
            let name = &self.client.account().username;
            let state = self.look(summary);
            Err(Failure::new(format!("within {within:?} {name} did not see: {what}; {state}")))
        })
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn summary(state: &State) -> String {
    let text = format!("{state:?}");
    let short: String = text.chars().take(1_500).collect();
    format!("online: {}, unsettled: {}, {short}", state.is_online(), state.unsettled())
}

/// The running side of a [`Device`].
struct App {
    client: Client,
    state: Arc<Mutex<State>>,
    calls: mpsc::Sender<Call>,
    tell: watch::Sender<u64>,
    begun: Instant,
    wants_socket: bool,
}

impl App {
    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    async fn run(mut self, socket: Socket, mut called: mpsc::Receiver<Call>) {
        let mut socket = Some(socket);
        locked(&self.state).opened(self.now());
        loop {
            if socket.is_none() && self.wants_socket {
                socket = self.reopen().await;
            }
            let ended = match &mut socket {
                Some(open) => tokio::select! {
                    heard = open.hear(Instant::now() + TICK) => self.heard(heard.ok()),
                    call = called.recv() => self.called(call),
                },
                None => tokio::select! {
                    () = sleep(TICK) => false,
                    call = called.recv() => self.called(call),
                },
            };
            if ended && socket.take().is_some() {
                locked(&self.state).lost();
            }
            if !self.act(socket.as_mut()).await && socket.take().is_some() {
                locked(&self.state).lost();
            }
            self.tell.send_modify(|count| *count += 1);
        }
    }

    async fn reopen(&self) -> Option<Socket> {
        match self.client.socket().await {
            Ok(socket) => {
                locked(&self.state).opened(self.now());
                Some(socket)
            }
            Err(_) => {
                sleep(RECONNECT_DELAY).await;
                None
            }
        }
    }

    /// `true` when the socket has ended.
    fn heard(&self, heard: Option<Heard>) -> bool {
        let now = self.now();
        match heard {
            Some(Heard::Frame(frame)) => locked(&self.state).heard(*frame, now),
            Some(Heard::Gateway(_)) => locked(&self.state).gateway_failed(now),
            Some(Heard::Closed(_)) => return true,
            Some(Heard::Undocumented(why)) => locked(&self.state).complain(why),
            None => {}
        }
        false
    }

    /// `true` when the socket shall end.
    fn called(&mut self, call: Option<Call>) -> bool {
        let now = self.now();
        match call {
            Some(Call::Cut { stay_offline }) => {
                self.wants_socket = !stay_offline;
                return true;
            }
            Some(Call::GoOnline) => self.wants_socket = true,
            Some(Call::Fetched { conversation, changes: Ok(changes) }) => {
                locked(&self.state).fetched(conversation, changes, now);
            }
            Some(Call::Fetched { conversation, changes: Err(_) }) => {
                locked(&self.state).fetch_failed(conversation, now);
            }
            Some(Call::Wake) | None => {}
        }
        false
    }

    /// Does what is due; `false` when the socket did not take it.
    async fn act(&self, mut socket: Option<&mut Socket>) -> bool {
        let due = locked(&self.state).due(self.now());
        for action in due {
            match action {
                Action::Say(frame) => {
                    let Some(socket) = socket.as_mut() else { continue };
                    if socket.say_client_frame(&frame).await.is_err() {
                        return false;
                    }
                }
                Action::Fetch { conversation, after } => self.fetch(conversation, after),
            }
        }
        true
    }

    fn fetch(&self, conversation: Uuid, after: i64) {
        let (client, calls) = (self.client.clone(), self.calls.clone());
        tokio::spawn(async move {
            let changes = client.changes(conversation, after).await;
            // The app may have ended meanwhile.
            let _ = calls.send(Call::Fetched { conversation, changes }).await;
        });
    }
}
