//! The only source of chance and of time here.

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

/// The time by the machine's clock, as the live table keeps it.
#[expect(clippy::disallowed_methods, reason = "a test has no clock but the machine's")]
pub fn now_unix_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
