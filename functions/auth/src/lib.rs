//! Signing up, in and out.
//!
//! One module is one deployed function: its handler and its entry.

pub mod get_jwks;
pub mod login_user;
pub mod logout_session;
pub mod refresh_session;
pub mod register_user;
mod signed_in;
