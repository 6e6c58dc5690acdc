//! Ids in the shapes that API Gateway gives them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;

/// A request of the HTTP API: a UUID.
#[expect(clippy::disallowed_methods, reason = "the gateway plays the platform: it makes the ids")]
pub(crate) fn request() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// A connection, a frame or a socket's request: 11 random bytes, such as `ZmDx-dJ4FiACFkQ=`.
/// The `=` matters: clients of `@connections` send it as `%3D`.
#[expect(clippy::disallowed_methods, reason = "the gateway plays the platform: it makes the ids")]
pub(crate) fn socket() -> String {
    let random = uuid::Uuid::new_v4().into_bytes();
    URL_SAFE.encode(&random[..11])
}
