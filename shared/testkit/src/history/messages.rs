//! `MessageStore`.

use async_trait::async_trait;
use domain::{ConversationId, Message, Rejection, Seq, Timestamp, UserId};
use service::port::{
    AppendError, Appended, ChangesPage, Commit, Failure, MessageStore, Submission, Verdict,
};
use service::{MessagePage, Window};

use super::{FakeHistory, Room, Stamp, State};

#[async_trait]
impl MessageStore for FakeHistory {
    async fn append(&self, submissions: &[Submission]) -> Result<Commit, AppendError> {
        let mut state = self.reach_for_append()?;
        let has = |marked: &std::collections::BTreeSet<_>| {
            submissions.iter().any(|one| marked.contains(&one.draft.client_id))
        };
        if has(&state.unstorable) {
            return Err(AppendError::BadData("told to refuse the content".into()));
        }
        if has(&state.poisoned) {
            return Err(AppendError::Unknown("told to fail".into()));
        }
        let now = self.clock.now();
        let mut commit = Commit::default();
        for submission in submissions {
            let verdict = judge(&mut state, submission, now);
            if !matches!(verdict, Verdict::Rejected(_)) {
                let id = submission.conversation_id;
                let recipients = state.rooms.get(&id).map(Room::recipients);
                commit.recipients.insert(id, recipients.unwrap_or_default());
            }
            commit.appended.push(Appended { verdict });
        }
        Ok(commit)
    }

    async fn page(
        &self,
        user: UserId,
        conversation_id: ConversationId,
        window: Window,
        limit: u32,
    ) -> Result<Option<MessagePage>, Failure> {
        let state = self.reach()?;
        let Some((room, seat)) = state.room_of(user, conversation_id) else { return Ok(None) };
        let seen: Vec<&Message> =
            room.messages.iter().filter(|message| message.seq > seat.joined_seq).collect();
        let limit = limit as usize;
        let first_from = |seq: Seq| seen.partition_point(|message| message.seq < seq);
        let (from, to) = match window {
            Window::Newest => (seen.len().saturating_sub(limit), seen.len()),
            Window::Before(seq) => (first_from(seq).saturating_sub(limit), first_from(seq)),
            Window::After(seq) => {
                let from = seen.partition_point(|message| message.seq <= seq);
                (from, from + limit)
            }
            Window::Around(seq) => {
                let at = first_from(seq);
                (at.saturating_sub(limit / 2), at + limit - limit / 2)
            }
        };
        let to = to.min(seen.len());
        Ok(Some(MessagePage {
            items: seen[from..to].iter().copied().cloned().collect(),
            has_more_before: from > 0,
            has_more_after: to < seen.len(),
        }))
    }

    async fn changes(
        &self,
        user: UserId,
        conversation_id: ConversationId,
        after: Seq,
        limit: u32,
    ) -> Result<Option<ChangesPage>, Failure> {
        let state = self.reach()?;
        let Some((room, seat)) = state.room_of(user, conversation_id) else { return Ok(None) };
        let is_seen = |m: &&Message| m.rev > after && m.seq > seat.joined_seq;
        let mut items: Vec<Message> = room.messages.iter().filter(is_seen).cloned().collect();
        items.sort_by_key(|message| message.rev);
        items.truncate(limit as usize);
        let last_seq = room.conversation.last_seq;
        let is_full = items.len() == limit as usize;
        let through = items.last().filter(|_| is_full).map_or(last_seq, |message| message.rev);
        Ok(Some(ChangesPage { items, through, last_seq, has_more: through < last_seq }))
    }

    async fn ping(&self) -> Result<(), Failure> {
        self.reach().map(|_| ())
    }
}

fn judge(state: &mut State, submission: &Submission, now: Timestamp) -> Verdict {
    let Submission { conversation_id, sender_id, draft, .. } = submission;
    let Some(room) = state.rooms.get(conversation_id) else {
        return Verdict::Rejected(Rejection::NotAMember);
    };
    let is_same = |message: &&Message| {
        message.sender_id == *sender_id && message.client_id == draft.client_id
    };
    if let Some(known) = room.messages.iter().find(is_same) {
        return Verdict::Known(known.clone());
    }
    let Some(seat) = room.seat_of(*sender_id) else {
        return Verdict::Rejected(Rejection::NotAMember);
    };
    if state.is_blocked(*sender_id, *conversation_id) {
        return Verdict::Rejected(Rejection::Blocked);
    }
    let is_answerable = |seq: Seq| seq > seat.joined_seq && room.place_of(seq).is_some();
    if draft.reply_to.is_some_and(|seq| !is_answerable(seq)) {
        return Verdict::Rejected(Rejection::InvalidReplyTo);
    }
    if draft.mentions.iter().any(|mention| !room.seats.contains_key(&mention.user_id)) {
        return Verdict::Rejected(Rejection::InvalidMention);
    }
    match state.rooms.get_mut(conversation_id) {
        Some(room) => Verdict::Stored(store(room, submission, now)),
        None => Verdict::Rejected(Rejection::NotAMember),
    }
}

fn store(room: &mut Room, submission: &Submission, now: Timestamp) -> Message {
    let Submission { conversation_id, sender_id, draft, accepted_at, trace_id } = submission;
    let seq = room.next_seq(now);
    let stamp = Stamp { trace_id: Some(*trace_id), stored_at: now, touched_at: now };
    room.stamps.insert(seq, stamp);
    let message = Message {
        conversation_id: *conversation_id,
        seq,
        rev: seq,
        client_id: draft.client_id,
        sender_id: *sender_id,
        kind: draft.kind,
        text: draft.text.clone(),
        reply_to: draft.reply_to,
        mentions: draft.mentions.clone(),
        reactions: Vec::new(),
        event: None,
        pinned: false,
        sent_at: draft.sent_at,
        created_at: *accepted_at,
        edited_at: None,
        deleted_at: None,
    };
    room.active_at = room.active_at.max(*accepted_at);
    room.messages.push(message.clone());
    message
}
