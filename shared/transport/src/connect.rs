//! The composition root. What a function asks for here is exactly what its statements in
//! `template.yaml` grant.

mod accounts;
mod conversations;
mod credentials;
mod groups;
mod mail;
mod messages;
mod nowhere;
mod pace;
mod people;
mod sockets;
mod workers;

use std::sync::Arc;
use std::time::Duration;

use aws::{
    ClientOptions, Clients, LiveTable, ManagementPusher, SqsErasureQueue, SqsFanOutQueue,
    SqsMailQueue, SqsPresenceQueue, SqsReceiptQueue, secrets,
};
use postgres::{Database, DatabaseConfig};
use serde::Deserialize;
use service::port::{
    Clock, Entropy, Failure, OneTimeCodes, PushLog, Pusher, TokenSigner, TokenVerifier,
};
use service::{Delivery, Hangup};

use self::nowhere::Nowhere;
use crate::ambient::{SystemClock, SystemEntropy};
use crate::config::{Environment, name};
use crate::crypto::{EddsaSigner, EddsaVerifier, SealedCodes, SigningKey};
use crate::usage::Meter;

pub use accounts::{accounts, presences, profiles, public_keys, registrations, sessions, sign_out};
pub use conversations::{catch_up, conversations, openings};
pub use credentials::{
    departures, email_proof_mails, email_proofs, erasures, exports, forgotten_passwords, passwords,
    revocations, session_list, two_factor_setup,
};
pub use groups::{
    InviteDesk, admissions, groups, invite_book, invite_desk, invites, preference_book,
};
pub use mail::post_office;
pub use messages::{history, messages, reactors, receipt_marks, receipts, revisions, traces};
pub use people::{blocking, blocks, contact_lists, contacts, introductions, people_search};
pub use sockets::{
    FrameDesk, FrontDoor, Origins, SignalDesk, TicketDesk, closings, frame_desk, front_door,
    heartbeats, signal_desk, ticket_desk,
};
pub use workers::{announcements, archive, fan_out, health, nothing, receipt_book, sweep};

/// What a process builds its services from.
pub struct Parts {
    pub(crate) environment: Environment,
    clients: Clients,
    database: Option<Database>,
    signing_key: Option<SigningKey>,
    codes: Option<Arc<SealedCodes>>,
    /// `smtps://user:password@host`: a secret.
    smtp_url: Option<String>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// As RDS and its secrets write it.
#[derive(Deserialize)]
struct DatabaseSecret {
    host: String,
    port: u16,
    username: String,
    password: String,
    dbname: String,
    #[serde(default)]
    sslmode: Option<String>,
}

impl Parts {
    /// Reads the secrets that the environment names; nothing else is called yet.
    pub(crate) async fn load(environment: Environment) -> Result<Self, Failure> {
        let clients = Clients::load(ClientOptions::default()).await;
        let database = match environment.optional(name::DATABASE_SECRET_ARN) {
            Some(arn) => Some(read_database(&secrets::read(&clients.secrets(), arn).await?)?),
            None => None,
        };
        let signing_key = match environment.optional(name::SIGNING_SECRET_ARN) {
            Some(arn) => Some(SigningKey::derive(&secrets::read(&clients.secrets(), arn).await?)?),
            None => None,
        };
        let codes = match environment.optional(name::SEALING_SECRET_ARN) {
            Some(arn) => Some(SealedCodes::derive(&secrets::read(&clients.secrets(), arn).await?)?),
            None => None,
        };
        let smtp_url = match environment.optional(name::SMTP_SECRET_ARN) {
            Some(arn) => Some(secrets::read(&clients.secrets(), arn).await?),
            None => None,
        };
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
        let codes = codes.map(Arc::new);
        Ok(Self { environment, clients, database, signing_key, codes, smtp_url, clock, entropy })
    }

    /// Counts for all that is made of these parts.
    pub(crate) fn meter(&self) -> Meter {
        Meter { aws: self.clients.usage().clone(), database: self.database.clone() }
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    fn entropy(&self) -> Arc<dyn Entropy> {
        Arc::clone(&self.entropy)
    }

    fn table(&self) -> Arc<LiveTable> {
        let table_name = self.environment.text(name::TABLE_NAME);
        Arc::new(LiveTable::new(self.clients.dynamodb(), table_name))
    }

    /// Connects when it is first used.
    fn database(&self) -> Database {
        self.database.clone().unwrap_or_else(|| {
            self.environment.note(format!("{} is missing", name::DATABASE_SECRET_ARN));
            Database::new(DatabaseConfig {
                host: String::new(),
                port: 0,
                username: String::new(),
                password: String::new(),
                dbname: String::new(),
                ssl: true,
            })
        })
    }

    fn pusher(&self) -> Arc<dyn Pusher> {
        let endpoint = self.environment.text(name::MANAGEMENT_ENDPOINT);
        Arc::new(ManagementPusher::new(self.clients.management(&endpoint), self.entropy()))
    }

    fn hangup(&self, table: &Arc<LiveTable>) -> Hangup {
        Hangup { connections: table.clone(), pusher: self.pusher(), clock: self.clock() }
    }

    fn fan_out_queue(&self) -> Arc<SqsFanOutQueue> {
        let url = self.environment.text(name::FAN_OUT_QUEUE_URL);
        Arc::new(SqsFanOutQueue::new(self.clients.sqs(), url))
    }

    fn receipt_queue(&self) -> Arc<SqsReceiptQueue> {
        let url = self.environment.text(name::RECEIPT_QUEUE_URL);
        Arc::new(SqsReceiptQueue::new(self.clients.sqs(), url))
    }

    fn presence_queue(&self) -> Arc<SqsPresenceQueue> {
        let url = self.environment.text(name::PRESENCE_QUEUE_URL);
        Arc::new(SqsPresenceQueue::new(self.clients.sqs(), url))
    }

    fn mail_queue(&self) -> Arc<SqsMailQueue> {
        let url = self.environment.text(name::MAIL_QUEUE_URL);
        Arc::new(SqsMailQueue::new(self.clients.sqs(), url))
    }

    fn erasure_queue(&self) -> Arc<SqsErasureQueue> {
        let url = self.environment.text(name::ERASURE_QUEUE_URL);
        Arc::new(SqsErasureQueue::new(self.clients.sqs(), url))
    }

    fn one_time_codes(&self) -> Arc<dyn OneTimeCodes> {
        match &self.codes {
            Some(codes) => codes.clone(),
            None => {
                self.environment.note(format!("{} is missing", name::SEALING_SECRET_ARN));
                Arc::new(NoCodes)
            }
        }
    }

    /// What has a database notes its pushes there, the rest through the queue of receipts.
    fn delivery(&self, table: &Arc<LiveTable>, push_log: Arc<dyn PushLog>) -> Delivery {
        Delivery {
            connections: table.clone(),
            pusher: self.pusher(),
            fan_out: self.fan_out_queue(),
            push_log,
            clock: self.clock(),
        }
    }

    /// For what has no number, so that no trace notes it; without a queue for the rest.
    fn unnoted_delivery(&self, table: &Arc<LiveTable>) -> Delivery {
        Delivery {
            connections: table.clone(),
            pusher: self.pusher(),
            fan_out: Arc::new(Nowhere),
            push_log: Arc::new(Nowhere),
            clock: self.clock(),
        }
    }

    fn seconds(&self, name: &'static str, placeholder: Duration) -> Duration {
        Duration::from_secs(self.environment.parsed(name, placeholder.as_secs()))
    }

    fn token_parties(&self) -> (String, String) {
        (self.environment.text(name::TOKEN_ISSUER), self.environment.text(name::TOKEN_AUDIENCE))
    }

    fn signer(&self) -> Arc<dyn TokenSigner> {
        let (parties, table) = (self.token_parties(), self.table());
        match &self.signing_key {
            Some(key) => Arc::new(EddsaSigner::new(key.clone(), parties, table, self.clock())),
            None => {
                self.environment.note(format!("{} is missing", name::SIGNING_SECRET_ARN));
                Arc::new(NoSigner)
            }
        }
    }
}

/// Stands in where there is no key, until the verdict on the environment stops the start.
struct NoSigner;

#[async_trait::async_trait]
impl TokenSigner for NoSigner {
    async fn sign(
        &self,
        _identity: service::Identity,
    ) -> Result<service::port::AccessToken, Failure> {
        Err(Failure::bug("signing key", "there is none"))
    }
}

/// As [`NoSigner`], where there is no key that secrets are sealed with.
struct NoCodes;

fn no_sealing_key() -> Failure {
    Failure::bug("sealing key", "there is none")
}

impl OneTimeCodes for NoCodes {
    fn new_secret(&self, _user: domain::UserId) -> Result<String, Failure> {
        Err(no_sealing_key())
    }

    fn enrolment(
        &self,
        _user: domain::UserId,
        _sealed_secret: &str,
        _account: &str,
    ) -> Result<(String, String), Failure> {
        Err(no_sealing_key())
    }

    fn check(
        &self,
        _user: domain::UserId,
        _sealed_secret: &str,
        _code: &str,
        _now: domain::Timestamp,
    ) -> Result<Option<u64>, Failure> {
        Err(no_sealing_key())
    }
}

fn read_database(secret: &str) -> Result<Database, Failure> {
    // The parser's own words could repeat a part of the secret.
    let unreadable = |_| Failure::bug("database secret", "it is not the JSON that RDS writes");
    let secret: DatabaseSecret = serde_json::from_str(secret).map_err(unreadable)?;
    Ok(Database::new(DatabaseConfig {
        host: secret.host,
        port: secret.port,
        username: secret.username,
        password: secret.password,
        dbname: secret.dbname,
        ssl: secret.sslmode.as_deref() != Some("disable"),
    }))
}

pub(crate) fn token_verifier(parts: &Parts) -> Arc<dyn TokenVerifier> {
    Arc::new(EddsaVerifier::new(parts.token_parties(), parts.table(), parts.clock()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_cannot_be_read_is_not_repeated() {
        let error = read_database("{\"password\": hunter2}").err().unwrap();
        assert!(!crate::telemetry::chain(&error).contains("hunter2"));
    }
}
