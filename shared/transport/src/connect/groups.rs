//! Groups and the invites into them.

use std::sync::Arc;

use postgres::{PgConversations, PgGroups, PgUpkeep};
use service::{Conversations, Groups, Invites};

use super::Parts;
use super::pace::{Pace, invite_buckets};
use crate::config::name;

pub fn groups(parts: &Parts) -> Groups {
    Groups {
        groups: Arc::new(PgGroups::new(parts.database())),
        copies: parts.table(),
        upkeep: Arc::new(PgUpkeep::new(parts.database())),
        fan_out: parts.fan_out_queue(),
        entropy: parts.entropy(),
        clock: parts.clock(),
    }
}

/// For what is done to groups in one way and to direct conversations in another.
#[derive(Clone)]
pub struct ConversationDesk {
    pub conversations: Conversations,
    pub groups: Groups,
}

pub fn conversation_desk(parts: &Parts) -> ConversationDesk {
    let conversations =
        Conversations { conversations: Arc::new(PgConversations::new(parts.database())) };
    ConversationDesk { conversations, groups: groups(parts) }
}

/// Makes invites, and says where they are to be opened.
#[derive(Clone)]
pub struct InviteDesk {
    pub invites: Invites,
    app_url: String,
}

impl InviteDesk {
    /// What somebody passes on: a page of the app. Browsers keep what is behind `#` to themselves.
    pub fn url(&self, token: &str) -> String {
        format!("{}/invites#token={token}", self.app_url.trim_end_matches('/'))
    }
}

pub fn invite_desk(parts: &Parts) -> InviteDesk {
    let invites = Invites {
        invites: Arc::new(PgGroups::new(parts.database())),
        groups: groups(parts),
        limiter: Pace::new(parts.table(), invite_buckets(parts)),
    };
    InviteDesk { invites, app_url: parts.environment.text(name::APP_URL) }
}
