//! What proves who somebody is, and the end of an account.

use std::sync::Arc;

use postgres::{PgAccounts, PgErasure};
use service::{
    Departures, EmailProofs, Erasures, Exports, Passwords, SecondFactor, SessionList,
    TwoFactorSetup,
};

use super::Parts;
use super::pace::{Pace, login_bucket, mail_bucket};
use crate::crypto::{Argon2Hasher, GuessingJudge};

pub(super) fn second_factor(parts: &Parts) -> SecondFactor {
    SecondFactor {
        factors: Arc::new(PgAccounts::new(parts.database())),
        codes: parts.one_time_codes(),
        entropy: parts.entropy(),
        clock: parts.clock(),
    }
}

pub fn email_proofs(parts: &Parts) -> EmailProofs {
    let postgres = Arc::new(PgAccounts::new(parts.database()));
    EmailProofs {
        users: postgres.clone(),
        tokens: postgres,
        mail: parts.mail_queue(),
        limiter: Pace::new(parts.table(), vec![mail_bucket(parts)]),
        entropy: parts.entropy(),
        clock: parts.clock(),
    }
}

pub fn passwords(parts: &Parts) -> Passwords {
    let postgres = Arc::new(PgAccounts::new(parts.database()));
    let table = parts.table();
    Passwords {
        users: postgres.clone(),
        sessions: postgres.clone(),
        passwords: postgres.clone(),
        tokens: postgres,
        hasher: Arc::new(Argon2Hasher::default()),
        judge: Arc::new(GuessingJudge),
        mail: parts.mail_queue(),
        hangup: parts.hangup(&table),
        limiter: Pace::new(table, vec![login_bucket(parts), mail_bucket(parts)]),
        entropy: parts.entropy(),
        clock: parts.clock(),
    }
}

pub fn session_list(parts: &Parts) -> SessionList {
    let postgres = Arc::new(PgAccounts::new(parts.database()));
    SessionList {
        sessions: postgres.clone(),
        directory: postgres,
        hangup: parts.hangup(&parts.table()),
        clock: parts.clock(),
    }
}

pub fn two_factor_setup(parts: &Parts) -> TwoFactorSetup {
    let postgres = Arc::new(PgAccounts::new(parts.database()));
    TwoFactorSetup {
        users: postgres.clone(),
        passwords: postgres.clone(),
        factors: postgres,
        codes: parts.one_time_codes(),
        hasher: Arc::new(Argon2Hasher::default()),
        limiter: Pace::new(parts.table(), vec![login_bucket(parts)]),
        entropy: parts.entropy(),
        clock: parts.clock(),
    }
}

pub fn departures(parts: &Parts) -> Departures {
    let postgres = Arc::new(PgAccounts::new(parts.database()));
    let table = parts.table();
    Departures {
        users: postgres.clone(),
        passwords: postgres,
        hasher: Arc::new(Argon2Hasher::default()),
        hangup: parts.hangup(&table),
        limiter: Pace::new(table, vec![login_bucket(parts)]),
        erasure: Arc::new(PgErasure::new(parts.database())),
        queue: parts.erasure_queue(),
        clock: parts.clock(),
    }
}

pub fn erasures(parts: &Parts) -> Erasures {
    let table = parts.table();
    Erasures {
        erasure: Arc::new(PgErasure::new(parts.database())),
        live: table.clone(),
        hangup: parts.hangup(&table),
        clock: parts.clock(),
    }
}

pub fn exports(parts: &Parts) -> Exports {
    Exports { export: Arc::new(PgErasure::new(parts.database())) }
}
