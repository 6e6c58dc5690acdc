//! The composition root. What a function asks for here is exactly what its statements in
//! `template.yaml` grant.

use std::sync::Arc;

use aws::{
    ClientOptions, Clients, LiveTable, ManagementPusher, SqsFanOutQueue, SqsPersistLane,
    SqsPersistQueue, secrets,
};
use domain::{TokenBucket, limits};
use postgres::{Database, DatabaseConfig, PgAccounts, PgConversations, PgMessages, PgProbe};
use serde::Deserialize;
use service::port::{Clock, Entropy, Failure, KeyDirectory, Pusher, TokenSigner, TokenVerifier};
use service::{
    Accounts, Archive, Closings, Conversations, Delivery, FanOut, Hangup, Health, Heartbeats,
    History, Messages, Openings, Profiles, Sessions, SignOut, SocketMessages, Tickets, Upgrades,
};

use crate::Rejection;
use crate::ambient::{SystemClock, SystemEntropy};
use crate::config::{Environment, name};
use crate::crypto::{Argon2Hasher, EddsaSigner, EddsaVerifier, SigningKey};

/// What a process builds its services from.
pub struct Parts {
    pub(crate) environment: Environment,
    clients: Clients,
    database: Option<Database>,
    signing_key: Option<SigningKey>,
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
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
        Ok(Self { environment, clients, database, signing_key, clock, entropy })
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

    fn delivery(&self, table: &Arc<LiveTable>) -> Delivery {
        Delivery {
            connections: table.clone(),
            pusher: self.pusher(),
            fan_out: self.fan_out_queue(),
            clock: self.clock(),
        }
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

/// For functions that stand on nothing.
pub fn nothing(_parts: &Parts) {}

pub fn key_directory(parts: &Parts) -> Arc<dyn KeyDirectory> {
    parts.table()
}

pub fn accounts(parts: &Parts) -> Accounts {
    let postgres = Arc::new(PgAccounts::new(parts.database()));
    Accounts {
        users: postgres.clone(),
        sessions: postgres,
        hasher: Arc::new(Argon2Hasher::default()),
        signer: parts.signer(),
        entropy: parts.entropy(),
        clock: parts.clock(),
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
    Profiles { users: Arc::new(PgAccounts::new(parts.database())) }
}

pub fn openings(parts: &Parts) -> Openings {
    let table = parts.table();
    Openings {
        conversations: Arc::new(PgConversations::new(parts.database())),
        copies: table.clone(),
        fan_out: parts.fan_out_queue(),
        entropy: parts.entropy(),
        clock: parts.clock(),
    }
}

pub fn conversations(parts: &Parts) -> Conversations {
    Conversations { conversations: Arc::new(PgConversations::new(parts.database())) }
}

pub fn messages(parts: &Parts) -> Messages {
    let table = parts.table();
    let queue_url = parts.environment.text(name::PERSIST_QUEUE_URL);
    Messages {
        gate: table.clone(),
        limiter: table,
        queue: Arc::new(SqsPersistQueue::new(parts.clients.sqs(), queue_url, parts.entropy())),
        clock: parts.clock(),
        bucket: TokenBucket {
            per_second: parts
                .environment
                .parsed(name::MESSAGES_PER_SECOND, limits::MESSAGES_PER_SECOND),
            burst: parts.environment.parsed(name::MESSAGES_BURST, limits::MESSAGES_BURST),
        },
    }
}

pub fn socket_messages(parts: &Parts) -> SocketMessages {
    SocketMessages { messages: messages(parts), hangup: parts.hangup(&parts.table()) }
}

pub fn history(parts: &Parts) -> History {
    History { store: Arc::new(PgMessages::new(parts.database())) }
}

/// Hands out tickets, and says where they are to be used.
#[derive(Clone)]
pub struct TicketDesk {
    pub tickets: Tickets,
    /// Absolute, without the ticket.
    pub socket_url: String,
}

pub fn ticket_desk(parts: &Parts) -> TicketDesk {
    let tickets = Tickets {
        sessions: Arc::new(PgAccounts::new(parts.database())),
        tickets: parts.table(),
        entropy: parts.entropy(),
        clock: parts.clock(),
    };
    TicketDesk { tickets, socket_url: parts.environment.text(name::SOCKET_URL) }
}

fn upgrades(parts: &Parts) -> Upgrades {
    let table = parts.table();
    Upgrades {
        tickets: table.clone(),
        connections: table.clone(),
        hangup: parts.hangup(&table),
        entropy: parts.entropy(),
        clock: parts.clock(),
    }
}

/// Opens sockets for pages that may have them.
#[derive(Clone)]
pub struct FrontDoor {
    pub upgrades: Upgrades,
    pub origins: Origins,
}

/// The web origins whose pages may open a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins(Vec<String>);

impl Origins {
    /// A list with commas between; `*` stands for any.
    pub(crate) fn new(list: &str) -> Self {
        Self(list.split(',').map(|origin| origin.trim().to_ascii_lowercase()).collect())
    }

    /// Only browsers send an origin, so a client without one is no page. 403 for a foreign one.
    pub fn check(&self, origin: Option<&str>) -> Result<(), Rejection> {
        let is_known = |origin: &str| {
            self.0.iter().any(|known| known == "*" || known.eq_ignore_ascii_case(origin))
        };
        if origin.is_none_or(is_known) {
            return Ok(());
        }
        let detail = "pages of this origin may not open a socket";
        Err(service::Error::Forbidden { code: "origin_not_allowed", detail }.into())
    }
}

pub fn front_door(parts: &Parts) -> FrontDoor {
    let origins = Origins::new(&parts.environment.text(name::ALLOWED_ORIGINS));
    FrontDoor { upgrades: upgrades(parts), origins }
}

pub fn closings(parts: &Parts) -> Closings {
    Closings { connections: parts.table() }
}

pub fn heartbeats(parts: &Parts) -> Heartbeats {
    let table = parts.table();
    Heartbeats {
        connections: table.clone(),
        conversations: Arc::new(PgConversations::new(parts.database())),
        hangup: parts.hangup(&table),
        clock: parts.clock(),
    }
}

pub fn archive(parts: &Parts) -> Archive {
    Archive {
        history: Arc::new(PgMessages::new(parts.database())),
        lane: Arc::new(SqsPersistLane::new(
            parts.clients.sqs(),
            parts.environment.text(name::PERSIST_QUEUE_URL),
            parts.environment.text(name::QUARANTINE_QUEUE_URL),
            parts.entropy(),
        )),
        delivery: parts.delivery(&parts.table()),
        clock: parts.clock(),
    }
}

pub fn fan_out(parts: &Parts) -> FanOut {
    FanOut { delivery: parts.delivery(&parts.table()) }
}

pub fn health(parts: &Parts) -> Health {
    Health { probes: vec![Arc::new(PgProbe::new(parts.database())), parts.table()] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_page_is_refused_and_a_client_that_is_no_page_is_not() {
        let origins = Origins::new("https://chat.example, https://admin.example");
        assert!(origins.check(None).is_ok());
        assert!(origins.check(Some("https://CHAT.example")).is_ok());
        for foreign in ["https://evil.example", "null", "", "https://chat.example.evil"] {
            assert!(origins.check(Some(foreign)).is_err(), "{foreign:?}");
        }
        assert!(Origins::new("*").check(Some("https://evil.example")).is_ok());
    }

    #[test]
    fn a_secret_that_cannot_be_read_is_not_repeated() {
        let error = read_database("{\"password\": hunter2}").err().unwrap();
        assert!(!crate::telemetry::chain(&error).contains("hunter2"));
    }
}
