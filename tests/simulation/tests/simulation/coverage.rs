//! What must have gone wrong over enough seeds. A simulation in which nothing happens proves
//! nothing.

use std::collections::BTreeMap;

/// Kinds of faults by where they happened.
pub type Faults = BTreeMap<(&'static str, &'static str), u64>;

/// Anywhere.
const ANY: &str = "";

/// The failures of the delivery design, in its order, and the wider ones of this simulation.
const MUST_HAPPEN: [(&str, &str); 79] = [
    ("crash before", "enqueue"),
    ("crash after", "enqueue"),
    ("crash before", "append"),
    ("crash after", "append"),
    ("crash before", "push"),
    ("crash after", "push"),
    ("crash before", "enqueue fan-out"),
    ("crash after", "enqueue fan-out"),
    ("crash before", "delete"),
    ("crash before", "write copies"),
    ("crash after", "write copies"),
    ("crash before", "open"),
    ("crash after", "open"),
    ("crash before", "touch"),
    ("crash before", "raise"),
    ("crash after", "raise"),
    ("crash after", "change"),
    ("crash before", "change group"),
    ("crash after", "change group"),
    ("fail after", "change group"),
    ("redelivery", "lane"),
    ("two invocations of one batch", "lane"),
    ("stall", ANY),
    ("time out", ANY),
    ("one client_id twice in a batch", "append"),
    ("accepted again", "lane"),
    ("known", "append"),
    ("members_added", "members"),
    ("member_joined", "members"),
    ("member_left", "members"),
    ("member_removed", "members"),
    ("title_changed", "members"),
    ("hidden", "members"),
    ("unblocked", "members"),
    ("told to be out when back", "push"),
    ("rejected", "not_a_member"),
    ("rejected", "blocked"),
    ("rejected", "invalid_message"),
    ("quarantined", "lane"),
    ("replayed", "quarantine"),
    ("poison", "post"),
    ("deadly message", "append"),
    ("unstorable", "post"),
    ("table throttled", "dynamodb"),
    ("queues away", "sqs"),
    ("database away", "postgres"),
    ("ten minutes without database", "postgres"),
    ("410", "push"),
    ("410 before the socket is open", "push"),
    ("push into a cut socket", "push"),
    ("push lost", "push"),
    ("push doubled", "push"),
    ("push refused", "push"),
    ("slow way", "push"),
    ("slow way", "frame"),
    ("slow way", "answer"),
    ("frame lost", "network"),
    ("frame doubled", "network"),
    ("answer lost", "socket-message"),
    ("answer lost", "http"),
    ("gateway error", "socket-message"),
    ("gateway error", "socket-heartbeat"),
    ("socket cut", "network"),
    ("out of reach", "network"),
    ("switched off", "device"),
    ("slow open", "gateway"),
    ("late $disconnect", "gateway"),
    ("no $disconnect", "gateway"),
    ("socket ended by the gateway", "silence"),
    ("stale read", "of users"),
    ("late commit", "append"),
    ("fail before", "append"),
    ("fail after", "append"),
    ("fail after", "enqueue"),
    ("job doubled", "fan-out"),
    ("job late", "fan-out"),
    ("older copy written later", "copies"),
    ("copies repaired", "sweep"),
    ("nudged", "sweep"),
];

pub fn add(all: &mut Faults, some: &Faults) {
    for (key, count) in some {
        *all.entry(*key).or_default() += count;
    }
}

/// What never happened.
pub fn missing(faults: &Faults) -> Vec<(&'static str, &'static str)> {
    let happened = |kind: &str, point: &str| {
        faults.keys().any(|(k, p)| *k == kind && (point == ANY || *p == point))
    };
    MUST_HAPPEN.into_iter().filter(|(kind, point)| !happened(kind, point)).collect()
}
