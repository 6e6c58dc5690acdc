//! People: signing in and out, profiles, who is there.

use std::sync::Arc;

use postgres::{PgAccounts, PgConversations};
use service::{Accounts, Presences, Profiles, PublicKeys, Registrations, Sessions, SignOut};

use super::Parts;
use super::credentials::second_factor;
use super::pace::{Pace, login_bucket, mail_bucket, registration_bucket};
use crate::config::name;
use crate::crypto::{Argon2Hasher, GuessingJudge};

pub fn public_keys(parts: &Parts) -> PublicKeys {
    PublicKeys { directory: parts.table(), clock: parts.clock() }
}

pub fn registrations(parts: &Parts) -> Registrations {
    Registrations {
        users: Arc::new(PgAccounts::new(parts.database())),
        hasher: Arc::new(Argon2Hasher::default()),
        judge: Arc::new(GuessingJudge),
        mail: parts.mail_queue(),
        limiter: Pace::new(parts.table(), vec![registration_bucket(parts)]),
        signer: parts.signer(),
        entropy: parts.entropy(),
        clock: parts.clock(),
    }
}

pub fn accounts(parts: &Parts) -> Accounts {
    let postgres = Arc::new(PgAccounts::new(parts.database()));
    let buckets = vec![login_bucket(parts), mail_bucket(parts)];
    Accounts {
        users: postgres.clone(),
        sessions: postgres.clone(),
        passwords: postgres.clone(),
        directory: postgres,
        second_factor: second_factor(parts),
        hasher: Arc::new(Argon2Hasher::default()),
        mail: parts.mail_queue(),
        limiter: Pace::new(parts.table(), buckets),
        signer: parts.signer(),
        entropy: parts.entropy(),
        clock: parts.clock(),
        requires_verified_email: parts.environment.flag(name::REQUIRES_VERIFIED_EMAIL),
    }
}

pub fn sessions(parts: &Parts) -> Sessions {
    let postgres = Arc::new(PgAccounts::new(parts.database()));
    Sessions {
        users: postgres.clone(),
        sessions: postgres,
        signer: parts.signer(),
        hangup: parts.hangup(&parts.table()),
        entropy: parts.entropy(),
        clock: parts.clock(),
        requires_verified_email: parts.environment.flag(name::REQUIRES_VERIFIED_EMAIL),
    }
}

pub fn sign_out(parts: &Parts) -> SignOut {
    SignOut {
        sessions: Arc::new(PgAccounts::new(parts.database())),
        hangup: parts.hangup(&parts.table()),
        clock: parts.clock(),
    }
}

pub fn profiles(parts: &Parts) -> Profiles {
    let postgres = Arc::new(PgAccounts::new(parts.database()));
    Profiles { users: postgres.clone(), sessions: postgres }
}

pub fn presences(parts: &Parts) -> Presences {
    Presences {
        acquaintances: Arc::new(PgConversations::new(parts.database())),
        presences: parts.table(),
        clock: parts.clock(),
    }
}
