//! `MessageChanges`.

use async_trait::async_trait;
use domain::{
    Actor, Change, ConversationId, Emoji, Message, Reaction, Seq, Timestamp, UserId, limits,
};
use service::Page;
use service::port::{ChangeError, ChangeRequest, Changed, MessageChanges, PageError};

use super::{FakeHistory, Room};

#[async_trait]
impl MessageChanges for FakeHistory {
    async fn change(&self, request: ChangeRequest) -> Result<Changed, ChangeError> {
        let now = self.clock.now();
        let mut state = self.reach()?;
        let is_blocked = state.is_blocked(request.user_id, request.conversation_id);
        let room = state.rooms.get_mut(&request.conversation_id);
        let room = room.ok_or(ChangeError::NotAMember)?;
        let seat = room.seat_of(request.user_id).ok_or(ChangeError::NotAMember)?;
        let is_seen = request.seq > seat.joined_seq;
        let place = room.place_of(request.seq).filter(|_| is_seen);
        let place = place.ok_or(ChangeError::NoSuchMessage)?;
        let actor = Actor {
            user_id: request.user_id,
            role: seat.role,
            conversation_type: room.conversation.conversation_type,
            is_blocked,
        };
        let before = room.messages[place].clone();
        request.change.check(&actor, &before).map_err(ChangeError::Refused)?;
        if room.has_strangers(&request.change) {
            return Err(ChangeError::InvalidMention);
        }
        let Some(after) = room.changed(&before, &request) else {
            return Ok(Changed { message: before, recipients: None });
        };
        let message = room.replace(place, after, now);
        Ok(Changed { message, recipients: Some(room.recipients()) })
    }

    async fn reactors(
        &self,
        user: UserId,
        conversation_id: ConversationId,
        seq: Seq,
        emoji: &Emoji,
        page: Page,
    ) -> Result<Option<(Vec<UserId>, Option<String>)>, PageError> {
        let state = self.reach()?;
        let read = |raw: &String| raw.parse::<u64>().map_err(|_| PageError::InvalidCursor);
        let last = page.cursor.as_ref().map(read).transpose()?.unwrap_or(0);
        let found = state.room_of(user, conversation_id);
        let Some((room, seat)) = found.filter(|(room, _)| room.place_of(seq).is_some()) else {
            return Ok(None);
        };
        if seq <= seat.joined_seq {
            return Ok(None);
        }
        let key = (seq, emoji.as_str().to_owned());
        let rest = room.reactors.get(&key).into_iter().flat_map(|all| all.range(last + 1..));
        let mut rest: Vec<_> = rest.map(|(position, user)| (*position, *user)).collect();
        let has_more = rest.len() > page.limit as usize;
        rest.truncate(page.limit as usize);
        let next = rest.last().filter(|_| has_more).map(|(position, _)| position.to_string());
        Ok(Some((rest.into_iter().map(|(_, user)| user).collect(), next)))
    }
}

impl Room {
    /// Whether an edit mentions who neither is nor was a member.
    fn has_strangers(&self, change: &Change) -> bool {
        let Change::Edit { mentions, .. } = change else { return false };
        mentions.iter().any(|mention| !self.seats.contains_key(&mention.user_id))
    }

    /// The message after the change, without its number; `None` when nothing changes.
    fn changed(&mut self, before: &Message, request: &ChangeRequest) -> Option<Message> {
        match &request.change {
            Change::React(emoji) => self.react(before, emoji, request.user_id, true),
            Change::Unreact(emoji) => self.react(before, emoji, request.user_id, false),
            change => change.apply(before, request.at),
        }
    }

    fn react(
        &mut self,
        before: &Message,
        emoji: &Emoji,
        user: UserId,
        is_wanted: bool,
    ) -> Option<Message> {
        let reactors = self.reactors.entry((before.seq, emoji.as_str().to_owned())).or_default();
        if reactors.values().any(|other| *other == user) == is_wanted {
            return None;
        }
        if is_wanted {
            self.reacted += 1;
            reactors.insert(self.reacted, user);
        } else {
            reactors.retain(|_, other| *other != user);
        }
        let mut after = before.clone();
        after.set_reaction(Reaction {
            emoji: emoji.clone(),
            count: u32::try_from(reactors.len()).unwrap_or(u32::MAX),
            user_ids: reactors.values().copied().take(limits::USERS_PER_REACTION).collect(),
        });
        Some(after)
    }

    fn replace(&mut self, place: usize, after: Message, now: Timestamp) -> Message {
        let message = Message { rev: self.next_seq(now), ..after };
        if message.deleted_at.is_some() {
            self.reactors.retain(|(seq, _), _| *seq != message.seq);
        }
        if let Some(stamp) = self.stamps.get_mut(&message.seq) {
            stamp.touched_at = now;
        }
        self.messages[place] = message.clone();
        message
    }
}
