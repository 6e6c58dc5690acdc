//! Every way out of the process: a role each, at most eight methods, one atomic step a method.
//!
//! Each port has a contract suite in `testkit::contract` that its fake and its adapter both pass.

mod accounts;
mod ambient;
mod changes;
mod conversations;
mod credentials;
mod groups;
mod keys;
mod live;
mod mail;
mod messages;
mod people;
mod presence;
mod queues;
mod receipts;
mod upkeep;

pub use accounts::{
    Credentials, NewRefreshToken, NewSession, NewUser, RegisterError, Rotation, SessionStore,
    SettingsChange, UserChange, UserStore,
};
pub use ambient::{Clock, Entropy, OneTimeCodes, PasswordHasher, PasswordJudge, Probe};
pub use changes::{ChangeError, ChangeRequest, Changed, MessageChanges};
pub use conversations::{
    Behind, ConversationStore, Created, NewDirect, NewGroup, OpenError, PageError,
};
pub use credentials::{
    Erased, Erasure, ErasureQueue, Export, ExportPart, ExportRecord, LeftConversations,
    LiveErasure, MailPurpose, MailTokenStore, NewMailToken, PasswordStore, SessionDirectory,
    TwoFactor, TwoFactorStore,
};
pub use groups::{
    GroupChange, GroupChanged, GroupEdit, GroupError, GroupRequest, GroupStore, Invite,
    InvitePreview, InviteRefusal, InviteStore, NewInvite,
};
pub use keys::{AccessToken, KeyDirectory, PublicKey, TokenSigner, TokenVerifier};
pub use live::{
    ConnectionStore, MembershipCopies, MembershipCopy, PushOutcome, Pusher, RateLimiter, SendGate,
    Standing, TicketStore,
};
pub use mail::{Handover, Letter, Mail, MailJob, MailQueue, Mailer, Stationery};
pub use messages::{AppendError, Appended, ChangesPage, Commit, MessageStore, Submission, Verdict};
pub use people::{BlockError, BlockStore, ContactAsked, ContactError, ContactStore};
pub use presence::{Acquaintance, Acquaintances, PresenceQueue, PresenceStore, Sighting, Watcher};
pub use queues::{FanOutJob, FanOutQueue, PersistLane, PersistQueue, Quarantined, Receipt};
pub use receipts::{RaisedMarks, ReceiptClaim, ReceiptQueue, ReceiptStore, RecordJob};
pub use upkeep::{PushLog, PushRecord, Straggler, SyncError, SyncFeed, TraceStore, Upkeep};

use std::error::Error as Source;

/// Why a port could not do its step.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It may work later: no connection, throttled, timed out, out of slots.
    #[error("{what} is not available")]
    Unavailable {
        what: &'static str,
        #[source]
        source: Box<dyn Source + Send + Sync>,
    },
    /// It will not work as it is: a row or an answer that cannot be understood.
    #[error("{what} failed")]
    Bug {
        what: &'static str,
        #[source]
        source: Box<dyn Source + Send + Sync>,
    },
}

impl Failure {
    pub fn unavailable(
        what: &'static str,
        source: impl Into<Box<dyn Source + Send + Sync>>,
    ) -> Self {
        Self::Unavailable { what, source: source.into() }
    }

    pub fn bug(what: &'static str, source: impl Into<Box<dyn Source + Send + Sync>>) -> Self {
        Self::Bug { what, source: source.into() }
    }
}
