//! API Gateway: sockets, the pushes to them and the frames from them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::{ConnectionId, Timestamp, UserId};
use protocol::frame::{Said, ServerFrame};
use service::port::PushOutcome;
use service::{Connection, Event};
use uuid::Uuid;

use crate::device::{Device, Input};
use crate::invocation::{Patience, invoke};
use crate::wire;
use crate::world::{World, lock, sleep_ms};

/// API Gateway ends every socket at this age, and one that is silent for so long.
const AGE_MOST_MS: u64 = 7_200_000;
const SILENCE_MOST_MS: u64 = 600_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketState {
    /// `$connect` is under way or just answered; a push is answered 410.
    Opening,
    Open,
    /// The way to the client is cut, and nobody here has noticed: a push is answered 200.
    Severed,
    Closed,
}

pub struct Socket {
    pub device: Arc<Device>,
    /// The client's own number of it.
    pub number: u64,
    pub state: SocketState,
    opened_ms: u64,
    used_ms: u64,
    closed_at: Option<Timestamp>,
    /// When the service last granted this connection a lease.
    pub leased_ms: u64,
}

#[derive(Default)]
pub struct Gateway {
    sockets: Mutex<BTreeMap<ConnectionId, Socket>>,
}

impl Gateway {
    /// A socket that `$connect` is about to be asked for.
    pub fn begin(&self, world: &World, device: &Arc<Device>, number: u64) -> ConnectionId {
        let mut sockets = lock(&self.sockets);
        let id = format!("socket-{:04}", sockets.len() + 1);
        let id = ConnectionId::parse(id).unwrap();
        let now = world.now_ms();
        let socket = Socket {
            device: Arc::clone(device),
            number,
            state: SocketState::Opening,
            opened_ms: now,
            used_ms: now,
            closed_at: None,
            leased_ms: now,
        };
        sockets.insert(id.clone(), socket);
        id
    }

    pub fn with<T>(&self, id: &ConnectionId, f: impl FnOnce(&mut Socket) -> T) -> Option<T> {
        lock(&self.sockets).get_mut(id).map(f)
    }

    fn find(&self, device: &Device, number: u64) -> Option<ConnectionId> {
        let sockets = lock(&self.sockets);
        let of = |socket: &Socket| socket.device.index == device.index && socket.number == number;
        sockets.iter().find(|(_, socket)| of(socket)).map(|(id, _)| id.clone())
    }

    /// Every socket that somebody can be told something through.
    pub fn open_ids(&self) -> Vec<ConnectionId> {
        let sockets = lock(&self.sockets);
        let open = sockets.iter().filter(|(_, socket)| socket.state == SocketState::Open);
        open.map(|(id, _)| id.clone()).collect()
    }

    pub fn open_of(&self, device: &Device) -> Option<(ConnectionId, u64)> {
        let sockets = lock(&self.sockets);
        let open = sockets.iter().filter(|(_, socket)| socket.state == SocketState::Open);
        let mut own = open.filter(|(_, socket)| socket.device.index == device.index);
        own.next_back().map(|(id, socket)| (id.clone(), socket.number))
    }

    /// Connections of these users that a stale read may still show.
    pub fn closed_within(
        &self,
        now: Timestamp,
        age: Duration,
        users: &[UserId],
    ) -> Vec<Connection> {
        let sockets = lock(&self.sockets);
        let is_stale = |socket: &Socket| {
            let lately = socket.closed_at.is_some_and(|at| now.since(at) < age);
            lately && users.contains(&socket.device.user())
        };
        let stale = sockets.iter().filter(|(_, socket)| is_stale(socket));
        let connection = |(id, socket): (&ConnectionId, &Socket)| Connection {
            id: id.clone(),
            identity: socket.device.caller.identity(),
            since: now.minus(Duration::from_secs(60)),
            seen_at: now,
        };
        stale.map(connection).collect()
    }

    /// `POST @connections`
    pub fn push(&self, world: &Arc<World>, id: &ConnectionId, event: &Event) -> PushOutcome {
        let now = world.now_ms();
        let found = self.with(id, |socket| {
            socket.used_ms = now;
            (socket.state, Arc::clone(&socket.device), socket.number)
        });
        let Some((state, device, number)) = found else { return PushOutcome::Gone };
        match state {
            SocketState::Opening => {
                world.count("410 before the socket is open", "push");
                return PushOutcome::Gone;
            }
            SocketState::Closed => {
                world.count("410", "push");
                return PushOutcome::Gone;
            }
            SocketState::Severed => {
                world.count("push into a cut socket", "push");
                return PushOutcome::Delivered;
            }
            SocketState::Open => {}
        }
        world.say(|| format!("push to {id} (user {}): {}", device.name, brief(event)));
        world.book.pushed(world, device.user(), event);
        let rates = world.rates();
        if world.chance.roll(rates.push_lost) {
            world.count("push lost", "push");
            return PushOutcome::Delivered;
        }
        let twice = world.chance.roll(rates.push_doubled);
        if twice {
            world.count("push doubled", "push");
        }
        for _ in 0..1 + usize::from(twice) {
            tell(world, &device, number, None, wire::said(event), "push");
        }
        PushOutcome::Delivered
    }

    /// Ends a socket from this side; the client hears of it.
    pub fn close(&self, world: &Arc<World>, id: &ConnectionId, why: &'static str) {
        self.end(world, id, why, true);
    }

    /// The client ends it.
    pub fn hang_up(&self, world: &Arc<World>, device: &Device, number: u64) {
        let Some(id) = self.find(device, number) else { return };
        // A goodbye through a cut way is not heard.
        if self.with(&id, |socket| socket.state) != Some(SocketState::Severed) {
            self.end(world, &id, "the client", false);
        }
    }

    fn end(&self, world: &Arc<World>, id: &ConnectionId, why: &'static str, tell_client: bool) {
        let now = world.now();
        let ended = self.with(id, |socket| {
            let was = std::mem::replace(&mut socket.state, SocketState::Closed);
            socket.closed_at.get_or_insert(now);
            (was, Arc::clone(&socket.device), socket.number)
        });
        let Some((was, device, number)) = ended.filter(|(was, ..)| *was != SocketState::Closed)
        else {
            return;
        };
        world.say(|| format!("{id} closed by {why}"));
        if tell_client && was == SocketState::Open {
            let world = Arc::clone(world);
            tokio::spawn(async move {
                sleep_ms(world.chance.between(1, 30)).await;
                device.tell(Input::Closed(number));
            });
        }
        if was != SocketState::Opening {
            tokio::spawn(disconnected(Arc::clone(world), id.clone()));
        }
    }

    /// The way to the client is cut. Each side may notice at once, late, or never.
    pub fn cut(&self, world: &Arc<World>, id: &ConnectionId) {
        let cut = self.with(id, |socket| {
            let was = std::mem::replace(&mut socket.state, SocketState::Severed);
            (was, Arc::clone(&socket.device), socket.number)
        });
        let Some((SocketState::Open, device, number)) = cut else { return };
        world.count("socket cut", "network");
        let (world, id) = (Arc::clone(world), id.clone());
        let client_in = world.chance.roll(700).then(|| world.chance.between(1, 8_000));
        let gateway_in = world.chance.roll(600).then(|| world.chance.between(1, 20_000));
        if let Some(ms) = client_in {
            tokio::spawn(async move {
                sleep_ms(ms).await;
                device.tell(Input::Closed(number));
            });
        }
        if let Some(ms) = gateway_in {
            tokio::spawn(async move {
                sleep_ms(ms).await;
                world.gateway.close(&world, &id, "a cut");
            });
        }
    }

    /// Ends what is too old or silent for too long.
    pub fn end_the_old(&self, world: &Arc<World>) {
        let now = world.now_ms();
        let mut due: Vec<(ConnectionId, &'static str)> = Vec::new();
        for (id, socket) in lock(&self.sockets).iter() {
            let is_live = matches!(socket.state, SocketState::Open | SocketState::Severed);
            if is_live && now >= socket.opened_ms + AGE_MOST_MS {
                due.push((id.clone(), "its age"));
            } else if is_live && now >= socket.used_ms + SILENCE_MOST_MS {
                due.push((id.clone(), "silence"));
            }
        }
        for (id, why) in due {
            world.count("socket ended by the gateway", why);
            self.close(world, &id, why);
        }
    }

    /// A frame has come; `None` when the socket is not open.
    pub fn reach(&self, world: &World, device: &Device, number: u64) -> Option<ConnectionId> {
        let id = self.find(device, number)?;
        let now = world.now_ms();
        let is_open = self.with(&id, |socket| {
            socket.used_ms = now;
            socket.state == SocketState::Open
        });
        is_open.unwrap_or(false).then_some(id)
    }
}

/// `$disconnect` is best effort.
async fn disconnected(world: Arc<World>, id: ConnectionId) {
    let rates = world.rates();
    if world.chance.roll(rates.disconnect_missing) {
        world.count("no $disconnect", "gateway");
        return;
    }
    if world.chance.roll(rates.disconnect_late) {
        world.count("late $disconnect", "gateway");
        sleep_ms(world.chance.between(1_000, 60_000)).await;
    } else {
        sleep_ms(world.chance.between(5, 200)).await;
    }
    invoke(&world, "socket-disconnect", Patience::Request, |ports| async move {
        let _ = ports.closings().disconnect(&id).await;
    })
    .await;
}

/// A frame on its way to a device.
pub fn tell(
    world: &Arc<World>,
    device: &Arc<Device>,
    number: u64,
    in_reply_to: Option<Uuid>,
    said: Said,
    what: &'static str,
) {
    let frame = ServerFrame { id: world.chance.uuid(), in_reply_to, said };
    let ms = way(world, what);
    let device = Arc::clone(device);
    tokio::spawn(async move {
        sleep_ms(ms).await;
        device.tell(Input::Heard(number, frame));
    });
}

/// How long something is on its way.
pub fn way(world: &World, what: &'static str) -> u64 {
    if world.chance.roll(world.rates().slow_way) {
        world.count("slow way", what);
        world.chance.between(100, 4_000)
    } else {
        world.chance.between(5, 60)
    }
}

fn brief(event: &Event) -> String {
    match event {
        Event::MessagesNew { conversation_id, after, through, .. } => {
            format!("new ({after}, {through}] of {}", short(conversation_id.0))
        }
        Event::MessagesChanged { conversation_id, through, .. } => {
            format!("changed {through} of {}", short(conversation_id.0))
        }
        Event::MessageRejected { client_id, rejection, .. } => {
            format!("rejected {} {}", short(client_id.0), rejection.code())
        }
        Event::ConversationChanged { .. } => "conversation".to_owned(),
        Event::ConversationRemoved { conversation_id } => {
            format!("out of {}", short(conversation_id.0))
        }
        Event::ContactChanged { status, .. } => format!("contact {}", status.as_str()),
        Event::ReceiptUpdated { conversation_id, marks } => {
            format!("{} receipts of {}", marks.len(), short(conversation_id.0))
        }
        Event::Typing { .. } => "typing".to_owned(),
        Event::PresenceChanged { .. } => "presence".to_owned(),
        Event::Nudge { last_seq, .. } => format!("nudge {last_seq}"),
        Event::Bye { reason, .. } => format!("bye {reason}"),
        Event::Error { code, .. } => format!("error {code}"),
    }
}

/// Enough of an id to be told apart in a log.
pub fn short(id: Uuid) -> String {
    let text = id.simple().to_string();
    text[24..].to_owned()
}
