//! Access tokens, password hashes and second factors.

mod guessing;
mod one_time_codes;
mod passwords;
mod signing;
mod verifying;

pub(crate) use guessing::GuessingJudge;
pub(crate) use one_time_codes::SealedCodes;
pub(crate) use passwords::Argon2Hasher;
pub(crate) use signing::{EddsaSigner, SigningKey};
pub(crate) use verifying::EddsaVerifier;

use serde::{Deserialize, Serialize};

/// `typ` of every access token (RFC 9068).
const TOKEN_TYPE: &str = "at+jwt";

/// What an access token says; nothing else is accepted.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    /// The user.
    sub: String,
    /// The session.
    sid: String,
    /// Seconds since 1970.
    iat: i64,
    exp: i64,
}

#[cfg(test)]
mod tests;
