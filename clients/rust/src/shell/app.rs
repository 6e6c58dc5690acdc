//! One running app.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol::frame::ClientFrame;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};

use super::wire::{Heard, Wire, WireError, WireSocket};
use crate::core::{Action, Answer, Ask, State};

/// Frames that wait for one socket. What does not fit is lost, and noticed by its missing answer.
const FRAMES_WAITING: usize = 256;
/// A close is a courtesy.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);
/// Complaints that are kept.
const COMPLAINTS_MOST: usize = 100;

/// A core that runs. It ends with the value, and its sockets with it.
pub struct App {
    shared: Arc<Shared>,
    driver: JoinHandle<()>,
}

/// What the handle, the driver and the tasks of sockets and requests have in common.
struct Shared {
    state: Mutex<State>,
    begun: Instant,
    /// Something was told: look what is due.
    wake: Notify,
    changed: watch::Sender<u64>,
    lines: Mutex<BTreeMap<u64, Line>>,
    /// Sockets that are open or being opened.
    alive: watch::Sender<usize>,
    complaints: Mutex<Vec<String>>,
}

/// The way to the task of one socket.
struct Line {
    frames: mpsc::Sender<ClientFrame>,
    task: AbortHandle,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl App {
    /// Runs this core over this wire, within a tokio runtime. It stays offline until told to
    /// connect.
    pub fn start<W: Wire>(wire: W, state: State) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            begun: Instant::now(),
            wake: Notify::new(),
            changed: watch::Sender::new(0),
            lines: Mutex::default(),
            alive: watch::Sender::new(0),
            complaints: Mutex::default(),
        });
        let driver = tokio::spawn(drive(Arc::clone(&shared), Arc::new(wire)));
        Self { shared, driver }
    }

    /// Tells the core something, with the time.
    pub fn tell<T>(&self, tell: impl FnOnce(&mut State, u64) -> T) -> T {
        self.shared.tell(tell)
    }

    /// Looks at the core.
    pub fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&locked(&self.shared.state))
    }

    /// The time that the core is told, in milliseconds.
    pub fn now(&self) -> u64 {
        self.shared.now()
    }

    pub fn connect(&self) {
        self.tell(State::connect);
    }

    /// Closes the socket and stays offline.
    pub fn disconnect(&self) {
        self.tell(State::disconnect);
    }

    /// As [`Self::disconnect`]; what was said before is on its way when this returns.
    pub async fn close(self) {
        self.disconnect();
        let mut alive = self.shared.alive.subscribe();
        // Who does not take the close is left alone.
        let _ = timeout(CLOSE_PATIENCE * 2, alive.wait_for(|alive| *alive == 0)).await;
    }

    /// Ends every socket without a word, as a tunnel does. The core opens another, unless it was
    /// told to be offline.
    pub fn cut(&self) {
        let lines = std::mem::take(&mut *locked(&self.shared.lines));
        for (socket, line) in lines {
            line.task.abort();
            self.tell(|state, now| state.closed(socket, now));
        }
    }

    /// Changes whenever the core may have changed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// Waits until the core is such that `is_so`, for ever if need be.
    pub async fn until(&self, is_so: impl Fn(&State) -> bool) {
        let mut changes = self.changes();
        while !self.look(&is_so) {
            // The sender lives as long as `self`.
            let _ = changes.changed().await;
        }
    }

    /// Frames that nobody understood.
    pub fn complaints(&self) -> Vec<String> {
        locked(&self.shared.complaints).clone()
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Shared {
    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn tell<T>(&self, tell: impl FnOnce(&mut State, u64) -> T) -> T {
        let told = tell(&mut locked(&self.state), self.now());
        self.wake.notify_one();
        told
    }

    fn complain(&self, why: String) {
        let mut complaints = locked(&self.complaints);
        if complaints.len() < COMPLAINTS_MOST {
            complaints.push(why);
        }
    }

    fn heard(&self, socket: u64, heard: Heard) {
        match heard {
            Heard::Frame(frame) => self.tell(|state, now| state.heard(socket, *frame, now)),
            Heard::Gateway => self.tell(|state, now| state.gateway_failed(socket, now)),
            Heard::Unreadable(why) => {
                self.complain(why);
                self.wake.notify_one();
            }
            Heard::Closed => self.closed(socket, None),
        }
    }

    fn closed(&self, socket: u64, error: Option<&WireError>) {
        locked(&self.lines).remove(&socket);
        self.tell(|state, now| {
            if error == Some(&WireError::SignedOut) {
                state.session_ended("signed_out");
            }
            state.closed(socket, now);
        });
    }
}

/// Does what is due, again and again. When it is aborted, its tasks are.
async fn drive<W: Wire>(shared: Arc<Shared>, wire: Arc<W>) {
    let mut tasks = JoinSet::new();
    loop {
        let (actions, wait) = {
            let mut state = locked(&shared.state);
            let now = shared.now();
            let actions = state.due(now);
            (actions, state.next_wake(now).map(|at| at.saturating_sub(now)))
        };
        actions.into_iter().for_each(|action| act(action, &shared, &wire, &mut tasks));
        while tasks.try_join_next().is_some() {}
        shared.changed.send_modify(|count| *count = count.wrapping_add(1));
        match wait {
            Some(wait) => tokio::select! {
                () = shared.wake.notified() => {}
                () = sleep(Duration::from_millis(wait)) => {}
            },
            None => shared.wake.notified().await,
        }
    }
}

fn act<W: Wire>(action: Action, shared: &Arc<Shared>, wire: &Arc<W>, tasks: &mut JoinSet<()>) {
    match action {
        Action::OpenSocket { socket } => {
            let (frames, said) = mpsc::channel(FRAMES_WAITING);
            let life = live(Alive::begin(shared), Arc::clone(wire), socket, said);
            // Held until the line is there, so that a socket that ends at once finds it.
            let mut lines = locked(&shared.lines);
            let task = tasks.spawn(life);
            lines.insert(socket, Line { frames, task });
        }
        Action::CloseSocket { socket } => {
            // Its task closes the socket when nobody can tell it anything any more.
            locked(&shared.lines).remove(&socket);
        }
        Action::Say { socket, frame } => {
            if let Some(line) = locked(&shared.lines).get(&socket) {
                let _ = line.frames.try_send(frame);
            }
        }
        Action::Ask { request, ask } => {
            let (shared, wire) = (Arc::clone(shared), Arc::clone(wire));
            tasks.spawn(async move {
                let answer = answer(&*wire, ask).await;
                shared.tell(|state, now| {
                    if answer == Err(WireError::SignedOut) {
                        state.session_ended("signed_out");
                    }
                    state.answered(request, answer.map_err(|error| error.as_ask_error()), now);
                });
            });
        }
    }
}

async fn answer<W: Wire>(wire: &W, ask: Ask) -> Result<Answer, WireError> {
    match ask {
        Ask::Sync { cursor } => wire.sync(cursor).await.map(Answer::Sync),
        Ask::Changes { conversation, after } => {
            wire.changes(conversation, after).await.map(Answer::Changes)
        }
        Ask::Receipts { conversation } => wire.receipts(conversation).await.map(Answer::Receipts),
    }
}

/// Counts one socket for as long as it lives.
struct Alive(Arc<Shared>);

impl Alive {
    fn begin(shared: &Arc<Shared>) -> Self {
        shared.alive.send_modify(|alive| *alive += 1);
        Self(Arc::clone(shared))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.alive.send_modify(|alive| *alive -= 1);
    }
}

/// One socket, from its ticket to its end.
async fn live<W: Wire>(
    alive: Alive,
    wire: Arc<W>,
    number: u64,
    mut said: mpsc::Receiver<ClientFrame>,
) {
    let shared = Arc::clone(&alive.0);
    let mut socket = match wire.open().await {
        Ok(socket) => socket,
        Err(error) => return shared.closed(number, Some(&error)),
    };
    shared.tell(|state, now| state.opened(number, now));
    loop {
        tokio::select! {
            heard = socket.hear() => {
                let is_end = heard == Heard::Closed;
                shared.heard(number, heard);
                if is_end {
                    return;
                }
            }
            frame = said.recv() => match frame {
                Some(frame) => if socket.say(&frame).await.is_err() {
                    return shared.closed(number, None);
                },
                None => {
                    let _ = timeout(CLOSE_PATIENCE, socket.close()).await;
                    return;
                }
            },
        }
    }
}
