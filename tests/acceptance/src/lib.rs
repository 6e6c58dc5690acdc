//! What the stories share: who they are about, and the template as they need it. Each directory
//! beside is one binary, whose stories share one running system.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a story fails by panicking")]

pub mod hearing;
pub mod people;
pub mod template;
