//! The services of accounts, people and groups over the fakes.

use std::sync::Arc;

use domain::{TokenBucket, limits};
use service::{
    Accounts, Admissions, Blocking, Blocks, ContactLists, Contacts, Departures, EmailProofMails,
    EmailProofs, Erasures, Exports, ForgottenPasswords, Groups, Introductions, InviteBook, Invites,
    PasswordProof, Passwords, PeopleSearch, PostOffice, PreferenceBook, PresencePartings,
    Registrations, Revocations, SecondFactor, SessionList, Telling, TwoFactorSetup,
};

use super::World;
use crate::mail::FakeStationery;
use crate::proof::FakeJudge;

impl World {
    pub fn registrations(&self) -> Registrations {
        Registrations {
            users: self.history.clone(),
            hasher: self.hasher.clone(),
            judge: Arc::new(FakeJudge),
            mail: self.queues.clone(),
            limiter: self.live.clone(),
            signer: self.tokens.clone(),
            entropy: self.entropy.clone(),
            clock: self.clock.clone(),
        }
    }

    pub fn accounts(&self) -> Accounts {
        Accounts {
            users: self.history.clone(),
            sessions: self.history.clone(),
            passwords: self.history.clone(),
            directory: self.history.clone(),
            second_factor: self.second_factor(),
            hasher: self.hasher.clone(),
            mail: self.queues.clone(),
            limiter: self.live.clone(),
            signer: self.tokens.clone(),
            entropy: self.entropy.clone(),
            clock: self.clock.clone(),
            requires_verified_email: false,
        }
    }

    pub fn second_factor(&self) -> SecondFactor {
        SecondFactor {
            factors: self.history.clone(),
            codes: self.codes.clone(),
            limiter: self.live.clone(),
            entropy: self.entropy.clone(),
            clock: self.clock.clone(),
        }
    }

    pub fn password_proof(&self) -> PasswordProof {
        PasswordProof {
            users: self.history.clone(),
            sessions: self.history.clone(),
            passwords: self.history.clone(),
            hasher: self.hasher.clone(),
            limiter: self.live.clone(),
            clock: self.clock.clone(),
        }
    }

    pub fn two_factor(&self) -> TwoFactorSetup {
        TwoFactorSetup { proof: self.password_proof(), second_factor: self.second_factor() }
    }

    pub fn email_proofs(&self) -> EmailProofs {
        EmailProofs {
            tokens: self.history.clone(),
            entropy: self.entropy.clone(),
            clock: self.clock.clone(),
        }
    }

    pub fn email_proof_mails(&self) -> EmailProofMails {
        EmailProofMails {
            users: self.history.clone(),
            sessions: self.history.clone(),
            mail: self.queues.clone(),
            limiter: self.live.clone(),
            clock: self.clock.clone(),
        }
    }

    pub fn forgotten_passwords(&self) -> ForgottenPasswords {
        ForgottenPasswords {
            mail: self.queues.clone(),
            limiter: self.live.clone(),
            entropy: self.entropy.clone(),
            clock: self.clock.clone(),
        }
    }

    pub fn passwords(&self) -> Passwords {
        Passwords {
            proof: self.password_proof(),
            tokens: self.history.clone(),
            judge: Arc::new(FakeJudge),
            hangup: self.hangup(),
            entropy: self.entropy.clone(),
        }
    }

    pub fn session_list(&self) -> SessionList {
        SessionList {
            sessions: self.history.clone(),
            directory: self.history.clone(),
            clock: self.clock.clone(),
        }
    }

    pub fn revocations(&self) -> Revocations {
        Revocations {
            sessions: self.history.clone(),
            directory: self.history.clone(),
            hangup: self.hangup(),
            clock: self.clock.clone(),
        }
    }

    pub fn post_office(&self) -> PostOffice {
        PostOffice {
            users: self.history.clone(),
            directory: self.history.clone(),
            tokens: self.history.clone(),
            stationery: Arc::new(FakeStationery),
            mailer: self.mailer.clone(),
            entropy: self.entropy.clone(),
            clock: self.clock.clone(),
        }
    }

    pub fn telling(&self) -> Telling {
        Telling {
            copies: self.live.clone(),
            upkeep: self.history.clone(),
            fan_out: self.queues.clone(),
        }
    }

    pub fn groups(&self) -> Groups {
        Groups {
            groups: self.history.clone(),
            telling: self.telling(),
            limiter: self.live.clone(),
            entropy: self.entropy.clone(),
            clock: self.clock.clone(),
            bucket: TokenBucket::per_second(limits::MESSAGES_PER_SECOND, limits::MESSAGES_BURST),
        }
    }

    pub fn invites(&self) -> Invites {
        Invites {
            invites: self.history.clone(),
            limiter: self.live.clone(),
            entropy: self.entropy.clone(),
            clock: self.clock.clone(),
        }
    }

    pub fn invite_book(&self) -> InviteBook {
        InviteBook { invites: self.history.clone(), clock: self.clock.clone() }
    }

    pub fn admissions(&self) -> Admissions {
        Admissions { groups: self.groups(), limiter: self.live.clone() }
    }

    pub fn preference_book(&self) -> PreferenceBook {
        PreferenceBook { groups: self.history.clone() }
    }

    pub fn contacts(&self) -> Contacts {
        Contacts {
            contacts: self.history.clone(),
            fan_out: self.queues.clone(),
            clock: self.clock.clone(),
        }
    }

    pub fn contact_lists(&self) -> ContactLists {
        ContactLists { contacts: self.history.clone() }
    }

    pub fn introductions(&self) -> Introductions {
        Introductions {
            contacts: self.contacts(),
            limiter: self.live.clone(),
            entropy: self.entropy.clone(),
        }
    }

    pub fn blocks(&self) -> Blocks {
        Blocks { blocks: self.history.clone() }
    }

    pub fn blocking(&self) -> Blocking {
        let partings = PresencePartings {
            presences: self.live.clone(),
            fan_out: self.queues.clone(),
            clock: self.clock.clone(),
        };
        Blocking { blocks: self.history.clone(), partings, clock: self.clock.clone() }
    }

    pub fn people_search(&self) -> PeopleSearch {
        PeopleSearch {
            people: self.history.clone(),
            limiter: self.live.clone(),
            clock: self.clock.clone(),
        }
    }

    pub fn departures(&self) -> Departures {
        Departures {
            proof: self.password_proof(),
            second_factor: self.second_factor(),
            erasure: self.history.clone(),
            queue: self.queues.clone(),
            hangup: self.hangup(),
            clock: self.clock.clone(),
        }
    }

    pub fn erasures(&self) -> Erasures {
        Erasures {
            erasure: self.history.clone(),
            telling: self.telling(),
            live: self.live.clone(),
            hangup: self.hangup(),
            clock: self.clock.clone(),
        }
    }

    pub fn exports(&self) -> Exports {
        Exports {
            export: self.history.clone(),
            sessions: self.history.clone(),
            limiter: self.live.clone(),
            clock: self.clock.clone(),
        }
    }
}
