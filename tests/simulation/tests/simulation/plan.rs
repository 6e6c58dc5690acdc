//! What a seed decides before anything happens: who is there, what goes wrong and how often.

use crate::chance::Chance;

/// How often each thing goes wrong, in a thousand.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rates {
    /// A port fails and does nothing.
    pub fail_before: u64,
    /// A port does its effect and fails.
    pub fail_after: u64,
    /// The whole invocation ends before a port's effect.
    pub crash_before: u64,
    pub crash_after: u64,
    /// A port takes up to three seconds.
    pub delay: u64,
    /// A worker hangs for longer than the visibility timeout.
    pub stall: u64,
    /// A transaction is given up by its client and commits later.
    pub late_commit: u64,
    /// A push is answered 200 and lost.
    pub push_lost: u64,
    pub push_doubled: u64,
    /// 429
    pub push_refused: u64,
    /// A frame or an answer takes so long that others overtake it.
    pub slow_way: u64,
    pub frame_lost: u64,
    pub frame_doubled: u64,
    pub answer_lost: u64,
    /// The socket opens seconds after `$connect` was answered.
    pub slow_open: u64,
    pub disconnect_late: u64,
    pub disconnect_missing: u64,
    pub stale_read: u64,
    pub job_doubled: u64,
    pub job_late: u64,
}

/// What is special about a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flavour {
    Usual,
    /// More people and sockets than one worker tells itself.
    Crowd,
    /// Postgres is away for ten minutes and more.
    LongOutage,
    /// So long that API Gateway ends sockets for their age.
    TwoHours,
    /// Nothing goes wrong but poisoned and deadly messages.
    Poison,
}

/// Errors that the checker must find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutation {
    /// A client has four frames in flight in a conversation.
    FourInFlight,
    /// The counter is raised in a transaction of its own, before the rows are written.
    CounterOutside,
    /// Members are told before the commit.
    PushFirst,
    /// A 410 prunes a connection of any age.
    PruneYoung,
    /// A push goes to a socket of somebody else.
    WrongSocket,
    /// A client applies pushes that leave a gap.
    IgnoresGaps,
    /// A batch is deleted when it is received.
    DeleteFirst,
    /// A client says that it has more than it has.
    ClaimsTooMuch,
    /// Members who left go on being told.
    TellsWhoLeft,
    /// Nothing notes that the copy of a membership is owed.
    ForgetsCopies,
    /// A copy that is written late takes the place of a newer one.
    LateCopyWins,
}

/// One run.
#[derive(Debug, Clone)]
pub struct Plan {
    pub seed: u64,
    pub flavour: Flavour,
    pub mutation: Option<Mutation>,
    pub users: usize,
    pub devices_each: usize,
    pub groups: usize,
    pub directs: usize,
    pub chaos_ms: u64,
    /// The longest pause between two things that people do.
    pub pause_ms: u64,
    pub rates: Rates,
    /// How often, in a thousand, the next thing that happens is a trouble of the larger kind.
    pub trouble: u64,
    /// The persist lane has one worker, which always takes as much as there is.
    pub has_full_batches: bool,
    pub keep_log: bool,
}

impl Plan {
    pub fn of(seed: u64) -> Self {
        let chance = Chance::new(seed);
        let flavour = match seed % 16 {
            1 | 9 => Flavour::Crowd,
            4 => Flavour::LongOutage,
            7 => Flavour::TwoHours,
            12 => Flavour::Poison,
            _ => Flavour::Usual,
        };
        let is_crowd = flavour == Flavour::Crowd;
        let users = if is_crowd { chance.between(12, 16) } else { chance.between(2, 5) };
        let devices = if is_crowd { 2 } else { chance.between(1, 2) };
        let chaos_ms = match flavour {
            Flavour::Crowd => chance.between(20_000, 60_000),
            Flavour::Usual | Flavour::Poison => chance.between(60_000, 240_000),
            Flavour::LongOutage => chance.between(720_000, 900_000),
            Flavour::TwoHours => chance.between(7_500_000, 8_100_000),
        };
        let pause_ms = match flavour {
            Flavour::Crowd => 3_000,
            Flavour::Usual | Flavour::Poison => chance.between(1_000, 6_000),
            Flavour::LongOutage => 25_000,
            Flavour::TwoHours => 180_000,
        };
        Self {
            seed,
            flavour,
            mutation: None,
            users: users as usize,
            devices_each: devices as usize,
            groups: match flavour {
                Flavour::Crowd => 1,
                Flavour::Poison => 4,
                _ => chance.between(1, 2) as usize,
            },
            directs: chance.between(0, 2) as usize,
            chaos_ms,
            pause_ms,
            rates: rates(&chance, flavour),
            trouble: if flavour == Flavour::Poison { 0 } else { chance.between(20, 160) },
            has_full_batches: chance.roll(if flavour == Flavour::Poison { 500 } else { 150 }),
            keep_log: false,
        }
    }

    pub fn mutated(seed: u64, mutation: Mutation) -> Self {
        Self { mutation: Some(mutation), ..Self::of(seed) }
    }
}

/// Every kind of fault is absent from a third of the runs, so that the others can be seen alone.
fn rates(chance: &Chance, flavour: Flavour) -> Rates {
    if flavour == Flavour::Poison {
        return Rates::default();
    }
    // A crowd has so many steps that at the usual rates nothing would ever end well.
    let share = if flavour == Flavour::Crowd { 3 } else { 1 };
    let rate = |most: u64| {
        let drawn = chance.between(1, most);
        if chance.roll(333) { 0 } else { drawn.div_ceil(share) }
    };
    Rates {
        fail_before: rate(40),
        fail_after: rate(30),
        crash_before: rate(20),
        crash_after: rate(20),
        delay: rate(60),
        stall: rate(15),
        late_commit: rate(60),
        push_lost: rate(150),
        push_doubled: rate(150),
        push_refused: rate(80),
        slow_way: rate(150),
        frame_lost: rate(60),
        frame_doubled: rate(60),
        answer_lost: rate(80),
        slow_open: rate(600),
        disconnect_late: rate(500),
        disconnect_missing: rate(400),
        stale_read: rate(300) * share,
        job_doubled: rate(200),
        job_late: rate(200),
    }
}
