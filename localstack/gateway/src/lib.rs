//! The local stand-in for API Gateway, Lambda and the event source mappings. It reads
//! `template.yaml` and runs what it declares; `main.rs` puts the parts together.

pub mod cli;
pub mod environment;
pub mod event_sources;
pub mod faults;
pub mod front;
pub mod host;
pub mod http_api;
pub mod invoke;
pub mod invoke_remote;
pub mod launch;
pub mod model;
pub mod resources;
pub mod schedules;
pub mod socket;
pub mod template;
pub mod usage;
