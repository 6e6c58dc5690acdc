//! A device: the client's core, and a shell that is as unreliable as the seed wants.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use client::core::{Action, Answer, AskError, Settings, State};
use domain::UserId;
use protocol::frame::ServerFrame;
use service::Caller;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use uuid::Uuid;

use crate::mutants::Impatient;
use crate::network;
use crate::plan::Mutation;
use crate::world::{World, lock};

/// What a device is told.
pub enum Input {
    Opened(u64),
    Closed(u64),
    Heard(u64, ServerFrame),
    GatewayFailed(u64),
    Answered(u64, Result<Answer, AskError>),
    Post {
        conversation: Uuid,
        client_id: Uuid,
        text: String,
    },
    Read {
        conversation: Uuid,
        seq: i64,
    },
    Watch(Vec<Uuid>),
    Online,
    Offline,
    /// Nothing but a reason to look at what is due.
    Wake,
}

pub struct Device {
    pub index: usize,
    /// Of the user, in logs.
    pub name: String,
    pub caller: Caller,
    pub core: Mutex<State>,
    /// Without it nothing gets out or in.
    pub has_network: AtomicBool,
    pub impatient: Mutex<Impatient>,
    inputs: UnboundedSender<Input>,
}

impl Device {
    /// With the inputs to be worked through by [`live`].
    pub fn new(
        seed: u64,
        index: usize,
        name: String,
        caller: Caller,
    ) -> (Arc<Self>, UnboundedReceiver<Input>) {
        let (inputs, received) = unbounded_channel();
        let seed = seed.wrapping_mul(1_000).wrapping_add(index as u64);
        let settings = Settings { seed, ..Settings::default() };
        let device = Self {
            index,
            name,
            caller,
            core: Mutex::new(State::new(caller.user_id().0, settings)),
            has_network: AtomicBool::new(true),
            impatient: Mutex::default(),
            inputs,
        };
        (Arc::new(device), received)
    }

    pub fn user(&self) -> UserId {
        self.caller.user_id()
    }

    pub fn tell(&self, input: Input) {
        // A device whose run is over hears nothing.
        let _ = self.inputs.send(input);
    }

    pub fn has_network(&self) -> bool {
        self.has_network.load(Ordering::Relaxed)
    }

    fn hear(&self, world: &World, input: Input, now: u64) {
        let mut core = lock(&self.core);
        match input {
            Input::Opened(number) => core.opened(number, now),
            Input::Closed(number) => core.closed(number, now),
            Input::Heard(number, frame) => {
                if lock(&self.impatient).heard(&frame) {
                    return;
                }
                let frame = if world.is_mutated(Mutation::IgnoresGaps) {
                    crate::mutants::without_gap(&core, frame)
                } else {
                    frame
                };
                core.heard(number, frame, now);
            }
            Input::GatewayFailed(number) => core.gateway_failed(number, now),
            Input::Answered(request, answer) => core.answered(request, answer, now),
            Input::Post { conversation, client_id, text } => {
                core.post_text(conversation, client_id, &text, now);
            }
            Input::Read { conversation, seq } => core.mark_read(conversation, seq, now),
            Input::Watch(users) => {
                core.watch_presence(&users, now);
            }
            Input::Online => core.connect(now),
            Input::Offline => core.disconnect(now),
            Input::Wake => {}
        }
    }
}

/// The life of a device.
pub async fn live(world: Arc<World>, device: Arc<Device>, mut inputs: UnboundedReceiver<Input>) {
    device.tell(Input::Online);
    loop {
        let wake = lock(&device.core).next_wake(world.now_ms());
        let rest = async {
            match wake {
                Some(at) => {
                    crate::world::sleep_ms(at.saturating_sub(world.now_ms()).max(1)).await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            input = inputs.recv() => match input {
                Some(input) => device.hear(&world, input, world.now_ms()),
                None => return,
            },
            () = rest => {}
        }
        let actions = lock(&device.core).due(world.now_ms());
        for action in actions {
            perform(&world, &device, action);
        }
        world.book.stepped(&world, &device);
    }
}

fn perform(world: &Arc<World>, device: &Arc<Device>, action: Action) {
    match action {
        Action::OpenSocket { socket } => {
            tokio::spawn(network::open(Arc::clone(world), Arc::clone(device), socket));
        }
        Action::CloseSocket { socket } => world.gateway.hang_up(world, device, socket),
        Action::Say { socket, frame } => {
            if world.is_mutated(Mutation::FourInFlight) && frame.frame_type == "message.send" {
                crate::mutants::say_at_once(world, device, socket, frame);
                return;
            }
            network::say(world, device, socket, frame);
        }
        Action::Ask { request, ask } => {
            tokio::spawn(network::ask(Arc::clone(world), Arc::clone(device), request, ask));
        }
    }
}
