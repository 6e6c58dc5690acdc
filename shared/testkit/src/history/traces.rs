//! `PushLog` and `TraceStore`.

use async_trait::async_trait;
use domain::{ConversationId, Seq, Timestamp, UserId};
use service::Trace;
use service::port::{Failure, PushLog, PushRecord, TraceStore};

use super::FakeHistory;

/// What happened to the numbers in (after, through].
pub(super) struct Note {
    pub(super) conversation_id: ConversationId,
    pub(super) kind: NoteKind,
    pub(super) after: Seq,
    pub(super) through: Seq,
    pub(super) at: Timestamp,
}

pub(super) enum NoteKind {
    /// To so many sockets.
    Pushed(u32),
    Delivered(UserId),
    Read(UserId),
}

#[async_trait]
impl PushLog for FakeHistory {
    async fn record(&self, pushes: &[PushRecord]) -> Result<(), Failure> {
        let now = self.clock.now();
        let note = |push: &PushRecord| {
            let PushRecord { conversation_id, after, through, devices, at } = *push;
            let at = at.map_or(now, |at| at.min(now));
            Note { conversation_id, kind: NoteKind::Pushed(devices), after, through, at }
        };
        self.reach()?.notes.extend(pushes.iter().map(note));
        Ok(())
    }
}

#[async_trait]
impl TraceStore for FakeHistory {
    async fn trace(
        &self,
        user: UserId,
        conversation_id: ConversationId,
        seq: Seq,
    ) -> Result<Option<Trace>, Failure> {
        let state = self.reach()?;
        let Some((room, _)) = state.room_of(user, conversation_id) else { return Ok(None) };
        let message = room.place_of(seq).map(|place| &room.messages[place]);
        let found = message.filter(|m| m.sender_id == user).zip(room.stamps.get(&seq));
        let Some((message, stamp)) = found else { return Ok(None) };
        let mut trace = Trace {
            conversation_id,
            seq,
            trace_id: stamp.trace_id,
            accepted_at: message.created_at,
            stored_at: stamp.stored_at,
            pushed_devices: 0,
            pushed_at: None,
            delivered: Vec::new(),
            read: Vec::new(),
        };
        let is_of_it = |note: &&Note| {
            note.conversation_id == conversation_id && note.after < seq && seq <= note.through
        };
        for note in state.notes.iter().filter(is_of_it) {
            match note.kind {
                NoteKind::Pushed(devices) => {
                    trace.pushed_devices = trace.pushed_devices.saturating_add(devices);
                    let at = note.at.max(stamp.stored_at);
                    let (first, last) = trace.pushed_at.unwrap_or((at, at));
                    trace.pushed_at = Some((first.min(at), last.max(at)));
                }
                NoteKind::Delivered(user) => trace.delivered.push((user, note.at)),
                NoteKind::Read(user) => trace.read.push((user, note.at)),
            }
        }
        Ok(Some(trace))
    }
}
