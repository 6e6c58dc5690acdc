//! `MessageStore`.

use async_trait::async_trait;
use domain::{ConversationId, ConversationType, Message, Rejection, Seq, UserId};
use service::port::{
    AppendError, Appended, ChangesPage, Commit, Failure, MessageStore, Submission, Verdict,
};
use service::{MessagePage, Recipient, Window};

use super::{FakeHistory, Room, State};

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
        let mut commit = Commit::default();
        for submission in submissions {
            let verdict = judge(&mut state, submission);
            if !matches!(verdict, Verdict::Rejected(_)) {
                let id = submission.conversation_id;
                commit.recipients.insert(id, recipients(&state, id));
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

fn judge(state: &mut State, submission: &Submission) -> Verdict {
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
    if room.seat_of(*sender_id).is_none() {
        return Verdict::Rejected(Rejection::NotAMember);
    }
    let is_direct = room.conversation.conversation_type == ConversationType::Direct;
    if is_direct && room.seats.keys().any(|other| state.is_block_between(*sender_id, *other)) {
        return Verdict::Rejected(Rejection::Blocked);
    }
    match state.rooms.get_mut(conversation_id) {
        Some(room) => Verdict::Stored(store(room, submission)),
        None => Verdict::Rejected(Rejection::NotAMember),
    }
}

fn store(room: &mut Room, submission: &Submission) -> Message {
    let Submission { conversation_id, sender_id, draft, accepted_at } = submission;
    let seq = room.next_seq();
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

fn recipients(state: &State, id: ConversationId) -> Vec<Recipient> {
    let active = state.rooms.get(&id).into_iter().flat_map(Room::active);
    active.map(|(user_id, seat)| Recipient { user_id, joined_seq: seat.joined_seq }).collect()
}
