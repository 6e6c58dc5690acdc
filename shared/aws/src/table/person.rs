//! What an item `U#…` holds: the sockets of one person, the marks of their ended sessions, the
//! last status of the others, what their watchers were told last, and when they were last seen.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{ConnectionId, Presence, SessionId, Status, Timestamp, UserId, limits};
use service::port::{Failure, Sighting};
use service::{Connection, Identity};

use super::Attributes;
use super::item::{self, Item};

/// How failures name the item.
const KIND: &str = "U#";
/// What every name of a connection in the item starts with.
const CONNECTION_PREFIX: &str = "c#";
/// What every mark of an ended session in the item starts with.
const ENDED_PREFIX: &str = "s#";
/// What every mark of a session's last status in the item starts with.
const STATUS_PREFIX: &str = "p#";
/// Attributes swept at once; the next sweep takes the next ones.
const SWEPT_AT_ONCE: usize = 50;

/// A connection as it is listed with its person.
pub(super) struct Listed {
    pub(super) connection: Connection,
    pub(super) status: Status,
}

impl Listed {
    /// Whether pushes may still reach it: on record, and with a heartbeat not long ago.
    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        let Self { connection, .. } = self;
        now < record_end(connection) && now < connection.seen_at.plus(limits::CONNECTION_LEASE)
    }
}

/// The value of the attribute [`name_of`] this connection.
pub(super) fn entry(connection: &Connection, status: Status) -> AttributeValue {
    AttributeValue::M(Attributes::from([
        ("session".to_owned(), item::text(connection.identity.session_id)),
        ("since".to_owned(), item::time(connection.since)),
        ("seen".to_owned(), item::time(connection.seen_at)),
        ("status".to_owned(), item::text(status.as_str())),
    ]))
}

/// The name of the mark that a session has ended; its value is when.
pub(super) fn mark_of(session: SessionId) -> String {
    format!("{ENDED_PREFIX}{session}")
}

/// The name of the mark with a session's last status; its value is [`status_mark`].
pub(super) fn status_mark_of(session: SessionId) -> String {
    format!("{STATUS_PREFIX}{session}")
}

/// What a device said last, and when.
pub(super) fn status_mark(status: Status, at: Timestamp) -> AttributeValue {
    AttributeValue::M(Attributes::from([
        ("status".to_owned(), item::text(status.as_str())),
        ("at".to_owned(), item::time(at)),
    ]))
}

/// What the next socket of this session begins with.
pub(super) fn status_of(attributes: &Attributes, session: SessionId) -> Result<Status, Failure> {
    match attributes.get(&status_mark_of(session)) {
        None => Ok(Status::default()),
        Some(AttributeValue::M(mark)) => Item { kind: KIND, attributes: mark }.text("status"),
        Some(_) => Err(Item { kind: KIND, attributes }.malformed(STATUS_PREFIX)),
    }
}

pub(super) fn name_of(id: &ConnectionId) -> String {
    format!("{CONNECTION_PREFIX}{id}")
}

/// A socket cannot be open any more then.
pub(super) fn record_end(connection: &Connection) -> Timestamp {
    connection.since.plus(limits::CONNECTION_RECORD_LIFETIME)
}

/// As long as a socket of the session could be on record.
pub(super) fn mark_end(ended_at: Timestamp) -> Timestamp {
    ended_at.plus(limits::CONNECTION_RECORD_LIFETIME)
}

/// The connections of an item, by their names.
pub(super) fn listed(attributes: &Attributes) -> Result<Vec<Listed>, Failure> {
    let user_id = user_of(attributes)?;
    let malformed = || Item { kind: KIND, attributes }.malformed(CONNECTION_PREFIX);
    let entries = attributes.iter().filter_map(|(name, value)| {
        let id = name.strip_prefix(CONNECTION_PREFIX)?;
        Some((id, value))
    });
    let read = |(id, value): (&str, &AttributeValue)| {
        let AttributeValue::M(attributes) = value else { return Err(malformed()) };
        let id = ConnectionId::parse(id).map_err(|_| malformed())?;
        let entry = Item { kind: KIND, attributes };
        let identity = Identity { user_id, session_id: entry.text("session")? };
        let (since, seen_at) = (entry.time("since")?, entry.time("seen")?);
        let connection = Connection { id, identity, since, seen_at };
        Ok(Listed { connection, status: entry.optional_text("status")?.unwrap_or_default() })
    };
    let mut listed = entries.map(read).collect::<Result<Vec<_>, _>>()?;
    listed.sort_by(|one, next| one.connection.id.cmp(&next.connection.id));
    Ok(listed)
}

/// Whether somebody was there once, or is; marks of ended sessions and `kept` tell nothing of it.
pub(super) fn tells_of_presence(name: &str, kept: &[&str]) -> bool {
    !name.starts_with(ENDED_PREFIX) && !name.starts_with(CONNECTION_PREFIX) && !kept.contains(&name)
}

/// Ids of the connections of an item, whatever else is written of them.
pub(super) fn listed_ids(attributes: &Attributes) -> impl Iterator<Item = &str> {
    attributes.keys().filter_map(|name| name.strip_prefix(CONNECTION_PREFIX))
}

/// The person of an item.
pub(super) fn sighting(attributes: &Attributes, now: Timestamp) -> Result<Sighting, Failure> {
    let item = Item { kind: KIND, attributes };
    let listed = listed(attributes)?;
    let live = listed.iter().filter(|listed| listed.is_live(now));
    Ok(Sighting {
        user_id: user_of(attributes)?,
        statuses: live.map(|listed| listed.status).collect(),
        last_seen_at: item.optional_time("last_seen")?,
        announced: item.optional_text("announced")?.unwrap_or_default(),
    })
}

/// Until when the item says that the person hides, if no socket of theirs with a valid lease does.
pub(super) fn needlessly_hidden(
    attributes: &Attributes,
    now: Timestamp,
) -> Result<Option<Timestamp>, Failure> {
    let Some(until) = Item { kind: KIND, attributes }.optional_time("hidden_until")? else {
        return Ok(None);
    };
    let listed = listed(attributes)?;
    let hides = |listed: &Listed| listed.status == Status::Invisible && listed.is_live(now);
    Ok(Some(until).filter(|_| !listed.iter().any(hides)))
}

/// The person of an item that is not there.
pub(super) fn never_seen(user_id: UserId) -> Sighting {
    let announced = Presence::default();
    Sighting { user_id, statuses: Vec::new(), last_seen_at: None, announced }
}

/// Names of attributes that are of no use any more: marks of sessions, and connections, so old
/// that none of their sockets can be open. Not more than one update may remove. The last status of
/// a session without a socket goes as late: its device says its status again anyway.
pub(super) fn overdue(attributes: &Attributes, now: Timestamp) -> Result<Vec<String>, Failure> {
    let is_old_mark = |(name, value): &(&String, &AttributeValue)| {
        let AttributeValue::N(ended_at) = value else { return false };
        let ended_at = ended_at.parse().ok().and_then(Timestamp::from_unix_ms);
        name.starts_with(ENDED_PREFIX) && ended_at.is_some_and(|at| mark_end(at) <= now)
    };
    let marks = attributes.iter().filter(is_old_mark).map(|(name, _)| name.clone());
    let listed = listed(attributes)?;
    let ended = listed.iter().map(|listed| &listed.connection);
    let ended = ended.filter(|connection| record_end(connection) <= now);
    let connections = ended.map(|connection| name_of(&connection.id));
    let statuses = attributes.iter().filter(|(name, value)| {
        let Some(session) = name.strip_prefix(STATUS_PREFIX) else { return false };
        let is_of = |listed: &Listed| listed.connection.identity.session_id.to_string() == session;
        is_old_status(value, now) && !listed.iter().any(is_of)
    });
    let statuses = statuses.map(|(name, _)| name.clone());
    Ok(marks.chain(connections).chain(statuses).take(SWEPT_AT_ONCE).collect())
}

/// One that cannot be read counts as old.
fn is_old_status(mark: &AttributeValue, now: Timestamp) -> bool {
    let AttributeValue::M(mark) = mark else { return true };
    let at = Item { kind: KIND, attributes: mark }.time("at");
    at.map_or(true, |at| mark_end(at) <= now)
}

fn user_of(attributes: &Attributes) -> Result<UserId, Failure> {
    let item = Item { kind: KIND, attributes };
    let pk: String = item.text("pk")?;
    let user_id = pk.strip_prefix(KIND).and_then(|raw| raw.parse().ok());
    user_id.ok_or_else(|| item.malformed("pk"))
}
