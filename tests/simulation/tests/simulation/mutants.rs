//! The product with an error in it: what a checker that deserves its name must find.

use std::collections::BTreeMap;
use std::sync::Arc;

use client::core::State;
use domain::{ConnectionId, Message, Seq};
use protocol::frame::{ClientFrame, MessageAccepted, MessageSend, Said, ServerFrame};
use service::port::{Commit, ConnectionStore, Failure, MembershipCopy, Submission, Verdict};
use service::{Announcement, Event, Recipient};
use uuid::Uuid;

use crate::device::{Device, Input};
use crate::network;
use crate::plan::Mutation;
use crate::ports::Ports;
use crate::world::{World, lock, sleep_ms};

/// Frames that the impatient client has in flight in one conversation.
const FRAMES_IN_FLIGHT: usize = 4;

/// Tells the members what is about to be committed.
pub async fn push_first(ports: &Ports, submissions: &[Submission]) {
    let mut next: BTreeMap<_, i64> = ports.world.book.read(|r| r.last_seqs.clone());
    for one in submissions {
        let id = one.conversation_id;
        let history = ports.world.history.history(id);
        if history.iter().any(|message| message.client_id == one.draft.client_id) {
            continue;
        }
        let seq = next.entry(id).or_default();
        *seq += 1;
        let message = foreseen(one, Seq(*seq));
        let members = ports.world.history.active_members(id).into_iter();
        let recipients = members.map(|user_id| Recipient { user_id, joined_seq: Seq::ZERO });
        if let Some(event) = Event::of_new(id, vec![message]) {
            let announcement = Announcement::new(event, recipients.collect());
            let _ = ports.delivery().announce(vec![announcement]).await;
        }
    }
}

/// As it will be, if nothing comes between.
fn foreseen(one: &Submission, seq: Seq) -> Message {
    Message {
        conversation_id: one.conversation_id,
        seq,
        rev: seq,
        client_id: one.draft.client_id,
        sender_id: one.sender_id,
        kind: one.draft.kind,
        text: one.draft.text.clone(),
        reply_to: one.draft.reply_to,
        mentions: one.draft.mentions.clone(),
        reactions: vec![],
        event: None,
        pinned: false,
        sent_at: one.draft.sent_at,
        created_at: one.accepted_at,
        edited_at: None,
        deleted_at: None,
    }
}

/// Whoever was in is told.
pub fn tell_who_left(world: &World, commit: &mut Commit) {
    for (id, recipients) in &mut commit.recipients {
        let ever = world.book.read(|r| r.seats.keys().copied().collect::<Vec<_>>());
        let users = ever.into_iter().filter(|(of, _)| of == id).map(|(_, user)| user);
        for user_id in users {
            if !recipients.iter().any(|one| one.user_id == user_id) {
                recipients.push(Recipient { user_id, joined_seq: Seq::ZERO });
            }
        }
    }
}

/// The same copies, each newer than all before.
pub fn latest(world: &World, copies: &[MembershipCopy]) -> Vec<MembershipCopy> {
    let known = world.live.membership_copies();
    let next = known.iter().map(|copy| copy.version.0).max().unwrap_or(0) + 1;
    copies.iter().map(|copy| MembershipCopy { version: Seq(next), ..*copy }).collect()
}

/// The counter has moved; the rows follow a little later, or with the next delivery.
pub async fn count_first(ports: &Ports, commit: &Commit) -> Result<(), Failure> {
    let place = |message: &Message| (message.conversation_id, message.seq.0);
    let fresh = commit.appended.iter().filter_map(|appended| match &appended.verdict {
        Verdict::Stored(message) => Some(place(message)),
        _ => None,
    });
    let fresh: Vec<_> = fresh.collect();
    lock(&ports.world.unwritten).extend(fresh);
    sleep_ms(ports.world.chance.between(5, 100)).await;
    ports.invocation.before("rows").await?;
    let written = commit.appended.iter().filter_map(|appended| match &appended.verdict {
        Verdict::Stored(message) | Verdict::Known(message) => Some(place(message)),
        Verdict::Rejected(_) => None,
    });
    let written: Vec<_> = written.collect();
    lock(&ports.world.unwritten).retain(|place| !written.contains(place));
    Ok(())
}

/// Whom a push goes to.
pub fn addressee(world: &World, id: &ConnectionId) -> ConnectionId {
    if world.is_mutated(Mutation::WrongSocket) && world.chance.roll(30) {
        let open = world.gateway.open_ids();
        return world.chance.pick(&open).unwrap_or(id).clone();
    }
    id.clone()
}

/// However young it is.
pub async fn prune_young(world: &World, id: &ConnectionId) {
    if let Ok(Some(connection)) = world.live.get(id).await {
        let _ = world.live.prune(&connection).await;
    }
}

/// The frame as if it followed what is known.
pub fn without_gap(core: &State, mut frame: ServerFrame) -> ServerFrame {
    if let Said::MessageNew(messages) | Said::MessageChanged(messages) = &mut frame.said {
        messages.after = messages.after.min(core.cursor(messages.conversation_id));
    }
    frame
}

/// Frames that the core believes to be accepted and that nobody has accepted yet.
#[derive(Default)]
pub struct Impatient {
    in_flight: BTreeMap<Uuid, Uuid>,
    held: Vec<(u64, ClientFrame)>,
}

impl Impatient {
    /// `true`: it answers a frame of which the core does not know.
    pub fn heard(&mut self, frame: &ServerFrame) -> bool {
        let Some(id) = frame.in_reply_to else { return false };
        let is_accepted = matches!(frame.said, Said::MessageAccepted(_));
        let is_ours = self.in_flight.contains_key(&id);
        if is_accepted {
            self.in_flight.remove(&id);
        }
        is_ours
    }
}

/// Says it without waiting for what was said before, up to four frames.
pub fn say_at_once(world: &Arc<World>, device: &Arc<Device>, socket: u64, frame: ClientFrame) {
    let Ok(send) = serde_json::from_value::<MessageSend>(frame.data.clone()) else { return };
    let Ok((conversation, drafts)) = send.parse() else { return };
    let mut impatient = lock(&device.impatient);
    let under_way = impatient.in_flight.values().filter(|id| **id == conversation.0).count();
    if under_way >= FRAMES_IN_FLIGHT {
        impatient.held.push((socket, frame));
        return;
    }
    impatient.in_flight.insert(frame.id, conversation.0);
    drop(impatient);
    let client_ids = drafts.iter().map(|draft| draft.client_id.0).collect();
    let accepted = MessageAccepted { conversation_id: conversation.0, client_ids };
    let said = Said::MessageAccepted(accepted);
    let in_reply_to = Some(frame.id);
    let answer = ServerFrame { id: world.chance.uuid(), in_reply_to, said };
    // The core is told first, so that the true answer is not taken for it.
    lock(&device.core).heard(socket, answer, world.now_ms());
    device.tell(Input::Wake);
    tokio::spawn(insist(Arc::clone(world), Arc::clone(device), socket, frame));
}

/// Again and again until it is accepted; then the next one that waits.
async fn insist(world: Arc<World>, device: Arc<Device>, socket: u64, frame: ClientFrame) {
    for _ in 0..200 {
        let newest = world.gateway.open_of(&device).map_or(socket, |(_, number)| number);
        network::say(&world, &device, newest, frame.clone());
        for _ in 0..10 {
            sleep_ms(200).await;
            if !lock(&device.impatient).in_flight.contains_key(&frame.id) {
                let next = {
                    let mut impatient = lock(&device.impatient);
                    (!impatient.held.is_empty()).then(|| impatient.held.remove(0))
                };
                if let Some((socket, frame)) = next {
                    say_at_once(&world, &device, socket, frame);
                }
                return;
            }
        }
    }
}
