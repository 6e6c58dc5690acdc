//! From what a transaction decided to what the members are told.

use std::collections::{BTreeMap, BTreeSet};

use domain::{ConversationId, Message, Rejection, Seq, TraceId};

use crate::delivery::traces;
use crate::port::{Appended, Commit, Submission, Verdict};
use crate::{Announcement, Event, Recipient};

/// Messages that are told together, and whose trace they continue.
#[derive(Default)]
struct Told {
    messages: Vec<Message>,
    trace_ids: BTreeSet<TraceId>,
}

impl Told {
    fn add(&mut self, message: Message, submission: &Submission) {
        self.messages.push(message);
        self.trace_ids.insert(submission.trace_id);
    }
}

/// One frame for everything new of a conversation, one for each message that was known before,
/// one for each rejection.
pub(super) fn announcements(submissions: &[Submission], commit: Commit) -> Vec<Announcement> {
    let mut stored: BTreeMap<ConversationId, Told> = BTreeMap::new();
    let mut known: BTreeMap<(ConversationId, Seq), Told> = BTreeMap::new();
    let mut announcements = Vec::new();
    for (submission, Appended { verdict }) in submissions.iter().zip(commit.appended) {
        match verdict {
            Verdict::Stored(message) => {
                stored.entry(message.conversation_id).or_default().add(message, submission);
            }
            Verdict::Known(message) => {
                let key = (message.conversation_id, message.seq);
                let told = Told::default();
                known.entry(key).insert_entry(told).get_mut().add(message, submission);
            }
            Verdict::Rejected(reason) => announcements.push(rejection(submission, reason)),
        }
    }
    let fresh = stored.values().flat_map(|told| &told.messages);
    let fresh: BTreeSet<_> = fresh.map(|message| (message.conversation_id, message.seq)).collect();
    known.retain(|key, _| !fresh.contains(key));
    for (id, told) in &stored {
        let (count, last_seq) = (told.messages.len(), told.messages.last().map(|m| m.seq.0));
        let trace_ids = traces(&told.trace_ids.iter().copied().collect::<Vec<_>>());
        tracing::info!(conversation_id = %id, count, last_seq, trace_ids, "stored");
    }
    let known = known.into_iter().map(|((id, _), told)| (id, told));
    announcements.extend(stored.into_iter().chain(known).filter_map(|(id, told)| {
        let mut recipients = commit.recipients.get(&id).cloned().unwrap_or_default();
        recipients.iter_mut().for_each(|recipient| see_own(recipient, &told.messages));
        let event = Event::of_new(id, told.messages)?;
        Some(Announcement::new(event, recipients).traced(told.trace_ids.into_iter().collect()))
    }));
    announcements
}

/// Who left and came back since they wrote it is told of their own message all the same: without
/// a confirmation their device would send it again and again.
fn see_own(recipient: &mut Recipient, messages: &[Message]) {
    if let [message] = messages
        && message.sender_id == recipient.user_id
    {
        recipient.joined_seq = recipient.joined_seq.min(message.seq.before());
    }
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
    let told = Announcement::new(event, vec![sender]);
    told.traced(vec![submission.trace_id])
}
