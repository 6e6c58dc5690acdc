//! The tests.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::coverage::{self, Faults};
use crate::plan::{Mutation, Plan};
use crate::run::run;
use crate::world::lock;

/// The last events before a violation that are told.
const EVENTS_TOLD: usize = 60;

/// Runs the seed once more, since nothing was written down.
fn describe(plan: &Plan) -> String {
    let report = run(Plan { keep_log: true, ..plan.clone() });
    let mut text = String::new();
    for violation in &report.violations {
        let (seed, number) = (report.seed, violation.invariant);
        let at = violation.at_ms as f64 / 1_000.0;
        let what = &violation.what;
        let _ = writeln!(text, "seed {seed}: invariant {number} at {at:.3} s: {what}");
    }
    let first = report.log.iter().position(|line| line.contains("VIOLATION")).unwrap_or(0);
    for event in &report.log[first.saturating_sub(EVENTS_TOLD)..first] {
        let _ = writeln!(text, "    {event}");
    }
    text
}

#[expect(clippy::disallowed_methods, reason = "the knobs of a run that a person starts")]
fn knob(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Half the seeds of a shard would do to see most kinds of faults; all of them see each.
fn all_hold(seeds: std::ops::Range<u64>) {
    let (mut stored, mut faults) = (0, Faults::new());
    let (begun, count) = (seeds.start, seeds.end - seeds.start);
    for seed in seeds {
        let plan = Plan::of(seed);
        let report = run(plan.clone());
        assert!(report.violations.is_empty(), "{}", describe(&plan));
        stored += report.stored;
        coverage::add(&mut faults, &report.faults);
    }
    let troubles: u64 = faults.values().sum();
    println!("{count} seeds from {begun}: {stored} numbers given, {troubles} faults and repeats");
    let missing = coverage::missing(&faults);
    assert!(missing.is_empty(), "these never happened: {missing:?}");
}

// Several tests, so that every core has its share.

#[test]
fn every_invariant_holds_for_the_first_128_seeds() {
    all_hold(0..128);
}

#[test]
fn every_invariant_holds_for_the_second_128_seeds() {
    all_hold(128..256);
}

#[test]
fn every_invariant_holds_for_the_third_128_seeds() {
    all_hold(256..384);
}

#[test]
fn every_invariant_holds_for_the_last_192_seeds() {
    all_hold(384..576);
}

/// `SIM_SEED=17`, and `SIM_MUTATION=0` to see that seed with an error in the product.
#[test]
fn one_seed() {
    let Some(seed) = knob("SIM_SEED") else { return };
    let mutation = knob("SIM_MUTATION").and_then(|n| MUTATIONS.get(usize::try_from(n).ok()?));
    let plan = Plan { keep_log: true, mutation: mutation.copied(), ..Plan::of(seed) };
    let report = run(plan);
    println!("{}", report.log.join("\n"));
    println!("{:#?}", report.faults);
    let without_log = |violation: &crate::book::Violation| (violation.invariant, violation.at_ms);
    let violated: Vec<_> = report.violations.iter().map(without_log).collect();
    let what: Vec<_> = report.violations.iter().map(|violation| &violation.what).collect();
    assert!(violated.is_empty(), "seed {seed}: {violated:?}\n{what:#?}");
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in [3, 4, 9] {
        let plan = || Plan { keep_log: true, ..Plan::of(seed) };
        let (one, other) = (run(plan()), run(plan()));
        let differing = one.log.iter().zip(&other.log).find(|(one, other)| one != other);
        assert_eq!(differing, None, "seed {seed}");
        assert_eq!((one.log.len(), one.faults), (other.log.len(), other.faults));
    }
}

/// Errors in the product, each with the seeds within which the checker must find it.
const MUTATIONS: [Mutation; 11] = [
    Mutation::FourInFlight,
    Mutation::CounterOutside,
    Mutation::PushFirst,
    Mutation::PruneYoung,
    Mutation::WrongSocket,
    Mutation::IgnoresGaps,
    Mutation::DeleteFirst,
    Mutation::ClaimsTooMuch,
    Mutation::TellsWhoLeft,
    Mutation::ForgetsCopies,
    Mutation::LateCopyWins,
];

fn is_caught(mutation: Mutation, seeds: u64) {
    let caught = (0..seeds).map(|seed| run(Plan::mutated(seed, mutation)));
    let caught = caught.into_iter().find(|report| !report.violations.is_empty());
    let Some(report) = caught else {
        panic!("{mutation:?} passed {seeds} seeds: the checker is broken");
    };
    let mut broken: BTreeMap<u8, &str> = BTreeMap::new();
    for violation in &report.violations {
        broken.entry(violation.invariant).or_insert(&violation.what);
    }
    println!("{mutation:?}: caught with seed {}: {broken:?}", report.seed);
}

#[test]
fn four_frames_in_flight_are_caught() {
    is_caught(Mutation::FourInFlight, 40);
}

#[test]
fn a_counter_outside_the_transaction_is_caught() {
    is_caught(Mutation::CounterOutside, 40);
}

#[test]
fn a_push_before_the_commit_is_caught() {
    is_caught(Mutation::PushFirst, 40);
}

#[test]
fn pruning_without_regard_to_age_is_caught() {
    is_caught(Mutation::PruneYoung, 40);
}

#[test]
fn a_push_to_the_wrong_socket_is_caught() {
    is_caught(Mutation::WrongSocket, 40);
}

#[test]
fn a_client_that_ignores_gaps_is_caught() {
    is_caught(Mutation::IgnoresGaps, 40);
}

#[test]
fn a_batch_that_is_deleted_before_it_is_worked_on_is_caught() {
    is_caught(Mutation::DeleteFirst, 40);
}

#[test]
fn a_receipt_for_what_nobody_has_is_caught() {
    is_caught(Mutation::ClaimsTooMuch, 40);
}

#[test]
fn telling_those_who_left_is_caught() {
    is_caught(Mutation::TellsWhoLeft, 40);
}

#[test]
fn a_copy_of_a_membership_that_nobody_repairs_is_caught() {
    is_caught(Mutation::ForgetsCopies, 40);
}

#[test]
fn an_old_copy_in_the_place_of_a_newer_one_is_caught() {
    is_caught(Mutation::LateCopyWins, 40);
}

/// Some more seeds, as many as `scripts/simulate` wants; it goes on after a violation, and sums up.
#[test]
fn many_seeds() {
    let first = knob("SIM_FIRST").unwrap_or(100_000);
    let end = first + knob("SIM_SEEDS").unwrap_or(16);
    let (next, failed) = (AtomicU64::new(first), Mutex::new(Vec::new()));
    let faults = Mutex::new(Faults::new());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(seed) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).filter(|s| *s < end)
                {
                    let report = run(Plan::of(seed));
                    coverage::add(&mut lock(&faults), &report.faults);
                    if let Some(violation) = report.violations.first() {
                        println!("seed {seed}: {}: {}", violation.invariant, violation.what);
                        lock(&failed).push(seed);
                    }
                    if (seed + 1 - first).is_multiple_of(100) {
                        println!("{} of {} seeds", seed + 1 - first, end - first);
                    }
                }
            });
        }
    });
    for ((kind, point), count) in lock(&faults).iter() {
        println!("{count:>10} {kind} ({point})");
    }
    let failed = lock(&failed).clone();
    println!("{} seeds, {} with violations: {failed:?}", end - first, failed.len());
    assert!(failed.is_empty(), "SIM_SEED={} shows the first", failed[0]);
}
