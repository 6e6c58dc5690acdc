//! What lies between a device and the functions.

use std::sync::Arc;

use client::core::{Answer, Ask, AskError};
use domain::{ConnectionId, ConversationId, Seq, limits};
use protocol::frame::{
    ClientFrame, HeartbeatData, HeartbeatOk, MessageAccepted, MessageSend, Nudge, PresenceChanged,
    PresenceWatch, ReceiptData, Said,
};
use serde_json::Value;
use service::port::ConnectionStore;
use service::{Error, Progress};

use crate::device::{Device, Input};
use crate::gateway::{SocketState, tell, way};
use crate::invocation::{Patience, invoke};
use crate::plan::Mutation;
use crate::ports::Ports;
use crate::wire;
use crate::world::{World, sleep_ms};

/// Takes a ticket and opens a socket with it.
pub async fn open(world: Arc<World>, device: Arc<Device>, number: u64) {
    sleep_ms(way(&world, "ticket")).await;
    if !try_open(&world, &device, number).await {
        sleep_ms(world.chance.between(5, 60)).await;
        device.tell(Input::Closed(number));
    }
}

async fn try_open(world: &Arc<World>, device: &Arc<Device>, number: u64) -> bool {
    if !device.has_network() {
        return false;
    }
    let caller = device.caller;
    let ticket = invoke(world, "create-socket-ticket", Patience::Request, |ports| async move {
        ports.tickets().issue(caller).await.ok()
    });
    let Some(Some(ticket)) = ticket.await else { return false };
    sleep_ms(way(world, "upgrade")).await;
    let id = world.gateway.begin(world, device, number);
    world.say(|| format!("{id} is opened by {} as {number}", device.name));
    let connected = {
        let id = id.clone();
        invoke(world, "socket-connect", Patience::Request, |ports| async move {
            ports.upgrades().connect(id, &ticket).await.is_ok()
        })
    };
    if connected.await != Some(true) {
        world.gateway.with(&id, |socket| socket.state = SocketState::Closed);
        return false;
    }
    if world.chance.roll(world.rates().slow_open) {
        world.count("slow open", "gateway");
        sleep_ms(world.chance.between(200, 3_000)).await;
    }
    let is_reached = device.has_network();
    let opened = world.gateway.with(&id, |socket| {
        let is_opening = socket.state == SocketState::Opening;
        if is_opening {
            socket.state = if is_reached { SocketState::Open } else { SocketState::Severed };
        }
        is_opening && is_reached
    });
    if opened != Some(true) {
        return false;
    }
    sleep_ms(world.chance.between(1, 30)).await;
    device.tell(Input::Opened(number));
    true
}

/// A frame on its way to a function.
pub fn say(world: &Arc<World>, device: &Arc<Device>, number: u64, frame: ClientFrame) {
    let rates = world.rates();
    if !device.has_network() || world.chance.roll(rates.frame_lost) {
        world.count("frame lost", "network");
        return;
    }
    let twice = world.chance.roll(rates.frame_doubled);
    if twice {
        world.count("frame doubled", "network");
    }
    for _ in 0..1 + usize::from(twice) {
        let ms = way(world, "frame");
        let (world, device, frame) = (Arc::clone(world), Arc::clone(device), frame.clone());
        tokio::spawn(async move {
            sleep_ms(ms).await;
            if let Some(id) = world.gateway.reach(&world, &device, number) {
                handle(&world, &device, number, id, frame).await;
            }
        });
    }
}

async fn handle(
    world: &Arc<World>,
    device: &Arc<Device>,
    number: u64,
    id: ConnectionId,
    frame: ClientFrame,
) {
    let in_reply_to = Some(frame.id);
    let function =
        if frame.frame_type == "heartbeat" { "socket-heartbeat" } else { "socket-message" };
    let done = invoke(world, function, Patience::Request, |ports| async move {
        answer(&ports, &id, &frame.frame_type, frame.data).await
    });
    let said = match done.await {
        Some(Ok(said)) => said,
        Some(Err(error)) => Some(wire::refused(&error)),
        None => {
            world.count("gateway error", function);
            sleep_ms(world.chance.between(5, 60)).await;
            device.tell(Input::GatewayFailed(number));
            return;
        }
    };
    let Some(said) = said else { return };
    if world.chance.roll(world.rates().answer_lost) {
        world.count("answer lost", function);
        return;
    }
    tell(world, device, number, in_reply_to, said, "answer");
}

/// A frame that our own client has written.
macro_rules! read {
    ($data:expr, $name:ty) => {
        serde_json::from_value::<$name>($data).unwrap().parse().unwrap()
    };
}

/// What the functions of the area `socket` do with a frame.
async fn answer(
    ports: &Ports,
    id: &ConnectionId,
    frame_type: &str,
    data: Value,
) -> Result<Option<Said>, Error> {
    match frame_type {
        "message.send" => {
            let (conversation_id, drafts) = read!(data, MessageSend);
            let client_ids = drafts.iter().map(|draft| draft.client_id.0).collect();
            ports.socket_messages().send(id, conversation_id, drafts).await?;
            let conversation_id = conversation_id.0;
            Ok(Some(Said::MessageAccepted(MessageAccepted { conversation_id, client_ids })))
        }
        "receipt" => {
            let (conversation_id, progress) = read!(data, ReceiptData);
            let more = if ports.world.is_mutated(Mutation::ClaimsTooMuch) { 2 } else { 0 };
            let delivered = progress.delivered.map(|seq| Seq(seq.0 + more));
            let progress = Progress { delivered, read: progress.read };
            ports.socket_receipts().claim(id, conversation_id, progress).await?;
            Ok(None)
        }
        "presence.watch" => {
            let people = read!(data, PresenceWatch);
            let users = ports.presence_watches().watch(id, &people).await?;
            let users = users.iter().map(wire::presence).collect();
            Ok(Some(Said::PresenceChanged(PresenceChanged { users })))
        }
        "heartbeat" => heartbeat(ports, id, read!(data, HeartbeatData)).await.map(Some),
        _ => Ok(None),
    }
}

async fn heartbeat(
    ports: &Ports,
    id: &ConnectionId,
    cursors: Vec<(ConversationId, Seq)>,
) -> Result<Said, Error> {
    let world = &ports.world;
    let begun = world.now_ms();
    let beat = ports.heartbeats().beat(id, &cursors).await;
    let is_known = matches!(world.live.get(id).await, Ok(Some(_)));
    if beat.is_ok() && is_known {
        world.gateway.with(id, |socket| socket.leased_ms = begun);
    }
    let beat = beat?;
    let nudge = |behind: service::port::Behind| Nudge {
        conversation_id: behind.conversation_id.0,
        last_seq: behind.last_seq.0,
    };
    let behind = beat.behind.into_iter().map(nudge).collect();
    Ok(Said::HeartbeatOk(HeartbeatOk { now: beat.now.to_string(), behind }))
}

/// A request over HTTP.
pub async fn ask(world: Arc<World>, device: Arc<Device>, request: u64, ask: Ask) {
    sleep_ms(way(&world, "request")).await;
    let answer = if device.has_network() {
        let caller = device.caller;
        let done = invoke(&world, "http", Patience::Request, |ports| async move {
            answer_ask(&ports, caller, ask).await
        });
        done.await.unwrap_or(Err(AskError::Failed))
    } else {
        Err(AskError::Failed)
    };
    if world.chance.roll(world.rates().answer_lost) {
        world.count("answer lost", "http");
        return;
    }
    sleep_ms(way(&world, "response")).await;
    device.tell(Input::Answered(request, answer));
}

async fn answer_ask(ports: &Ports, caller: service::Caller, ask: Ask) -> Result<Answer, AskError> {
    let failed = |error: Error| match error {
        Error::NotFound { .. } => AskError::Gone,
        Error::Gone { .. } => AskError::Expired,
        _ => AskError::Failed,
    };
    // Small pages, so that there are many.
    let limit = u32::try_from(ports.world.chance.between(1, 20)).unwrap_or(limits::PAGE_DEFAULT);
    match ask {
        Ask::Sync { cursor } => {
            let page = ports.catch_up().sync(caller, cursor.as_deref(), limit).await;
            Ok(Answer::Sync(wire::sync(&page.map_err(failed)?)))
        }
        Ask::Changes { conversation, after } => {
            let id = ConversationId(conversation);
            let page = ports.history().changes(caller, id, Seq(after), limit).await;
            Ok(Answer::Changes(wire::changes(&page.map_err(failed)?)))
        }
        Ask::Receipts { conversation } => {
            let id = ConversationId(conversation);
            let marks = ports.receipt_marks().of_members(caller, id).await.map_err(failed)?;
            Ok(Answer::Receipts(wire::all_marks(&marks)))
        }
    }
}
