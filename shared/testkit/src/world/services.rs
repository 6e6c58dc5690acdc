//! The services over the fakes.

use std::sync::Arc;

use domain::{TokenBucket, limits};
use service::port::{MessageStore, Pusher};
use service::{
    Archive, CatchUp, Closings, Conversations, Delivery, FanOut, Hangup, Heartbeats, History,
    Messages, Openings, PresenceAnnouncements, PresenceStatus, PresenceWatches, Presences,
    Profiles, Reactors, ReceiptBook, ReceiptMarks, Receipts, Revisions, Sessions, SignOut,
    SocketMessages, SocketReceipts, Sweep, Telling, Tickets, Traces, Turnout, Typing, Upgrades,
};

use super::World;

impl World {
    pub fn sessions(&self) -> Sessions {
        Sessions {
            users: self.history.clone(),
            sessions: self.history.clone(),
            signer: self.tokens.clone(),
            hangup: self.hangup(),
            entropy: self.entropy.clone(),
            clock: self.clock.clone(),
            requires_verified_email: false,
        }
    }

    pub fn sign_out(&self) -> SignOut {
        SignOut { sessions: self.history.clone(), hangup: self.hangup(), clock: self.clock.clone() }
    }

    pub fn profiles(&self) -> Profiles {
        Profiles { users: self.history.clone(), sessions: self.history.clone() }
    }

    pub fn hangup(&self) -> Hangup {
        Hangup {
            connections: self.live.clone(),
            pusher: self.pusher.clone(),
            clock: self.clock.clone(),
        }
    }

    pub fn tickets(&self) -> Tickets {
        Tickets {
            sessions: self.history.clone(),
            tickets: self.live.clone(),
            limiter: self.live.clone(),
            entropy: self.entropy.clone(),
            clock: self.clock.clone(),
        }
    }

    pub fn upgrades(&self) -> Upgrades {
        Upgrades {
            tickets: self.live.clone(),
            connections: self.live.clone(),
            turnout: self.turnout(),
            hangup: self.hangup(),
            entropy: self.entropy.clone(),
            clock: self.clock.clone(),
        }
    }

    pub fn turnout(&self) -> Turnout {
        Turnout { presences: self.live.clone(), queue: self.queues.clone() }
    }

    pub fn heartbeats(&self) -> Heartbeats {
        Heartbeats {
            connections: self.live.clone(),
            sessions: self.history.clone(),
            conversations: self.history.clone(),
            hangup: self.hangup(),
            pusher: self.pusher.clone(),
            entropy: self.entropy.clone(),
            clock: self.clock.clone(),
            bye_after: limits::BYE_AFTER,
        }
    }

    pub fn closings(&self) -> Closings {
        Closings {
            connections: self.live.clone(),
            turnout: self.turnout(),
            clock: self.clock.clone(),
        }
    }

    pub fn messages(&self) -> Messages {
        Messages {
            gate: self.live.clone(),
            limiter: self.live.clone(),
            queue: self.queues.clone(),
            entropy: self.entropy.clone(),
            clock: self.clock.clone(),
            bucket: TokenBucket::per_second(limits::MESSAGES_PER_SECOND, limits::MESSAGES_BURST),
        }
    }

    pub fn socket_messages(&self) -> SocketMessages {
        SocketMessages { messages: self.messages(), hangup: self.hangup() }
    }

    pub fn history(&self) -> History {
        History { store: self.history.clone() }
    }

    pub fn openings(&self) -> Openings {
        Openings {
            conversations: self.history.clone(),
            telling: Telling {
                copies: self.live.clone(),
                upkeep: self.history.clone(),
                fan_out: self.queues.clone(),
            },
            limiter: self.live.clone(),
            entropy: self.entropy.clone(),
            clock: self.clock.clone(),
            bucket: TokenBucket::per_hour(limits::CONVERSATIONS_PER_HOUR),
        }
    }

    pub fn conversations(&self) -> Conversations {
        Conversations { conversations: self.history.clone() }
    }

    pub fn delivery(&self) -> Delivery {
        self.delivery_over(self.pusher.clone())
    }

    /// With another way to the sockets.
    pub fn delivery_over(&self, pusher: Arc<dyn Pusher>) -> Delivery {
        Delivery {
            connections: self.live.clone(),
            pusher,
            fan_out: self.queues.clone(),
            push_log: self.history.clone(),
            clock: self.clock.clone(),
        }
    }

    pub fn fan_out(&self) -> FanOut {
        // It has no database: its notes go through a queue.
        let delivery = Delivery { push_log: self.queues.clone(), ..self.delivery() };
        FanOut { delivery }
    }

    pub fn archive(&self) -> Archive {
        self.archive_over(self.history.clone())
    }

    /// With another history, that fails in its own way.
    pub fn archive_over(&self, history: Arc<dyn MessageStore>) -> Archive {
        Archive {
            history,
            lane: self.queues.clone(),
            delivery: self.delivery(),
            clock: self.clock.clone(),
        }
    }

    pub fn revisions(&self) -> Revisions {
        Revisions {
            changes: self.history.clone(),
            fan_out: self.queues.clone(),
            limiter: self.live.clone(),
            clock: self.clock.clone(),
            bucket: TokenBucket::per_second(limits::MESSAGES_PER_SECOND, limits::MESSAGES_BURST),
        }
    }

    pub fn reactors(&self) -> Reactors {
        Reactors { changes: self.history.clone() }
    }

    pub fn receipts(&self) -> Receipts {
        Receipts { gate: self.live.clone(), queue: self.queues.clone() }
    }

    pub fn socket_receipts(&self) -> SocketReceipts {
        SocketReceipts { receipts: self.receipts(), hangup: self.hangup() }
    }

    pub fn receipt_book(&self) -> ReceiptBook {
        ReceiptBook {
            store: self.history.clone(),
            push_log: self.history.clone(),
            delivery: self.delivery(),
        }
    }

    pub fn receipt_marks(&self) -> ReceiptMarks {
        ReceiptMarks { store: self.history.clone() }
    }

    pub fn typing(&self) -> Typing {
        Typing {
            acquaintances: self.history.clone(),
            connections: self.live.clone(),
            limiter: self.live.clone(),
            delivery: self.delivery(),
            hangup: self.hangup(),
            clock: self.clock.clone(),
        }
    }

    pub fn presences(&self) -> Presences {
        Presences {
            acquaintances: self.history.clone(),
            presences: self.live.clone(),
            clock: self.clock.clone(),
        }
    }

    pub fn presence_watches(&self) -> PresenceWatches {
        PresenceWatches {
            presences: self.presences(),
            connections: self.live.clone(),
            queue: self.queues.clone(),
            limiter: self.live.clone(),
            hangup: self.hangup(),
        }
    }

    pub fn presence_status(&self) -> PresenceStatus {
        PresenceStatus {
            presences: self.live.clone(),
            connections: self.live.clone(),
            queue: self.queues.clone(),
            limiter: self.live.clone(),
            hangup: self.hangup(),
            clock: self.clock.clone(),
        }
    }

    pub fn presence_announcements(&self) -> PresenceAnnouncements {
        PresenceAnnouncements {
            presences: self.live.clone(),
            queue: self.queues.clone(),
            delivery: self.delivery(),
            clock: self.clock.clone(),
        }
    }

    pub fn catch_up(&self) -> CatchUp {
        CatchUp { feed: self.history.clone() }
    }

    pub fn traces(&self) -> Traces {
        Traces { store: self.history.clone() }
    }

    pub fn sweep(&self) -> Sweep {
        Sweep {
            upkeep: self.history.clone(),
            copies: self.live.clone(),
            delivery: self.delivery(),
            nudge_after: limits::NUDGE_AFTER,
        }
    }
}
