//! What proves who somebody is, and the end of an account.

use std::sync::Arc;

use domain::TokenBucket;
use postgres::{PgAccounts, PgErasure};
use service::{
    Departures, EmailProofMails, EmailProofs, Erasures, Exports, ForgottenPasswords, PasswordProof,
    Passwords, Revocations, SecondFactor, SessionList, TwoFactorSetup,
};

use super::Parts;
use super::groups::telling;
use super::pace::{Pace, login_bucket, mail_bucket, proof_bucket};
use crate::crypto::{Argon2Hasher, GuessingJudge};

pub(super) fn second_factor(parts: &Parts) -> SecondFactor {
    SecondFactor {
        factors: Arc::new(PgAccounts::new(parts.database())),
        codes: parts.one_time_codes(),
        // With the limit of the service, and noted for the answer.
        limiter: Pace::new(parts.table(), vec![]),
        entropy: parts.entropy(),
        clock: parts.clock(),
    }
}

pub fn email_proofs(parts: &Parts) -> EmailProofs {
    EmailProofs {
        tokens: Arc::new(PgAccounts::new(parts.database())),
        entropy: parts.entropy(),
        clock: parts.clock(),
    }
}

pub fn email_proof_mails(parts: &Parts) -> EmailProofMails {
    let postgres = Arc::new(PgAccounts::new(parts.database()));
    EmailProofMails {
        users: postgres.clone(),
        sessions: postgres,
        mail: parts.mail_queue(),
        limiter: Pace::new(parts.table(), vec![mail_bucket(parts)]),
        clock: parts.clock(),
    }
}

pub fn forgotten_passwords(parts: &Parts) -> ForgottenPasswords {
    ForgottenPasswords {
        mail: parts.mail_queue(),
        limiter: Pace::new(parts.table(), vec![mail_bucket(parts)]),
        entropy: parts.entropy(),
        clock: parts.clock(),
    }
}

pub fn passwords(parts: &Parts) -> Passwords {
    let (_, resets) = login_bucket(parts);
    let buckets = vec![proof_bucket(parts), ("reset", resets)];
    Passwords {
        proof: password_proof(parts, buckets),
        tokens: Arc::new(PgAccounts::new(parts.database())),
        judge: Arc::new(GuessingJudge),
        hangup: parts.hangup(&parts.table()),
        entropy: parts.entropy(),
    }
}

fn password_proof(parts: &Parts, buckets: Vec<(&'static str, TokenBucket)>) -> PasswordProof {
    let postgres = Arc::new(PgAccounts::new(parts.database()));
    PasswordProof {
        users: postgres.clone(),
        sessions: postgres.clone(),
        passwords: postgres,
        hasher: Arc::new(Argon2Hasher::default()),
        limiter: Pace::new(parts.table(), buckets),
        clock: parts.clock(),
    }
}

pub fn session_list(parts: &Parts) -> SessionList {
    let postgres = Arc::new(PgAccounts::new(parts.database()));
    SessionList { sessions: postgres.clone(), directory: postgres, clock: parts.clock() }
}

pub fn revocations(parts: &Parts) -> Revocations {
    let postgres = Arc::new(PgAccounts::new(parts.database()));
    Revocations {
        sessions: postgres.clone(),
        directory: postgres,
        hangup: parts.hangup(&parts.table()),
        clock: parts.clock(),
    }
}

pub fn two_factor_setup(parts: &Parts) -> TwoFactorSetup {
    TwoFactorSetup {
        proof: password_proof(parts, vec![proof_bucket(parts)]),
        second_factor: second_factor(parts),
    }
}

pub fn departures(parts: &Parts) -> Departures {
    Departures {
        proof: password_proof(parts, vec![proof_bucket(parts)]),
        second_factor: second_factor(parts),
        erasure: Arc::new(PgErasure::new(parts.database())),
        queue: parts.erasure_queue(),
        hangup: parts.hangup(&parts.table()),
        clock: parts.clock(),
    }
}

pub fn erasures(parts: &Parts) -> Erasures {
    let table = parts.table();
    Erasures {
        erasure: Arc::new(PgErasure::new(parts.database())),
        telling: telling(parts),
        live: table.clone(),
        hangup: parts.hangup(&table),
        clock: parts.clock(),
    }
}

pub fn exports(parts: &Parts) -> Exports {
    Exports {
        export: Arc::new(PgErasure::new(parts.database())),
        sessions: Arc::new(PgAccounts::new(parts.database())),
        limiter: Pace::new(parts.table(), vec![]),
        clock: parts.clock(),
    }
}
