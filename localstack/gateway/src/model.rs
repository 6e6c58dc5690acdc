//! What the gateway needs to know of `template.yaml`, with every intrinsic already resolved.
//! `template/` makes it; nothing else in the gateway sees YAML.

use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// By the binary's name, `send-message`.
    pub functions: BTreeMap<String, Function>,
    pub http: HttpApi,
    pub socket: SocketApi,
    pub event_sources: Vec<EventSource>,
    pub schedules: Vec<Schedule>,
    pub resources: Resources,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    pub name: String,
    pub environment: BTreeMap<String, String>,
    pub memory_mb: u32,
    pub timeout: Duration,
    pub reserved_concurrency: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct HttpApi {
    pub routes: Vec<HttpRoute>,
    pub cors: Option<Cors>,
}

/// `POST /v1/conversations/{conversation_id}/messages` → `send-message`.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpRoute {
    pub method: String,
    pub path: String,
    pub function: String,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cors {
    pub allow_origins: Vec<String>,
    pub allow_methods: Vec<String>,
    pub allow_headers: Vec<String>,
    pub expose_headers: Vec<String>,
    pub max_age_seconds: Option<u32>,
    pub allow_credentials: bool,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct SocketApi {
    pub stage: String,
    /// `$request.body.type`
    pub route_selection: String,
    /// By route key: `$connect`, `$disconnect`, `$default`, `heartbeat`, ….
    pub routes: BTreeMap<String, SocketRoute>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SocketRoute {
    pub function: String,
    /// The function's `body` goes back to the sender (`RouteResponseSelectionExpression`).
    pub has_route_response: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct EventSource {
    pub function: String,
    pub queue: String,
    pub batch_size: u32,
    pub batching_window: Duration,
    pub maximum_concurrency: u32,
    pub reports_item_failures: bool,
}

/// An EventBridge rule with a rate and one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// The rule's logical id in the template, `SweepEachMinute`.
    pub id: String,
    pub arn: String,
    pub interval: Duration,
    pub is_enabled: bool,
    pub function: String,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resources {
    pub tables: Vec<Table>,
    pub queues: Vec<Queue>,
    pub buckets: Vec<String>,
    pub secrets: Vec<Secret>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    pub name: String,
    /// Attribute name and type (`S`, `N`, `B`).
    pub partition_key: (String, String),
    pub sort_key: Option<(String, String)>,
    pub ttl_attribute: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Queue {
    pub name: String,
    pub fifo: bool,
    /// As `CreateQueue` takes them.
    pub attributes: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Secret {
    pub name: String,
    /// How many random characters `GenerateSecretString` asks for.
    pub length: usize,
}
