//! `ConversationStore`: lists, their pages and what is behind.

use domain::{ConversationId, Seq, UserId, limits};
use service::ConversationEntry;
use service::port::{Behind, PageError};

use super::scene::*;
use super::{HistoryFixture, HistoryPorts};

async fn list(ports: &HistoryPorts, user: UserId) -> Vec<ConversationEntry> {
    ports.conversations.list(user, page(None, 100)).await.expect("lists").0
}

fn ids(entries: &[ConversationEntry]) -> Vec<ConversationId> {
    entries.iter().map(|entry| entry.conversation.id).collect()
}

async fn unread(ports: &HistoryPorts, user: UserId) -> u32 {
    list(ports, user).await[0].unread_count
}

pub async fn the_most_recently_active_conversation_comes_first(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    for number in [1, 2, 3] {
        open_group(&ports, number, &[BOB]).await;
    }
    let mut late = says(conversation_id(1), BOB, 1);
    late.accepted_at = at(30);
    append(&ports, &[late, says(conversation_id(3), BOB, 2)]).await;
    let expected = [1, 3, 2].map(conversation_id);
    assert_eq!(ids(&list(&ports, ADA).await), expected);
}

pub async fn pages_of_the_list_neither_overlap_nor_skip(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    // All of one moment: only the id tells them apart.
    for number in 1..=7 {
        open_group(&ports, number, &[]).await;
    }
    let whole = ids(&list(&ports, ADA).await);
    assert_eq!(whole.len(), 7);
    for limit in [1, 2, 3, 7] {
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let (entries, next) =
                ports.conversations.list(ADA, page(cursor, limit)).await.expect("lists");
            assert!(entries.len() <= limit as usize && !entries.is_empty());
            seen.extend(ids(&entries));
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, whole, "in pages of {limit}");
    }
}

pub async fn the_list_shows_the_last_message_and_what_is_unread(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_direct(&ports, ADA, BOB).await.conversation.id;
    assert_eq!(list(&ports, BOB).await[0].last_message, None);
    ada_says(&ports, id, 1..=3).await;
    let entry = list(&ports, BOB).await.remove(0);
    let last = entry.last_message.expect("a last message");
    assert_eq!((last.seq, last.text), (Seq(3), Some(text("message 3"))));
    assert_eq!((entry.unread_count, entry.conversation.last_seq), (3, Seq(3)));
    assert_eq!(unread(&ports, ADA).await, 0);
    has_read(&ports, id, BOB, 2).await;
    let entry = list(&ports, BOB).await.remove(0);
    assert_eq!(entry.unread_count, 1);
    assert_eq!((entry.my.read, entry.my.delivered), (Seq(2), Seq(2)));
}

pub async fn system_messages_own_messages_and_tombstones_are_never_unread(
    fixture: &dyn HistoryFixture,
) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    assert_eq!(unread(&ports, BOB).await, 0);
    ada_says(&ports, id, 1..=2).await;
    append(&ports, &[says(id, BOB, 3)]).await;
    assert_eq!(unread(&ports, BOB).await, 2);
    delete(&ports, ADA, id, 2).await;
    assert_eq!(unread(&ports, BOB).await, 1);
    edit(&ports, ADA, id, 3, "again").await;
    assert_eq!(unread(&ports, BOB).await, 1);
}

/// Says so many things, in batches as a worker stores them.
async fn says_much(
    ports: &HistoryPorts,
    id: ConversationId,
    sender: UserId,
    from: u32,
    count: u32,
) {
    let numbers: Vec<u128> = (from..from + count).map(u128::from).collect();
    for numbers in numbers.chunks(500) {
        let batch: Vec<_> = numbers.iter().map(|number| says(id, sender, *number)).collect();
        append(ports, &batch).await;
    }
}

pub async fn unread_messages_are_counted_up_to_a_thousand(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    says_much(&ports, id, ADA, 1, limits::UNREAD_MOST - 1).await;
    assert_eq!(unread(&ports, BOB).await, limits::UNREAD_MOST - 1);
    says_much(&ports, id, ADA, limits::UNREAD_MOST, 2).await;
    assert_eq!(unread(&ports, BOB).await, limits::UNREAD_MOST);
    let everything = ports.feed.changed_since(BOB, None, 10).await.expect("answers");
    assert_eq!(everything.conversations[0].unread_count, limits::UNREAD_MOST);
}

/// Of one's own messages none is unread, so that counting up to a thousand would read them all.
pub async fn looking_for_unread_messages_has_an_end(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_direct(&ports, ADA, BOB).await.conversation.id;
    says_much(&ports, id, BOB, 1, limits::UNREAD_LOOKED_AT - 1).await;
    ada_says(&ports, id, [10_000, 10_001]).await;
    assert_eq!(unread(&ports, BOB).await, 1, "what is further away is not looked at");
    has_read(&ports, id, BOB, 1).await;
    assert_eq!(unread(&ports, BOB).await, 2);
}

pub async fn who_joined_later_has_nothing_unread_from_before(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    ada_says(&ports, id, 1..=3).await;
    fixture.add_member(id, CLEO).await;
    let entry = list(&ports, CLEO).await.remove(0);
    assert_eq!((entry.unread_count, entry.last_message), (0, None));
    assert_eq!((entry.my.joined_seq, entry.my.delivered, entry.my.read), (Seq(4), Seq(4), Seq(4)));
    ada_says(&ports, id, [4]).await;
    let entry = list(&ports, CLEO).await.remove(0);
    assert_eq!(entry.unread_count, 1);
    assert_eq!(entry.last_message.map(|last| last.seq), Some(Seq(5)));
}

pub async fn a_list_is_of_ones_own_conversations_only(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    open_direct(&ports, ADA, BOB).await;
    open_group(&ports, 1, &[CLEO]).await;
    assert_eq!(list(&ports, ADA).await.len(), 2);
    assert_eq!(ids(&list(&ports, CLEO).await), [conversation_id(1)]);
    assert_eq!(list(&ports, NOBODY).await, []);
}

pub async fn members_come_in_the_order_they_joined(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[CLEO]).await.conversation.id;
    fixture.add_member(id, BOB).await;
    let members = ports.conversations.members(BOB, id, page(None, 10)).await.expect("lists");
    let (members, next) = members.expect("a member");
    let order: Vec<_> = members.iter().map(|member| member.user_id).collect();
    assert_eq!((order, next), (vec![ADA, CLEO, BOB], None));
    let (cleo, bob) = (&members[1], &members[2]);
    assert_eq!((cleo.username.as_str(), cleo.display_name.as_str()), ("cleo", "CLEO"));
    assert_eq!((cleo.joined_seq, cleo.joined_at), (Seq::ZERO, at(1)));
    assert_eq!(bob.joined_seq, Seq(1));
}

pub async fn pages_of_members_neither_overlap_nor_skip(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB, CLEO]).await.conversation.id;
    let (mut seen, mut cursor) = (Vec::new(), None);
    for _ in 0..2 {
        let found = ports.conversations.members(ADA, id, page(cursor, 2)).await.expect("lists");
        let (members, next) = found.expect("a member");
        seen.extend(members.iter().map(|member| member.user_id));
        cursor = next;
    }
    assert_eq!((seen, cursor), (vec![ADA, BOB, CLEO], None));
}

pub async fn hostile_cursors_are_refused(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[]).await.conversation.id;
    let long = "A".repeat(100_000);
    for hostile in ["", "1", "'; --", "\u{0}", "////", "AAAAAAAA", "9_", &long] {
        let listed = ports.conversations.list(ADA, page(Some(hostile.into()), 10)).await;
        assert!(matches!(listed, Err(PageError::InvalidCursor)), "{hostile:.40}");
        let listed = ports.conversations.members(ADA, id, page(Some(hostile.into()), 10)).await;
        assert!(matches!(listed, Err(PageError::InvalidCursor)), "{hostile:.40}");
    }
}

pub async fn only_cursors_that_are_behind_are_told(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    for number in [1, 2, 3] {
        open_group(&ports, number, &[BOB]).await;
    }
    ada_says(&ports, conversation_id(1), 1..=4).await;
    ada_says(&ports, conversation_id(3), 5..=6).await;
    let held = [
        (conversation_id(3), Seq(2)),
        (conversation_id(1), Seq(4)),
        (conversation_id(2), Seq(1)),
        (conversation_id(99), Seq::ZERO),
        (conversation_id(1), Seq(5)),
    ];
    let told = ports.conversations.behind(BOB, &held).await.expect("reads");
    let expected = [(1, 5), (3, 3)].map(|(number, last_seq)| Behind {
        conversation_id: conversation_id(number),
        last_seq: Seq(last_seq),
    });
    assert_eq!(told, expected);
    assert_eq!(ports.conversations.behind(BOB, &[]).await.expect("reads"), []);
}
