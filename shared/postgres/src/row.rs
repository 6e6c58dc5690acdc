//! Rows as values of the domain, and back.

use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::{
    AvatarUrl, ClientId, Conversation, ConversationId, Description, Emoji, Invalid, Mention,
    Message, MessageText, Reaction, Seq, SystemEvent, Timestamp, Title, UserId,
};
use serde_json::{Value, json};
use service::Recipient;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use uuid::Uuid;

use crate::error::DatabaseError;

pub(crate) type Read<T> = Result<T, DatabaseError>;

/// The value of a column, by name.
pub(crate) fn column<'a, T: FromSql<'a>>(row: &'a Row, name: &str) -> Read<T> {
    Ok(row.try_get(name)?)
}

/// A column with one of the domain's checked values.
pub(crate) fn parsed<T>(
    row: &Row,
    name: &str,
    parse: impl Fn(&str) -> Result<T, Invalid>,
) -> Read<T> {
    parse(column(row, name)?).map_err(|_| DatabaseError::unreadable(name))
}

pub(crate) fn parsed_opt<T>(
    row: &Row,
    name: &str,
    parse: impl Fn(&str) -> Result<T, Invalid>,
) -> Read<Option<T>> {
    let raw: Option<&str> = column(row, name)?;
    raw.map(parse).transpose().map_err(|_| DatabaseError::unreadable(name))
}

/// What the driver writes as timestamptz.
pub(crate) fn instant(at: Timestamp) -> SystemTime {
    let distance = Duration::from_millis(at.unix_ms().unsigned_abs());
    if at.unix_ms() < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
}

pub(crate) fn from_instant(at: SystemTime) -> Option<Timestamp> {
    let ms = match at.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).ok()?,
        Err(before) => -i64::try_from(before.duration().as_millis()).ok()?,
    };
    Timestamp::from_unix_ms(ms)
}

pub(crate) fn time(row: &Row, name: &str) -> Read<Timestamp> {
    from_instant(column(row, name)?).ok_or_else(|| DatabaseError::unreadable(name))
}

pub(crate) fn time_opt(row: &Row, name: &str) -> Read<Option<Timestamp>> {
    let at: Option<SystemTime> = column(row, name)?;
    let read = |at| from_instant(at).ok_or_else(|| DatabaseError::unreadable(name));
    at.map(read).transpose()
}

/// What a digest looks like. Anything else is known to nobody, and Postgres need not be asked: not
/// every text is one that it can hold.
pub(crate) fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

pub(crate) fn user_id(row: &Row, name: &str) -> Read<UserId> {
    column(row, name).map(UserId)
}

pub(crate) fn user_ids(row: &Row, name: &str) -> Read<Vec<UserId>> {
    let ids: Vec<Uuid> = column(row, name)?;
    Ok(ids.into_iter().map(UserId).collect())
}

pub(crate) fn seq(row: &Row, name: &str) -> Read<Seq> {
    column(row, name).map(Seq)
}

/// People and where their view of the history begins, from two columns of arrays; none from nulls.
pub(crate) fn recipients(row: &Row, ids: &str, joined: &str) -> Read<Vec<Recipient>> {
    let ids: Option<Vec<Uuid>> = column(row, ids)?;
    let joined: Option<Vec<i64>> = column(row, joined)?;
    let recipient = |(id, seq)| Recipient { user_id: UserId(id), joined_seq: Seq(seq) };
    Ok(ids.into_iter().flatten().zip(joined.into_iter().flatten()).map(recipient).collect())
}

pub(crate) fn count(row: &Row, name: &str) -> Read<u32> {
    let count: i64 = column(row, name)?;
    u32::try_from(count).map_err(|_| DatabaseError::unreadable(name))
}

pub(crate) fn conversation(row: &Row) -> Read<Conversation> {
    Ok(Conversation {
        id: ConversationId(column(row, "id")?),
        conversation_type: parsed(row, "type", FromStr::from_str)?,
        title: parsed_opt(row, "title", Title::parse)?,
        description: parsed_opt(row, "description", Description::parse)?,
        avatar_url: parsed_opt(row, "avatar_url", AvatarUrl::parse)?,
        shares_history: column(row, "shares_history")?,
        created_by: user_id(row, "created_by")?,
        created_at: time(row, "created_at")?,
        changed_at: time(row, "changed_at")?,
        last_seq: seq(row, "last_seq")?,
        member_count: count(row, "member_count")?,
    })
}

/// The message whose columns carry this prefix; `None` when they are null, as an outer join
/// leaves them.
pub(crate) fn message(row: &Row, prefix: &str) -> Read<Option<Message>> {
    let at = |name: &str| format!("{prefix}{name}");
    let Some(seq_number): Option<i64> = column(row, &at("seq"))? else { return Ok(None) };
    let reply_to: Option<i64> = column(row, &at("reply_to"))?;
    let event: Option<Value> = column(row, &at("event"))?;
    let unreadable = |name: &str| DatabaseError::unreadable(format!("messages.{name}"));
    Ok(Some(Message {
        conversation_id: ConversationId(column(row, &at("conversation_id"))?),
        seq: Seq(seq_number),
        rev: seq(row, &at("rev"))?,
        client_id: ClientId(column(row, &at("client_id"))?),
        sender_id: user_id(row, &at("sender_id"))?,
        kind: parsed(row, &at("kind"), FromStr::from_str)?,
        text: parsed_opt(row, &at("text"), MessageText::parse)?,
        reply_to: reply_to.map(Seq),
        mentions: mentions_from(&column(row, &at("mentions"))?)
            .ok_or_else(|| unreadable("mentions"))?,
        reactions: reactions_from(&column(row, &at("reactions"))?)
            .ok_or_else(|| unreadable("reactions"))?,
        event: match event {
            Some(json) => Some(event_from(&json).ok_or_else(|| unreadable("event"))?),
            None => None,
        },
        pinned: column(row, &at("pinned"))?,
        sent_at: time_opt(row, &at("sent_at"))?,
        created_at: time(row, &at("created_at"))?,
        edited_at: time_opt(row, &at("edited_at"))?,
        deleted_at: time_opt(row, &at("deleted_at"))?,
    }))
}

pub(crate) fn mentions_json(mentions: &[Mention]) -> Value {
    let one = |mention: &Mention| {
        json!({
            "user_id": mention.user_id.to_string(),
            "start": mention.start,
            "length": mention.length,
        })
    };
    mentions.iter().map(one).collect()
}

fn mentions_from(json: &Value) -> Option<Vec<Mention>> {
    let number = |value: &Value| u32::try_from(value.as_u64()?).ok();
    let one = |value: &Value| {
        Some(Mention {
            user_id: value.get("user_id")?.as_str()?.parse().ok()?,
            start: number(value.get("start")?)?,
            length: number(value.get("length")?)?,
        })
    };
    json.as_array()?.iter().map(one).collect()
}

pub(crate) fn reactions_json(reactions: &[Reaction]) -> Value {
    let one = |reaction: &Reaction| {
        let ids: Value = reaction.user_ids.iter().map(ToString::to_string).collect();
        json!({ "emoji": reaction.emoji.as_str(), "count": reaction.count, "user_ids": ids })
    };
    reactions.iter().map(one).collect()
}

fn reactions_from(json: &Value) -> Option<Vec<Reaction>> {
    let id = |value: &Value| value.as_str()?.parse().ok();
    let one = |value: &Value| {
        Some(Reaction {
            emoji: Emoji::parse(value.get("emoji")?.as_str()?).ok()?,
            count: u32::try_from(value.get("count")?.as_u64()?).ok()?,
            user_ids: value.get("user_ids")?.as_array()?.iter().map(id).collect::<Option<_>>()?,
        })
    };
    json.as_array()?.iter().map(one).collect()
}

pub(crate) fn event_json(event: &SystemEvent) -> Value {
    let ids: Value = event.user_ids.iter().map(ToString::to_string).collect();
    let mut json = json!({
        "type": event.event_type.as_str(),
        "actor_id": event.actor_id.to_string(),
        "user_ids": ids,
    });
    if let Some(title) = &event.title {
        json["title"] = title.as_str().into();
    }
    if let Some(role) = event.role {
        json["role"] = role.as_str().into();
    }
    json
}

fn event_from(json: &Value) -> Option<SystemEvent> {
    let id = |value: &Value| value.as_str()?.parse().ok();
    Some(SystemEvent {
        event_type: json.get("type")?.as_str()?.parse().ok()?,
        actor_id: id(json.get("actor_id")?)?,
        user_ids: json.get("user_ids")?.as_array()?.iter().map(id).collect::<Option<_>>()?,
        title: match json.get("title") {
            Some(title) => Some(Title::parse(title.as_str()?).ok()?),
            None => None,
        },
        role: match json.get("role") {
            Some(role) => Some(role.as_str()?.parse().ok()?),
            None => None,
        },
    })
}

#[cfg(test)]
mod tests {
    use domain::{EventType, Role};

    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(ms).unwrap()
    }

    #[test]
    fn a_time_before_1970_is_kept_to_the_millisecond() {
        for ms in [-62_135_596_800_000, -1_500, -1, 0, 1, 1_700_000_000_123, 253_402_300_799_999] {
            assert_eq!(from_instant(instant(at(ms))), Some(at(ms)));
        }
    }

    #[test]
    fn mentions_reactions_and_events_are_read_back_as_they_were_written() {
        let user_id = UserId(Uuid::from_u128(7));
        let mentions = vec![Mention { user_id, start: 0, length: u32::MAX }];
        assert_eq!(mentions_from(&mentions_json(&mentions)), Some(mentions));
        let emoji = Emoji::parse("👍").unwrap();
        let reactions = vec![Reaction { emoji, count: 3, user_ids: vec![user_id] }];
        assert_eq!(reactions_from(&reactions_json(&reactions)), Some(reactions));
        let event = SystemEvent {
            event_type: EventType::ConversationCreated,
            actor_id: user_id,
            user_ids: vec![user_id],
            title: None,
            role: None,
        };
        assert_eq!(event_from(&event_json(&event)), Some(event.clone()));
        let title = Title::parse("Team").unwrap();
        let event = SystemEvent { title: Some(title), role: Some(Role::Admin), ..event };
        assert_eq!(event_from(&event_json(&event)), Some(event));
    }

    #[test]
    fn only_a_digest_is_looked_up() {
        assert!(is_digest(&"0a".repeat(32)));
        for hostile in ["", "\0", &"0A".repeat(32), &"0a".repeat(33), &"é".repeat(32)] {
            assert!(!is_digest(hostile), "{hostile:?}");
        }
    }

    #[test]
    fn hostile_json_in_a_row_is_unreadable_and_no_panic() {
        for hostile in [json!(null), json!({}), json!([{}]), json!([{"user_id": 1}]), json!("x")] {
            assert_eq!(mentions_from(&hostile), None, "{hostile}");
            assert_eq!(reactions_from(&hostile), None, "{hostile}");
            assert_eq!(event_from(&hostile), None, "{hostile}");
        }
    }
}
