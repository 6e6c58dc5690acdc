//! One run, from its plan to its report.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{ClientId, ConversationId, Seq, Title, TraceId, UserId};
use protocol::job::PersistMessagesV1;
use service::port::{PersistQueue, Quarantined, Submission};
use service::{Caller, GroupDraft, InviteTerms};

use crate::book::{Seat, Violation};
use crate::check;
use crate::device::{self, Device, Input};
use crate::invocation::{Patience, invoke};
use crate::people;
use crate::plan::Plan;
use crate::trouble;
use crate::workers;
use crate::world::{Group, World, lock, sleep_ms};

/// How long everything may take to come to rest after healing: a fan-out job that was hidden by
/// a crash comes back after three minutes.
const REST_MOST_MS: u64 = 1_200_000;
/// How long everybody is away before they sync.
const AWAY_MS: u64 = 5_000;
/// The last of four heartbeats leads to a sync.
const FOUR_HEARTBEATS_MS: u64 = 4 * 240_000 + 60_000;

pub struct Report {
    pub seed: u64,
    pub violations: Vec<Violation>,
    pub faults: BTreeMap<(&'static str, &'static str), u64>,
    /// Empty unless the plan keeps it.
    pub log: Vec<String>,
    pub stored: usize,
}

/// One thread, one seed, virtual time.
pub fn run(plan: Plan) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let world = World::new(plan);
        play(&world).await;
        Report {
            seed: world.plan.seed,
            violations: world.book.violations(),
            faults: world.faults(),
            log: world.log(),
            stored: world.book.read(|r| r.versions.len()),
        }
    })
}

async fn play(world: &Arc<World>) {
    world.say(|| format!("{:?}", world.plan));
    let callers = people(world).await;
    workers::start(world);
    open_conversations(world, &callers).await;
    bring_devices(world, &callers);
    sleep_ms(5_000).await;
    world.set_calm(world.plan.flavour == crate::plan::Flavour::Poison);
    people::live(world).await;
    if world.book.is_violated() {
        return;
    }
    trouble::heal(world);
    rest(world).await;
    check::at_rest(world);
    if !world.book.is_violated() && !world.lane.quarantined().is_empty() {
        replay_quarantine(world).await;
        rest(world).await;
        check::at_rest(world);
    }
    if world.book.is_violated() {
        return;
    }
    come_back(world).await;
    rest(world).await;
    check::at_rest(world);
}

/// Everybody is away for a moment, and syncs.
async fn come_back(world: &Arc<World>) {
    world.devices().iter().for_each(|device| device.tell(Input::Offline));
    sleep_ms(AWAY_MS).await;
    world.devices().iter().for_each(|device| device.tell(Input::Online));
}

async fn people(world: &Arc<World>) -> Vec<Caller> {
    let office = testkit::world::World {
        history: world.history.clone(),
        entropy: world.entropy.clone(),
        ..testkit::world::World::new()
    };
    let mut callers = Vec::new();
    for number in 0..world.plan.users {
        callers.push(office.person(&format!("person{number}")).await);
    }
    callers
}

async fn open_conversations(world: &Arc<World>, callers: &[Caller]) {
    for number in 0..world.plan.groups {
        let owner = callers[number % callers.len()];
        let is_wanted = |other: &&Caller| **other != owner && world.chance.roll(850);
        let members: Vec<UserId> =
            callers.iter().filter(is_wanted).map(|other| other.user_id()).collect();
        let draft = GroupDraft {
            client_id: ClientId(world.chance.uuid()),
            title: Title::parse("a group").unwrap(),
            member_ids: members,
        };
        let opened = invoke(world, "create-conversation", Patience::Request, |ports| async move {
            ports.openings().open_group(owner, draft).await.unwrap()
        });
        let id = opened.await.unwrap().conversation.id;
        let made = invoke(world, "create-invite", Patience::Request, |ports| async move {
            ports.invites().create(owner, id, InviteTerms::default()).await.unwrap()
        });
        let invite = made.await.unwrap().token;
        lock(&world.groups).push(Group { id, owner, invite });
        seat_all(world, id);
    }
    for _ in 0..world.plan.directs {
        let one = world.chance.index(callers.len());
        let other = (one + 1 + world.chance.index(callers.len() - 1)) % callers.len();
        let (one, other) = (callers[one], callers[other].user_id());
        let opened = invoke(world, "create-conversation", Patience::Request, |ports| async move {
            ports.openings().open_direct(one, other).await.unwrap()
        });
        let id = opened.await.unwrap().conversation.id;
        lock(&world.directs).push((id, one, other));
        seat_all(world, id);
    }
}

fn seat_all(world: &World, id: ConversationId) {
    for user in world.history.active_members(id) {
        let seat = Seat { joined: Seq::ZERO, marks: Seq::ZERO, left: None };
        world.book.write(|r| r.seats.insert((id, user), vec![seat]));
    }
    let history = world.history.history(id);
    world.book.write(|r| *r.last_seqs.entry(id).or_default());
    if world.book.read(|r| r.last_seqs.get(&id) == Some(&0)) {
        history.iter().for_each(|message| world.book.version(world, message));
    }
}

fn bring_devices(world: &Arc<World>, callers: &[Caller]) {
    let mut devices = Vec::new();
    for (number, caller) in callers.iter().enumerate() {
        for _ in 0..world.plan.devices_each {
            let name = format!("{number}/{}", devices.len());
            let (device, inputs) = Device::new(world.plan.seed, devices.len(), name, *caller);
            tokio::spawn(device::live(Arc::clone(world), Arc::clone(&device), inputs));
            devices.push(device);
        }
    }
    // Set once, before anybody looks.
    let _ = world.devices.set(devices);
}

/// Until nothing is under way, and four heartbeats more.
async fn rest(world: &Arc<World>) {
    let begun = world.now_ms();
    let is_settled = || {
        let lanes = world.lane.lane_length() + world.fan_out.length() + world.receipts.length();
        let unsettled = world.devices().iter().map(|device| lock(&device.core).unsettled());
        lanes + unsettled.sum::<usize>() == 0
    };
    while !is_settled() && world.now_ms() < begun + REST_MOST_MS && !world.book.is_violated() {
        sleep_ms(1_000).await;
    }
    if !world.book.is_violated() {
        sleep_ms(FOUR_HEARTBEATS_MS).await;
    }
    world.say(|| "at rest".to_owned());
}

/// What a person does after the cause is removed: each job goes into the lane again.
async fn replay_quarantine(world: &Arc<World>) {
    let poisoned = std::mem::take(&mut *lock(&world.poisoned));
    poisoned.into_iter().for_each(|client_id| world.history.heal(client_id));
    for job in world.lane.quarantined() {
        world.count("replayed", "quarantine");
        let submissions = submissions(&job);
        let _ = PersistQueue::enqueue(&*world.lane, &submissions).await;
        world.book.accepted(world, &submissions);
    }
}

fn submissions(job: &Quarantined) -> Vec<Submission> {
    let job: PersistMessagesV1 = serde_json::from_str(&job.body).unwrap();
    let (accepted_at, drafts) = job.parse().unwrap();
    let submission = |draft| Submission {
        conversation_id: ConversationId(job.conversation_id),
        sender_id: UserId(job.sender_id),
        draft,
        accepted_at,
        trace_id: TraceId(job.trace_id),
    };
    drafts.into_iter().map(submission).collect()
}
