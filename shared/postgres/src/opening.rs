//! Opening conversations.

use std::collections::BTreeSet;

use domain::{EventType, SystemEvent, UserId};
use service::port::{Created, NewDirect, NewGroup, OpenError};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::database::{Database, Parameter};
use crate::error::DatabaseError;
use crate::query;
use crate::row::{column, conversation, event_json, instant, message, user_ids};

/// What the inserting statement and the two that read behind it said.
struct Answer {
    inserted: Vec<Row>,
    opened: Vec<Row>,
    first_message: Vec<Row>,
}

pub(crate) async fn open_direct(
    database: &Database,
    direct: NewDirect,
) -> Result<Created, OpenError> {
    let insert: [Parameter<'_>; 4] = [
        (&direct.id.0, Type::UUID),
        (&direct.creator.0, Type::UUID),
        (&direct.other.0, Type::UUID),
        (&instant(direct.created_at), Type::TIMESTAMPTZ),
    ];
    let opened: [Parameter<'_>; 3] =
        [(&direct.id.0, Type::UUID), (&None::<Uuid>, Type::UUID), (&None::<Uuid>, Type::UUID)];
    let answer =
        insert_and_read(database, (query::INSERT_DIRECT, &insert), &opened, direct.id.0).await?;
    judge(&answer, &[direct.creator, direct.other])
}

pub(crate) async fn open_group(database: &Database, group: NewGroup) -> Result<Created, OpenError> {
    let others: Vec<Uuid> = group.member_ids.iter().map(|id| id.0).collect();
    let event = event_json(&SystemEvent {
        event_type: EventType::ConversationCreated,
        actor_id: group.creator,
        user_ids: group.member_ids.clone(),
        title: None,
        role: None,
    });
    let insert: [Parameter<'_>; 7] = [
        (&group.id.0, Type::UUID),
        (&group.creator.0, Type::UUID),
        (&group.client_id.0, Type::UUID),
        (&group.title.as_str(), Type::TEXT),
        (&others, Type::UUID_ARRAY),
        (&instant(group.created_at), Type::TIMESTAMPTZ),
        (&event, Type::JSONB),
    ];
    let opened: [Parameter<'_>; 3] = [
        (&None::<Uuid>, Type::UUID),
        (&group.creator.0, Type::UUID),
        (&group.client_id.0, Type::UUID),
    ];
    let answer =
        insert_and_read(database, (query::INSERT_GROUP, &insert), &opened, group.id.0).await?;
    let people: Vec<UserId> = std::iter::once(group.creator).chain(group.member_ids).collect();
    judge(&answer, &people)
}

/// Three statements, sent at once. The inserting one is atomic by itself; the others read what is
/// there after it, whoever inserted it. The first message is found under the id of a new group
/// only.
async fn insert_and_read(
    database: &Database,
    (insert, insert_parameters): (&str, &[Parameter<'_>]),
    opened_parameters: &[Parameter<'_>],
    id: Uuid,
) -> Result<Answer, DatabaseError> {
    let mut lease = database.lease().await?;
    let client = lease.client();
    let first: [Parameter<'_>; 2] = [(&id, Type::UUID), (&1_i64, Type::INT8)];
    let pipeline = async {
        let (inserted, opened, first_message) = tokio::join!(
            client.query_typed(insert, insert_parameters),
            client.query_typed(query::OPENED, opened_parameters),
            client.query_typed(query::MESSAGE, &first),
        );
        Ok(Answer { inserted: inserted?, opened: opened?, first_message: first_message? })
    };
    lease.settle(pipeline).await
}

/// What is there is answered, even where it could not be opened any more, but to nobody who is
/// not in it. The first of the people opens it.
fn judge(answer: &Answer, people: &[UserId]) -> Result<Created, OpenError> {
    let unreadable = || DatabaseError::unreadable("the answer to opening a conversation");
    let inserted = answer.inserted.first().ok_or_else(unreadable)?;
    let is_new: bool = column(inserted, "is_new")?;
    if let Some(opened) = answer.opened.first() {
        let member_ids = user_ids(opened, "member_ids")?;
        if !people.first().is_some_and(|creator| member_ids.contains(creator)) {
            return Err(OpenError::NotAMember);
        }
        let first_message = answer.first_message.first().filter(|_| is_new);
        return Ok(Created {
            conversation: conversation(opened)?,
            is_new,
            member_ids,
            first_message: first_message.map(|row| message(row, "")).transpose()?.flatten(),
        });
    }
    let known: BTreeSet<UserId> = user_ids(inserted, "known_users")?.into_iter().collect();
    let unknown: BTreeSet<UserId> =
        people.iter().copied().filter(|id| !known.contains(id)).collect();
    if !unknown.is_empty() {
        return Err(OpenError::UnknownUsers(unknown.into_iter().collect()));
    }
    let is_blocked: bool = column(inserted, "is_blocked")?;
    Err(if is_blocked { OpenError::Blocked } else { unreadable().into() })
}

impl From<DatabaseError> for OpenError {
    fn from(error: DatabaseError) -> Self {
        Self::Failure(error.into())
    }
}
