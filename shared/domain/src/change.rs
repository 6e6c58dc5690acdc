//! What may be done to a message that is in history, and what it is like afterwards.

use crate::message::check_mentions;
use crate::{
    ConversationType, Emoji, Invalid, Mention, Message, MessageKind, MessageText, Role, Timestamp,
    UserId, limits,
};

/// One wish to change one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Edit { text: MessageText, mentions: Vec<Mention> },
    Delete,
    React(Emoji),
    Unreact(Emoji),
    Pin,
    Unpin,
}

/// Who wishes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    pub user_id: UserId,
    pub role: Role,
    pub conversation_type: ConversationType,
    /// A block stands between the two of a direct conversation. In a group it means nothing.
    pub is_blocked: bool,
}

/// Why a change is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeRefusal {
    /// Not this person, or not to such a message.
    NotAllowed,
    /// A tombstone does not change any more.
    MessageDeleted,
    /// The message has as many different emoji as it may.
    TooManyReactions,
}

/// The reactions of one emoji.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    pub emoji: Emoji,
    pub count: u32,
    /// The first 20, in the order in which they reacted.
    pub user_ids: Vec<UserId>,
}

impl Change {
    /// An edit whose mentions lie inside the new text.
    pub fn edit(text: MessageText, mentions: Vec<Mention>) -> Result<Self, Invalid> {
        check_mentions(&mentions, Some(&text))?;
        Ok(Self::Edit { text, mentions })
    }

    /// The rules: writers edit and delete their own; owners and admins of a group also pin, and
    /// delete what others wrote; in a direct conversation both pin; everybody reacts. What the
    /// server wrote stays as it is. Deleting what is deleted is no refusal: it changes nothing.
    /// Behind a block nothing reaches the other one any more, but one's own may be taken back.
    pub fn check(&self, actor: &Actor, message: &Message) -> Result<(), ChangeRefusal> {
        if message.kind == MessageKind::System {
            return Err(ChangeRefusal::NotAllowed);
        }
        let is_own = message.sender_id == actor.user_id;
        let is_direct = actor.conversation_type == ConversationType::Direct;
        if is_direct && actor.is_blocked && *self != Self::Delete {
            return Err(ChangeRefusal::NotAllowed);
        }
        let leads = !is_direct && matches!(actor.role, Role::Owner | Role::Admin);
        let is_allowed = match self {
            Self::Edit { .. } => is_own,
            Self::Delete => is_own || leads,
            Self::React(_) | Self::Unreact(_) => true,
            Self::Pin | Self::Unpin => leads || is_direct,
        };
        if !is_allowed {
            return Err(ChangeRefusal::NotAllowed);
        }
        let changes_nothing = matches!(self, Self::Delete | Self::Unreact(_) | Self::Unpin);
        if message.deleted_at.is_some() && !changes_nothing {
            return Err(ChangeRefusal::MessageDeleted);
        }
        match self {
            Self::React(emoji) if message.is_full_for(emoji) => {
                Err(ChangeRefusal::TooManyReactions)
            }
            _ => Ok(()),
        }
    }

    /// The message afterwards, without its new `rev`; `None` when nothing changes. Reactions are
    /// counted by the store, which knows all who reacted: see [`Message::set_reaction`].
    pub fn apply(&self, message: &Message, now: Timestamp) -> Option<Message> {
        let mut after = message.clone();
        match self {
            Self::Edit { text, mentions } => {
                after.text = Some(text.clone());
                after.mentions.clone_from(mentions);
            }
            Self::Delete => {
                after.text = None;
                after.mentions.clear();
                after.reactions.clear();
                after.pinned = false;
            }
            Self::Pin => after.pinned = true,
            Self::Unpin => after.pinned = false,
            Self::React(_) | Self::Unreact(_) => {}
        }
        match self {
            Self::Edit { .. } if after != *message => after.edited_at = Some(now),
            Self::Delete if message.deleted_at.is_none() => after.deleted_at = Some(now),
            _ => {}
        }
        (after != *message).then_some(after)
    }
}

impl Message {
    fn is_full_for(&self, emoji: &Emoji) -> bool {
        self.reactions.len() >= limits::EMOJI_PER_MESSAGE
            && self.reactions.iter().all(|reaction| reaction.emoji != *emoji)
    }

    /// Puts this reaction in the place of the emoji's former one; a count of zero takes it away.
    pub fn set_reaction(&mut self, reaction: Reaction) {
        let place = self.reactions.iter().position(|known| known.emoji == reaction.emoji);
        match (place, reaction.count) {
            (Some(place), 0) => drop(self.reactions.remove(place)),
            (Some(place), _) => self.reactions[place] = reaction,
            (None, 0) => {}
            (None, _) => self.reactions.push(reaction),
        }
    }
}

#[cfg(test)]
mod tests;
