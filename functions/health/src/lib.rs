//! Whether the functions run and stand on firm ground.
//!
//! One module is one deployed function: its handler and its entry.

pub mod check_liveness;
pub mod check_readiness;
