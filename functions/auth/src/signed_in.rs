//! The one answer of register, login and refresh.

use protocol::body::{self, Me};
use service::SignedIn;

pub(crate) fn body(signed_in: SignedIn) -> body::SignedIn {
    body::SignedIn {
        user: Me::from(&signed_in.user),
        session_id: signed_in.session_id.0,
        access_token: signed_in.access.token,
        token_type: "Bearer".to_owned(),
        expires_in: signed_in.access.expires_in_seconds,
        refresh_token: signed_in.refresh_token,
    }
}
