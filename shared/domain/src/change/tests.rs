use uuid::Uuid;

use super::*;
use crate::{ClientId, ConversationId, Seq};

const ADA: UserId = UserId(Uuid::from_u128(1));
const BOB: UserId = UserId(Uuid::from_u128(2));

fn message() -> Message {
    Message {
        conversation_id: ConversationId(Uuid::from_u128(9)),
        seq: Seq(4),
        rev: Seq(4),
        client_id: ClientId(Uuid::from_u128(8)),
        sender_id: ADA,
        kind: MessageKind::Text,
        text: Some(MessageText::parse("hello").unwrap()),
        reply_to: None,
        mentions: vec![],
        reactions: vec![],
        event: None,
        pinned: false,
        sent_at: None,
        created_at: Timestamp::from_unix_ms(0).unwrap(),
        edited_at: None,
        deleted_at: None,
    }
}

/// An owner, without a block.
fn actor(user_id: UserId, conversation_type: ConversationType) -> Actor {
    Actor { user_id, role: Role::Owner, conversation_type, is_blocked: false }
}

fn emoji(raw: &str) -> Emoji {
    Emoji::parse(raw).unwrap()
}

fn later() -> Timestamp {
    Timestamp::from_unix_ms(1_000).unwrap()
}

fn edit(text: &str) -> Change {
    Change::Edit { text: MessageText::parse(text).unwrap(), mentions: vec![] }
}

/// Every role × action of a group, on one's own message and on another's; then a direct one, and
/// one behind a block, which says nothing in a group.
#[test]
fn each_role_may_do_what_the_table_says() {
    use Role::{Admin, Member, Owner};
    let table: &[(Role, bool, [bool; 4])] = &[
        // role, is it one's own, [edit, delete, react, pin]
        (Owner, true, [true, true, true, true]),
        (Owner, false, [false, true, true, true]),
        (Admin, true, [true, true, true, true]),
        (Admin, false, [false, true, true, true]),
        (Member, true, [true, true, true, false]),
        (Member, false, [false, false, true, false]),
    ];
    for (role, is_own, allowed) in table {
        let user_id = if *is_own { ADA } else { BOB };
        let actor = |conversation_type| Actor { role: *role, ..actor(user_id, conversation_type) };
        let behind_a_block =
            |conversation_type| Actor { is_blocked: true, ..actor(conversation_type) };
        let changes = [edit("new"), Change::Delete, Change::React(emoji("👍")), Change::Pin];
        for (change, is_allowed) in changes.iter().zip(allowed) {
            let group = ConversationType::Group;
            for actor in [actor(group), behind_a_block(group)] {
                let answer = change.check(&actor, &message());
                assert_eq!(answer.is_ok(), *is_allowed, "{role:?} {is_own} {change:?}");
            }
        }
        let direct = [*is_own, *is_own, true, true];
        for (change, is_allowed) in changes.iter().zip(direct) {
            let answer = change.check(&actor(ConversationType::Direct), &message());
            assert_eq!(answer.is_ok(), is_allowed, "direct {is_own} {change:?}");
        }
        for (change, is_allowed) in changes.iter().zip([false, *is_own, false, false]) {
            let answer = change.check(&behind_a_block(ConversationType::Direct), &message());
            assert_eq!(answer.is_ok(), is_allowed, "blocked {is_own} {change:?}");
        }
    }
}

#[test]
fn what_the_server_wrote_stays_as_it_is() {
    let system = Message { kind: MessageKind::System, ..message() };
    let owner = actor(ADA, ConversationType::Group);
    for change in [edit("x"), Change::Delete, Change::React(emoji("👍")), Change::Pin] {
        assert_eq!(change.check(&owner, &system), Err(ChangeRefusal::NotAllowed));
    }
}

#[test]
fn a_tombstone_is_empty_and_does_not_change() {
    let mut full = message();
    full.pinned = true;
    full.set_reaction(Reaction { emoji: emoji("👍"), count: 1, user_ids: vec![BOB] });
    let dead = Change::Delete.apply(&full, later()).unwrap();
    assert!(dead.text.is_none() && dead.reactions.is_empty() && !dead.pinned);
    assert_eq!(dead.deleted_at, Some(later()));
    let ada = actor(ADA, ConversationType::Group);
    for change in [edit("x"), Change::React(emoji("👍")), Change::Pin] {
        assert_eq!(change.check(&ada, &dead), Err(ChangeRefusal::MessageDeleted));
    }
    assert_eq!(Change::Delete.check(&ada, &dead), Ok(()));
    assert_eq!(Change::Delete.apply(&dead, later()), None);
}

#[test]
fn a_change_that_changes_nothing_is_none() {
    assert_eq!(edit("hello").apply(&message(), later()), None);
    assert_eq!(Change::Unpin.apply(&message(), later()), None);
    assert_eq!(edit("other").apply(&message(), later()).unwrap().edited_at, Some(later()));
}

#[test]
fn a_message_has_a_bounded_number_of_emoji() {
    let mut full = message();
    for index in 0..limits::EMOJI_PER_MESSAGE {
        let face = char::from_u32(0x1F600 + u32::try_from(index).unwrap()).unwrap();
        let emoji = emoji(&face.to_string());
        full.set_reaction(Reaction { emoji, count: 1, user_ids: vec![BOB] });
    }
    let bob = Actor { role: Role::Member, ..actor(BOB, ConversationType::Group) };
    let one_more = Change::React(emoji("👍"));
    assert_eq!(one_more.check(&bob, &full), Err(ChangeRefusal::TooManyReactions));
    assert_eq!(Change::React(emoji("\u{1F600}")).check(&bob, &full), Ok(()));
}

#[test]
fn the_last_one_to_take_a_reaction_back_takes_it_away() {
    let mut message = message();
    message.set_reaction(Reaction { emoji: emoji("👍"), count: 2, user_ids: vec![ADA, BOB] });
    message.set_reaction(Reaction { emoji: emoji("👍"), count: 1, user_ids: vec![BOB] });
    assert_eq!(message.reactions.len(), 1);
    message.set_reaction(Reaction { emoji: emoji("👍"), count: 0, user_ids: vec![] });
    assert!(message.reactions.is_empty());
}
