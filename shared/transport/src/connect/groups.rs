//! Groups and the invites into them.

use std::sync::Arc;

use postgres::{PgGroups, PgUpkeep};
use service::{Admissions, Groups, InviteBook, Invites, PreferenceBook, Telling};

use super::Parts;
use super::pace::{Pace, invite_buckets, message_bucket};
use crate::config::name;

/// What follows a change of who is in a conversation.
pub(super) fn telling(parts: &Parts) -> Telling {
    Telling {
        copies: parts.table(),
        upkeep: Arc::new(PgUpkeep::new(parts.database())),
        fan_out: parts.fan_out_queue(),
    }
}

pub fn groups(parts: &Parts) -> Groups {
    Groups {
        groups: Arc::new(PgGroups::new(parts.database())),
        telling: telling(parts),
        limiter: Pace::new(parts.table(), vec![]),
        entropy: parts.entropy(),
        clock: parts.clock(),
        bucket: message_bucket(parts),
    }
}

pub fn preference_book(parts: &Parts) -> PreferenceBook {
    PreferenceBook { groups: Arc::new(PgGroups::new(parts.database())) }
}

pub fn invites(parts: &Parts) -> Invites {
    Invites {
        invites: Arc::new(PgGroups::new(parts.database())),
        limiter: Pace::new(parts.table(), invite_buckets(parts)),
        entropy: parts.entropy(),
        clock: parts.clock(),
    }
}

pub fn invite_book(parts: &Parts) -> InviteBook {
    InviteBook { invites: Arc::new(PgGroups::new(parts.database())), clock: parts.clock() }
}

pub fn admissions(parts: &Parts) -> Admissions {
    let limiter = Pace::new(parts.table(), invite_buckets(parts));
    Admissions { groups: groups(parts), limiter }
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
    InviteDesk { invites: invites(parts), app_url: parts.environment.text(name::APP_URL) }
}
