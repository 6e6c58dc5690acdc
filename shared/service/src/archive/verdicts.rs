//! From what a transaction decided to what the members are told.

use std::collections::{BTreeMap, BTreeSet};

use domain::{ConversationId, Message, Rejection, Seq};

use crate::port::{Appended, Commit, Submission, Verdict};
use crate::{Announcement, Event, Recipient};

/// One frame for everything new of a conversation, one for each message that was known before,
/// one for each rejection.
pub(super) fn announcements(submissions: &[Submission], commit: Commit) -> Vec<Announcement> {
    let mut stored: BTreeMap<ConversationId, Vec<Message>> = BTreeMap::new();
    let mut known: BTreeMap<(ConversationId, Seq), Message> = BTreeMap::new();
    let mut told = Vec::new();
    for (submission, Appended { verdict }) in submissions.iter().zip(commit.appended) {
        match verdict {
            Verdict::Stored(message) => {
                stored.entry(message.conversation_id).or_default().push(message);
            }
            Verdict::Known(message) => {
                known.insert((message.conversation_id, message.seq), message);
            }
            Verdict::Rejected(reason) => told.push(rejection(submission, reason)),
        }
    }
    let is_fresh: BTreeSet<_> =
        stored.values().flatten().map(|message| (message.conversation_id, message.seq)).collect();
    known.retain(|key, _| !is_fresh.contains(key));
    let tell = |id, messages| {
        let recipients = commit.recipients.get(&id).cloned().unwrap_or_default();
        Event::of_new(id, messages).map(|event| Announcement::new(event, recipients))
    };
    for (id, messages) in stored {
        let last_seq = messages.last().map(|message| message.seq.0);
        tracing::info!(conversation_id = %id, count = messages.len(), last_seq, "stored");
        told.extend(tell(id, messages));
    }
    told.extend(known.into_iter().filter_map(|((id, _), message)| tell(id, vec![message])));
    told
}

/// The same verdict on all of them.
pub(super) fn rejections(
    submissions: &[Submission],
    reason: Rejection,
) -> impl Iterator<Item = Announcement> + '_ {
    submissions.iter().map(move |submission| rejection(submission, reason))
}

/// Told to every device of the sender.
fn rejection(submission: &Submission, rejection: Rejection) -> Announcement {
    let event = Event::MessageRejected {
        conversation_id: submission.conversation_id,
        client_id: submission.draft.client_id,
        rejection,
    };
    let sender = Recipient { user_id: submission.sender_id, joined_seq: Seq::ZERO };
    Announcement::new(event, vec![sender])
}
