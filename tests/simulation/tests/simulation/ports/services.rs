//! The services over these ports, as the composition root of each function builds them.

use std::sync::Arc;

use domain::{TokenBucket, limits};
use service::port::{
    Acquaintances, BlockStore, Clock, ConnectionStore, ConversationStore, Entropy, FanOutQueue,
    GroupStore, MembershipCopies, MessageChanges, MessageStore, PersistLane, PersistQueue,
    PresenceQueue, PresenceStore, PushLog, Pusher, RateLimiter, ReceiptQueue, ReceiptStore,
    SendGate, SyncFeed, TicketStore, Upkeep,
};
use service::{
    Admissions, Archive, Blocking, Blocks, CatchUp, Closings, Delivery, FanOut, Groups, Hangup,
    Heartbeats, History, Invites, Messages, Openings, PresenceAnnouncements, PresencePartings,
    PresenceWatches, Presences, ReceiptBook, ReceiptMarks, Receipts, Revisions, SocketMessages,
    SocketReceipts, Sweep, Telling, Tickets, Turnout, Upgrades,
};

use super::Ports;

/// Gives `Arc<dyn Port>` of a port under its own name.
macro_rules! ports {
    ($($name:ident: $port:ty),+ $(,)?) => {$(
        fn $name(&self) -> Arc<$port> {
            Arc::new(self.clone())
        }
    )+};
}

impl Ports {
    ports! {
        acquaintances: dyn Acquaintances,
        block_store: dyn BlockStore,
        changes: dyn MessageChanges,
        connections: dyn ConnectionStore,
        conversations: dyn ConversationStore,
        copies: dyn MembershipCopies,
        fan_out_queue: dyn FanOutQueue,
        feed: dyn SyncFeed,
        gate: dyn SendGate,
        group_store: dyn GroupStore,
        lane: dyn PersistLane,
        limiter: dyn RateLimiter,
        persist_queue: dyn PersistQueue,
        presence_queue: dyn PresenceQueue,
        presence_store: dyn PresenceStore,
        push_log: dyn PushLog,
        pusher: dyn Pusher,
        receipt_queue: dyn ReceiptQueue,
        receipt_store: dyn ReceiptStore,
        store: dyn MessageStore,
        ticket_store: dyn TicketStore,
        upkeep: dyn Upkeep,
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.world.clock.clone()
    }

    fn entropy(&self) -> Arc<dyn Entropy> {
        self.world.entropy.clone()
    }

    pub fn hangup(&self) -> Hangup {
        Hangup { connections: self.connections(), pusher: self.pusher(), clock: self.clock() }
    }

    fn turnout(&self) -> Turnout {
        Turnout { presences: self.presence_store(), queue: self.presence_queue() }
    }

    pub fn delivery(&self) -> Delivery {
        Delivery {
            connections: self.connections(),
            pusher: self.pusher(),
            fan_out: self.fan_out_queue(),
            push_log: self.push_log(),
            clock: self.clock(),
        }
    }

    pub fn tickets(&self) -> Tickets {
        Tickets {
            sessions: self.world.history.clone(),
            tickets: self.ticket_store(),
            limiter: self.limiter(),
            entropy: self.entropy(),
            clock: self.clock(),
        }
    }

    pub fn upgrades(&self) -> Upgrades {
        Upgrades {
            tickets: self.ticket_store(),
            connections: self.connections(),
            turnout: self.turnout(),
            hangup: self.hangup(),
            entropy: self.entropy(),
            clock: self.clock(),
        }
    }

    pub fn closings(&self) -> Closings {
        Closings { connections: self.connections(), turnout: self.turnout(), clock: self.clock() }
    }

    pub fn heartbeats(&self) -> Heartbeats {
        Heartbeats {
            connections: self.connections(),
            sessions: self.world.history.clone(),
            conversations: self.conversations(),
            hangup: self.hangup(),
            pusher: self.pusher(),
            entropy: self.entropy(),
            clock: self.clock(),
            bye_after: limits::BYE_AFTER,
        }
    }

    pub fn socket_messages(&self) -> SocketMessages {
        let (per_second, burst) = (limits::MESSAGES_PER_SECOND, limits::MESSAGES_BURST);
        let messages = Messages {
            gate: self.gate(),
            limiter: self.limiter(),
            queue: self.persist_queue(),
            entropy: self.entropy(),
            clock: self.clock(),
            bucket: TokenBucket::per_second(per_second, burst),
        };
        SocketMessages { messages, hangup: self.hangup() }
    }

    pub fn socket_receipts(&self) -> SocketReceipts {
        let receipts = Receipts { gate: self.gate(), queue: self.receipt_queue() };
        SocketReceipts { receipts, hangup: self.hangup() }
    }

    pub fn receipt_book(&self) -> ReceiptBook {
        ReceiptBook {
            store: self.receipt_store(),
            push_log: self.push_log(),
            delivery: self.delivery(),
        }
    }

    pub fn receipt_marks(&self) -> ReceiptMarks {
        ReceiptMarks { store: self.receipt_store() }
    }

    pub fn archive(&self) -> Archive {
        Archive {
            history: self.store(),
            lane: self.lane(),
            delivery: self.delivery(),
            clock: self.clock(),
        }
    }

    pub fn fan_out(&self) -> FanOut {
        FanOut { delivery: self.delivery() }
    }

    pub fn history(&self) -> History {
        History { store: self.store() }
    }

    pub fn catch_up(&self) -> CatchUp {
        CatchUp { feed: self.feed() }
    }

    pub fn revisions(&self) -> Revisions {
        Revisions {
            changes: self.changes(),
            fan_out: self.fan_out_queue(),
            limiter: self.limiter(),
            clock: self.clock(),
            bucket: TokenBucket::per_second(limits::MESSAGES_PER_SECOND, limits::MESSAGES_BURST),
        }
    }

    pub fn openings(&self) -> Openings {
        Openings {
            conversations: self.conversations(),
            telling: Telling {
                copies: self.copies(),
                upkeep: self.upkeep(),
                fan_out: self.fan_out_queue(),
            },
            limiter: self.limiter(),
            entropy: self.entropy(),
            clock: self.clock(),
            bucket: TokenBucket::per_hour(limits::CONVERSATIONS_PER_HOUR),
        }
    }

    pub fn groups(&self) -> Groups {
        Groups {
            groups: self.group_store(),
            telling: Telling {
                copies: self.copies(),
                upkeep: self.upkeep(),
                fan_out: self.fan_out_queue(),
            },
            limiter: self.limiter(),
            entropy: self.entropy(),
            clock: self.clock(),
            bucket: TokenBucket::per_second(limits::MESSAGES_PER_SECOND, limits::MESSAGES_BURST),
        }
    }

    /// Invites are made before anything goes wrong.
    pub fn invites(&self) -> Invites {
        Invites {
            invites: self.world.history.clone(),
            limiter: self.limiter(),
            entropy: self.entropy(),
            clock: self.clock(),
        }
    }

    pub fn admissions(&self) -> Admissions {
        Admissions { groups: self.groups(), limiter: self.limiter() }
    }

    pub fn blocks(&self) -> Blocks {
        Blocks { blocks: self.block_store() }
    }

    pub fn blocking(&self) -> Blocking {
        let partings = PresencePartings {
            presences: self.presence_store(),
            fan_out: self.fan_out_queue(),
            clock: self.clock(),
        };
        Blocking { blocks: self.block_store(), partings, clock: self.clock() }
    }

    pub fn sweep(&self) -> Sweep {
        Sweep {
            upkeep: self.upkeep(),
            copies: self.copies(),
            delivery: self.delivery(),
            nudge_after: limits::NUDGE_AFTER,
        }
    }

    pub fn presence_watches(&self) -> PresenceWatches {
        let presences = Presences {
            acquaintances: self.acquaintances(),
            presences: self.presence_store(),
            clock: self.clock(),
        };
        PresenceWatches {
            presences,
            connections: self.connections(),
            queue: self.presence_queue(),
            limiter: self.limiter(),
            hangup: self.hangup(),
        }
    }

    pub fn presence_announcements(&self) -> PresenceAnnouncements {
        PresenceAnnouncements {
            presences: self.presence_store(),
            queue: self.presence_queue(),
            delivery: self.delivery(),
            clock: self.clock(),
        }
    }
}
