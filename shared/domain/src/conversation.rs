//! Conversations and who is in them.

use std::str::FromStr;

use uuid::Uuid;

use crate::{
    AvatarUrl, ConversationId, Description, DisplayName, Invalid, Seq, Timestamp, Title, UserId,
    Username,
};

/// The fixed namespace of direct conversations' ids.
const DIRECT_NAMESPACE: Uuid = Uuid::from_u128(0x6f0d_8a3e_52c7_4b1e_9d64_c04f_ab1c_4a77);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConversationType {
    Direct,
    Group,
}

impl ConversationType {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Group => "group",
        }
    }
}

impl FromStr for ConversationType {
    type Err = Invalid;

    fn from_str(raw: &str) -> Result<Self, Invalid> {
        match raw {
            "direct" => Ok(Self::Direct),
            "group" => Ok(Self::Group),
            _ => Err(Invalid::new("invalid_type", "must be \"direct\" or \"group\"")),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Owner,
    Admin,
    Member,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }
}

impl FromStr for Role {
    type Err = Invalid;

    fn from_str(raw: &str) -> Result<Self, Invalid> {
        match raw {
            "owner" => Ok(Self::Owner),
            "admin" => Ok(Self::Admin),
            "member" => Ok(Self::Member),
            _ => Err(Invalid::new("invalid_role", "must be \"owner\", \"admin\" or \"member\"")),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    pub id: ConversationId,
    pub conversation_type: ConversationType,
    /// `None` for a direct conversation.
    pub title: Option<Title>,
    pub description: Option<Description>,
    pub avatar_url: Option<AvatarUrl>,
    /// Who joins later sees what was said before. Never in a direct conversation.
    pub shares_history: bool,
    pub created_by: UserId,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
    /// The highest number given to a message or change.
    pub last_seq: Seq,
    pub member_count: u32,
}

/// One person in a conversation, as the others see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub user_id: UserId,
    pub username: Username,
    pub display_name: DisplayName,
    pub role: Role,
    pub joined_at: Timestamp,
    /// They see what has a greater number.
    pub joined_seq: Seq,
}

/// One's own side of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    pub role: Role,
    pub joined_seq: Seq,
    pub delivered: Seq,
    pub read: Seq,
    pub muted_until: Option<Timestamp>,
    pub archived: bool,
    pub pinned: bool,
}

/// The id of the one direct conversation of two people, whoever opens it.
///
/// UUIDv5 of a fixed namespace over the 16 bytes of the smaller user id, then of the other.
pub fn direct_conversation_id(one: UserId, other: UserId) -> ConversationId {
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    let name = [first.0.into_bytes(), second.0.into_bytes()].concat();
    ConversationId(Uuid::new_v5(&DIRECT_NAMESPACE, &name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direct_conversation_has_one_id_from_both_sides() {
        let (ada, bob) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let id = direct_conversation_id(ada, bob);
        assert_eq!(id, direct_conversation_id(bob, ada));
        assert_eq!(id.0.get_version_num(), 5);
        assert_ne!(id, direct_conversation_id(ada, ada));
    }

    #[test]
    fn names_are_read_back_as_they_are_written() {
        for role in [Role::Owner, Role::Admin, Role::Member] {
            assert_eq!(role.as_str().parse::<Role>().unwrap(), role);
        }
        for kind in [ConversationType::Direct, ConversationType::Group] {
            assert_eq!(kind.as_str().parse::<ConversationType>().unwrap(), kind);
        }
        assert!("root".parse::<Role>().is_err());
        assert!("channel".parse::<ConversationType>().is_err());
    }
}
