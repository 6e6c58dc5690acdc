//! The only source of chance here.

use uuid::Uuid;

/// A UUID that nobody has used.
#[expect(clippy::disallowed_methods, reason = "tests stand for clients, who make these ids")]
pub fn unique_id() -> Uuid {
    Uuid::new_v4()
}

/// `ada-1f3a…`: a user name that nobody has taken.
pub fn unique_name(start: &str) -> String {
    let id = unique_id().simple().to_string();
    format!("{start}-{}", &id[..12])
}
