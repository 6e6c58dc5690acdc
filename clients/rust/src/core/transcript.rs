//! What one conversation shows: its messages by their number, each in its latest version.

use std::fmt;

use protocol::value::Message;

/// What became of a message that was put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Put {
    Shown,
    Changed,
    /// As old as what is there, or older; or of a part that is not kept.
    Known,
}

/// Ascending by seq, without repeats.
#[derive(Default)]
pub(crate) struct Transcript {
    messages: Vec<Message>,
    /// Messages up to here were shown once and are not kept any more.
    floor: i64,
}

/// Without what people wrote: it is long, and it is theirs.
impl fmt::Debug for Transcript {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seqs: Vec<_> = self.messages.iter().map(|message| message.seq).collect();
        out.debug_struct("Transcript").field("seqs", &seqs).field("floor", &self.floor).finish()
    }
}

impl Transcript {
    pub(crate) fn messages(&self) -> &[Message] {
        &self.messages
    }

    pub(crate) fn put(&mut self, message: Message, most: usize) -> Put {
        if message.seq <= self.floor {
            return Put::Known;
        }
        match self.messages.binary_search_by_key(&message.seq, |known| known.seq) {
            Ok(at) if self.messages[at].rev >= message.rev => Put::Known,
            Ok(at) => {
                self.messages[at] = message;
                Put::Changed
            }
            Err(at) => {
                self.messages.insert(at, message);
                self.forget_the_oldest(most);
                Put::Shown
            }
        }
    }

    /// A quarter at once, so that a long conversation does not move on every message.
    fn forget_the_oldest(&mut self, most: usize) {
        if self.messages.len() <= most + most / 4 {
            return;
        }
        let surplus = self.messages.len() - most;
        if let Some(last) = self.messages.drain(..surplus).next_back() {
            self.floor = last.seq;
        }
    }
}
