//! What a conversation is called and who runs it, as far as a device knows.

use protocol::value::Conversation;

use super::chance::Chance;

/// `conversation.changed` may come that much later than the message that tells of the change.
/// Everybody would ask at once if nobody waited.
const PATIENCE_MS: u64 = 6_000;

/// The newest description, and whether there is a newer one.
#[derive(Debug, Default)]
pub(crate) struct Description {
    known: Option<Conversation>,
    doubt: Option<Doubt>,
}

/// A message tells of a change that the description does not have.
#[derive(Debug)]
struct Doubt {
    seq: i64,
    until: u64,
}

impl Description {
    pub(crate) fn known(&self) -> Option<&Conversation> {
        self.known.as_ref()
    }

    /// As it was kept.
    pub(crate) fn restore(&mut self, known: Option<Conversation>) {
        self.known = known;
    }

    /// Every change takes a number; its time may be that of another change.
    pub(crate) fn told(&mut self, conversation: Conversation) {
        if self.known.as_ref().is_some_and(|known| known.last_seq > conversation.last_seq) {
            return;
        }
        self.doubt = self.doubt.take().filter(|doubt| doubt.seq > conversation.last_seq);
        self.known = Some(conversation);
    }

    /// It was changed by the message with this number.
    pub(crate) fn doubt_before(&mut self, seq: i64, now: u64, chance: &mut Chance) {
        if self.known.as_ref().is_some_and(|known| known.last_seq >= seq) {
            return;
        }
        let begun = self.doubt.take();
        let until = begun.as_ref().map_or_else(|| now + chance.jittered(PATIENCE_MS), |d| d.until);
        self.doubt = Some(Doubt { seq: begun.map_or(seq, |doubt| doubt.seq.max(seq)), until });
    }

    /// `true`, once, when patience has run out.
    pub(crate) fn take_doubt(&mut self, now: u64) -> bool {
        self.doubt.take_if(|doubt| now >= doubt.until).is_some()
    }

    pub(crate) fn wake(&self) -> Option<u64> {
        self.doubt.as_ref().map(|doubt| doubt.until)
    }
}
