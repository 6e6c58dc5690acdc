//! What Postgres refused, as the ports' errors. The only place that reads SQLSTATEs and the names
//! of constraints.

use std::error::Error as Source;
use std::fmt;

use service::port::{AppendError, Failure, RegisterError};
use tokio_postgres::error::DbError;

/// What this adapter calls itself in errors.
const WHAT: &str = "the database";

/// Why the database did not do what it was asked.
///
/// It never holds the driver's error: the DETAIL of one names the values of rows.
#[derive(Debug)]
pub struct DatabaseError {
    fault: Fault,
    /// The constraint that was violated.
    constraint: Option<String>,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The same again may work.
    Transient,
    /// Class 28: the server does not know us. To a caller it is as good as down.
    NotLetIn,
    /// Class 22: this content cannot be stored.
    BadData,
    /// 23505.
    NotUnique,
    Other,
}

impl DatabaseError {
    /// It cannot be reached, or not in time.
    pub(crate) fn transient(text: impl Into<String>) -> Self {
        Self { fault: Fault::Transient, constraint: None, text: text.into() }
    }

    /// A row or an answer that cannot be understood: a bug of ours, or somebody else's writing.
    pub(crate) fn unreadable(what: impl Into<String>) -> Self {
        let text = format!("{} cannot be understood", what.into());
        Self { fault: Fault::Other, constraint: None, text }
    }

    /// Opening a connection failed. Whatever the reason, the content of a request is not it.
    pub(crate) fn unreachable(error: &tokio_postgres::Error) -> Self {
        let text = format!("no connection: {}", describe(error));
        let is_unknown = error.code().is_some_and(|state| state.code().starts_with("28"));
        let fault = if is_unknown { Fault::NotLetIn } else { Fault::Transient };
        Self { fault, constraint: None, text }
    }

    /// Waiting does not help: the user or the password is wrong.
    pub(crate) fn is_not_let_in(&self) -> bool {
        self.fault == Fault::NotLetIn
    }

    /// Two transactions wrote the same message at once, which the lock of the conversation should
    /// have prevented; the second try finds the first one's row.
    pub(crate) fn is_message_race(&self) -> bool {
        let key = self.constraint.as_deref().unwrap_or_default();
        self.fault == Fault::NotUnique
            && ["messages_client_id_key", "messages_pkey", "messages_rev_key"].contains(&key)
    }

    pub(crate) fn is_transient(&self) -> bool {
        self.fault == Fault::Transient
    }

    pub(crate) fn is_email_taken(&self) -> bool {
        self.constraint.as_deref() == Some("users_email_key")
    }

    /// The race of [`Self::is_message_race`] was not over after all retries.
    pub(crate) fn into_transient(self) -> Self {
        Self { fault: Fault::Transient, ..self }
    }
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Source for DatabaseError {}

impl From<tokio_postgres::Error> for DatabaseError {
    fn from(error: tokio_postgres::Error) -> Self {
        let text = describe(&error);
        let Some(db) = error.as_db_error() else {
            let is_lost = error.is_closed() || io_source(&error).is_some();
            let fault = if is_lost { Fault::Transient } else { Fault::Other };
            return Self { fault, constraint: None, text };
        };
        let fault = fault_of(db.code().code());
        Self { fault, constraint: db.constraint().map(str::to_owned), text }
    }
}

/// 08 connection, 40 rolled back (deadlock, serialisation), 53 out of resources or connections,
/// 57 operator (cancelled, timed out, shutting down); 25006 is what a primary that became a
/// replica says, 55P03 a lock that was not to be had in time.
fn fault_of(sqlstate: &str) -> Fault {
    match (sqlstate.get(..2), sqlstate) {
        (Some("08" | "40" | "53" | "57"), _) | (_, "25006" | "55P03") => Fault::Transient,
        (Some("22"), _) => Fault::BadData,
        (_, "23505") => Fault::NotUnique,
        _ => Fault::Other,
    }
}

fn describe(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), io_source(error)) {
        (Some(db), _) => describe_refusal(db),
        (None, Some(io)) => format!("{error}: {io}"),
        (None, None) => error.to_string(),
    }
}

/// Never the DETAIL. The message of class 22 quotes the value, too.
fn describe_refusal(db: &DbError) -> String {
    let code = db.code().code();
    match db.constraint() {
        Some(constraint) => format!("SQLSTATE {code}, constraint {constraint}"),
        None if code.starts_with("22") => format!("SQLSTATE {code}"),
        None => format!("SQLSTATE {code}, {}", db.message()),
    }
}

fn io_source(error: &tokio_postgres::Error) -> Option<&std::io::Error> {
    error.source()?.downcast_ref()
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        match error.fault {
            Fault::Transient | Fault::NotLetIn => Self::unavailable(WHAT, error),
            Fault::BadData | Fault::NotUnique | Fault::Other => Self::bug(WHAT, error),
        }
    }
}

impl From<DatabaseError> for AppendError {
    fn from(error: DatabaseError) -> Self {
        match error.fault {
            Fault::Transient | Fault::NotLetIn => Self::Transient(Box::new(error)),
            Fault::BadData => Self::BadData(Box::new(error)),
            Fault::NotUnique | Fault::Other => Self::Unknown(Box::new(error)),
        }
    }
}

impl From<DatabaseError> for RegisterError {
    fn from(error: DatabaseError) -> Self {
        match error.constraint.as_deref() {
            Some("users_username_key") => Self::UsernameTaken,
            Some("users_email_key") => Self::EmailTaken,
            _ => Self::Failure(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_work_later_is_transient() {
        for state in ["08006", "53300", "57014", "57P01", "57P03", "40001", "40P01", "25006"] {
            assert_eq!(fault_of(state), Fault::Transient, "{state}");
        }
    }

    #[test]
    fn what_can_never_be_stored_is_bad_data() {
        for state in ["22021", "22P05", "22001", "22003"] {
            assert_eq!(fault_of(state), Fault::BadData, "{state}");
        }
    }

    #[test]
    fn everything_else_is_unknown() {
        for state in ["23503", "23514", "42P01", "XX000", "25P02", "", "2"] {
            assert_eq!(fault_of(state), Fault::Other, "{state}");
        }
        assert_eq!(fault_of("23505"), Fault::NotUnique);
    }
}
