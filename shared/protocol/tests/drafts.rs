//! A draft survives the queue: what is written is read back as it was.
#![cfg(test)]

use domain::{ClientId, Draft, DraftParts, Mention, MessageKind, MessageText, Seq, Timestamp};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use protocol::job::PersistMessagesV1;
use protocol::value::MessageDraft;
use uuid::Uuid;

const KINDS: [MessageKind; 5] = [
    MessageKind::Text,
    MessageKind::Image,
    MessageKind::File,
    MessageKind::Audio,
    MessageKind::Video,
];

fn id() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn text() -> impl Strategy<Value = MessageText> {
    "(?s).{1,200}".prop_filter_map("a text that may be stored", |raw| MessageText::parse(&raw).ok())
}

/// Two positions in a text of so many characters, as a mention.
fn mention(user: Uuid, characters: u32, from: u32, length: u32) -> Mention {
    let start = from % characters;
    let length = 1 + length % (characters - start);
    Mention { user_id: domain::UserId(user), start, length }
}

fn draft() -> impl Strategy<Value = Draft> {
    let kind = prop::sample::select(KINDS.to_vec());
    let files = vec(id(), 1..=10);
    let mentions = vec((id(), any::<u32>(), any::<u32>()), 0..=50);
    let time = -62_135_596_800_000..=253_402_300_799_999_i64;
    let parts = (id(), kind, text(), option::of(1..i64::MAX), files, mentions, option::of(time));
    parts.prop_map(|(client_id, kind, text, reply_to, files, mentions, sent_at)| {
        let characters = u32::try_from(text.as_str().chars().count()).unwrap();
        let place = |(user, from, length)| mention(user, characters, from, length);
        let parts = DraftParts {
            client_id: ClientId(client_id),
            kind: Some(kind),
            text: Some(text),
            reply_to: reply_to.map(Seq),
            attachment_ids: if kind == MessageKind::Text { vec![] } else { files },
            mentions: mentions.into_iter().map(place).collect(),
            sent_at: sent_at.and_then(Timestamp::from_unix_ms),
        };
        Draft::parse(parts).unwrap()
    })
}

proptest! {
    #[test]
    fn a_draft_is_read_back_as_it_was_written(draft in draft()) {
        let json = serde_json::to_string(&MessageDraft::from(&draft)).unwrap();
        let read = serde_json::from_str::<MessageDraft>(&json).unwrap().parse();
        prop_assert_eq!(read, Ok(draft));
    }

    #[test]
    fn a_job_is_read_back_as_it_was_written(
        drafts in vec(draft(), 1..=10),
        ms in 0..i64::from(u32::MAX),
    ) {
        let accepted_at = Timestamp::from_unix_ms(ms).unwrap();
        let conversation = domain::ConversationId(Uuid::from_u128(1));
        let sender = domain::UserId(Uuid::from_u128(2));
        let trace = domain::TraceId(Uuid::from_u128(3));
        let job = PersistMessagesV1::new(conversation, sender, accepted_at, trace, drafts.iter());
        let json = serde_json::to_string(&job).unwrap();
        let read = serde_json::from_str::<PersistMessagesV1>(&json).unwrap().parse();
        prop_assert_eq!(read, Ok((accepted_at, drafts)));
    }

    #[test]
    fn no_document_makes_reading_a_draft_panic(
        text in ".{0,40}",
        seq in any::<i64>(),
        number in any::<u32>(),
    ) {
        let mention =
            protocol::value::Mention { user_id: Uuid::nil(), start: number, length: number };
        let draft = MessageDraft {
            client_id: Some(text.clone()),
            kind: Some(text.clone()),
            text: Some(text.clone()),
            reply_to: Some(seq),
            attachment_ids: Some(vec![text.clone()]),
            mentions: Some(vec![mention]),
            sent_at: Some(text),
        };
        prop_assert!(draft.parse().is_err());
    }
}
