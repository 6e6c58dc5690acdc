//! Signing up, in and out.
//!
//! One module is one deployed function: its handler and its entry.

pub mod change_password;
pub mod confirm_two_factor;
pub mod disable_two_factor;
pub mod enrol_two_factor;
pub mod forgot_password;
pub mod get_jwks;
pub mod list_sessions;
pub mod login_user;
pub mod logout_session;
pub mod refresh_session;
pub mod register_user;
pub mod resend_email;
pub mod reset_password;
pub mod revoke_session;
pub mod revoke_sessions;
mod signed_in;
pub mod verify_email;
