//! `ConversationStore`: opening, and what is not there.

use domain::{ConversationType, EventType, MessageKind, Role, Seq, SystemEvent, UserId};
use service::Window;
use service::port::{NewGroup, OpenError};

use super::scene::*;
use super::{HistoryFixture, HistoryPorts};

pub async fn a_direct_conversation_starts_empty(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let created = open_direct(&ports, ADA, BOB).await;
    let opened = &created.conversation;
    assert!(created.is_new);
    assert_eq!((created.member_ids, created.first_message), (vec![ADA, BOB], None));
    assert_eq!(opened.conversation_type, ConversationType::Direct);
    assert_eq!((&opened.title, opened.created_by), (&None, ADA));
    assert_eq!((opened.last_seq, opened.member_count), (Seq::ZERO, 2));
    assert_eq!((opened.created_at, opened.changed_at), (at(1), at(1)));
    for user in [ADA, BOB] {
        assert_eq!(&conversation(&ports, user, opened.id).await, opened);
        let entries = ports.conversations.list(user, page(None, 10)).await.expect("lists").0;
        let my = &entries[0].my;
        assert_eq!((my.role, my.joined_seq, my.read), (Role::Member, Seq::ZERO, Seq::ZERO));
    }
}

pub async fn a_direct_conversation_opened_by_both_at_once_is_one(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let other = fixture.process();
    let (adas, bobs) = tokio::join!(open_direct(&ports, ADA, BOB), open_direct(&other, BOB, ADA));
    assert_eq!(adas.conversation, bobs.conversation);
    assert_eq!(adas.member_ids, bobs.member_ids);
    assert!(adas.is_new != bobs.is_new, "one of the two opened it");
    assert!(!open_direct(&ports, BOB, ADA).await.is_new);
}

pub async fn a_direct_conversation_with_nobody_says_who_is_unknown(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let error = ports.conversations.open_direct(direct(ADA, NOBODY)).await.expect_err("unknown");
    assert!(matches!(&error, OpenError::UnknownUsers(who) if who == &[NOBODY]), "{error:?}");
    assert_eq!(list_length(&ports, ADA).await, 0);
}

pub async fn a_block_either_way_forbids_a_new_direct_conversation(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    fixture.block(BOB, ADA).await;
    for (creator, other) in [(ADA, BOB), (BOB, ADA)] {
        let refused = ports.conversations.open_direct(direct(creator, other)).await;
        assert!(matches!(refused, Err(OpenError::Blocked)), "{refused:?}");
    }
    assert!(open_direct(&ports, ADA, CLEO).await.is_new);
    assert_eq!(list_length(&ports, BOB).await, 0);
}

pub async fn an_existing_direct_conversation_stays_readable_behind_a_block(
    fixture: &dyn HistoryFixture,
) {
    let ports = three_people(fixture).await;
    let created = open_direct(&ports, ADA, BOB).await;
    let id = created.conversation.id;
    ada_says(&ports, id, [1]).await;
    fixture.block(BOB, ADA).await;
    let again = open_direct(&ports, ADA, BOB).await;
    assert!(!again.is_new);
    assert_eq!(again.conversation.last_seq, Seq(1));
    let shown = ports.messages.page(BOB, id, Window::Newest, 10).await.expect("reads");
    assert_eq!(shown.expect("a member").items.len(), 1);
}

pub async fn a_group_begins_with_its_creation(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let created = open_group(&ports, 1, &[CLEO, BOB]).await;
    let opened = &created.conversation;
    assert!(created.is_new);
    assert_eq!(created.member_ids, [ADA, BOB, CLEO]);
    assert_eq!((opened.last_seq, opened.member_count), (Seq(1), 3));
    assert_eq!(opened.title.as_ref().expect("a title").as_str(), "Group 1");
    let first = created.first_message.expect("a first message");
    assert_eq!((first.seq, first.rev, first.sender_id), (Seq(1), Seq(1), ADA));
    assert_eq!((first.kind, &first.text), (MessageKind::System, &None));
    let event = SystemEvent::new(EventType::ConversationCreated, ADA, vec![CLEO, BOB]);
    assert_eq!(first.event, Some(event));
    for user in [ADA, BOB, CLEO] {
        assert_eq!(&conversation(&ports, user, opened.id).await, opened);
        let shown = ports.messages.page(user, opened.id, Window::Newest, 10).await.expect("reads");
        assert_eq!(shown.expect("a member").items, std::slice::from_ref(&first));
        let entries = ports.conversations.list(user, page(None, 10)).await.expect("lists").0;
        let expected = if user == ADA { Role::Owner } else { Role::Member };
        assert_eq!(entries[0].my.role, expected);
    }
}

pub async fn a_message_may_have_the_client_id_of_its_group(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let created = open_group(&ports, 1, &[BOB]).await;
    let commit = append(&ports, &[says(created.conversation.id, ADA, 1)]).await;
    assert_eq!(group(1, &[]).client_id, says(created.conversation.id, ADA, 1).draft.client_id);
    assert_eq!(stored(&commit, 0).seq, Seq(2));
}

pub async fn a_group_opened_twice_is_one(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let first = open_group(&ports, 1, &[BOB]).await;
    // A retry has an id of its own making, and may even come with other content.
    let retry = NewGroup { client_id: client_id(1), ..group(2, &[BOB, CLEO]) };
    let again = ports.conversations.open_group(retry).await.expect("opens");
    assert!(!again.is_new);
    assert_eq!((again.conversation, again.member_ids), (first.conversation, vec![ADA, BOB]));
    assert_eq!(again.first_message, None);
    assert_eq!(list_length(&ports, ADA).await, 1);
    assert_eq!(list_length(&ports, CLEO).await, 0);
}

pub async fn a_group_opened_twice_at_once_is_one(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let other = fixture.process();
    let retry = NewGroup { client_id: client_id(1), ..group(2, &[BOB]) };
    let (one, two) = tokio::join!(
        ports.conversations.open_group(group(1, &[BOB])),
        other.conversations.open_group(retry),
    );
    let (one, two) = (one.expect("opens"), two.expect("opens"));
    assert_eq!(one.conversation, two.conversation);
    assert!(one.is_new != two.is_new, "one of the two opened it");
    assert_eq!(list_length(&ports, BOB).await, 1);
}

pub async fn the_same_client_id_of_another_creator_is_another_group(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    open_group(&ports, 1, &[BOB]).await;
    let bobs = NewGroup { creator: BOB, client_id: client_id(1), ..group(2, &[ADA]) };
    assert!(ports.conversations.open_group(bobs).await.expect("opens").is_new);
    assert_eq!(list_length(&ports, ADA).await, 2);
}

pub async fn a_group_with_unknown_people_is_not_opened(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let stranger = UserId(uuid::Uuid::from_u128(0xE));
    let refused = ports.conversations.open_group(group(1, &[NOBODY, BOB, stranger])).await;
    let error = refused.expect_err("unknown people");
    assert!(
        matches!(&error, OpenError::UnknownUsers(who) if who == &[stranger, NOBODY]),
        "{error:?}"
    );
    assert_eq!(list_length(&ports, ADA).await, 0);
    assert!(open_group(&ports, 1, &[BOB]).await.is_new, "nothing was kept of the refused one");
}

pub async fn a_block_either_way_forbids_a_new_group(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    fixture.block(CLEO, ADA).await;
    fixture.block(BOB, CLEO).await;
    let refused = ports.conversations.open_group(group(1, &[BOB, CLEO])).await;
    assert!(matches!(refused, Err(OpenError::Blocked)), "{refused:?}");
    assert!(open_group(&ports, 1, &[BOB]).await.is_new);
}

pub async fn what_one_is_not_in_does_not_exist(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    fixture.remove_member(id, BOB).await;
    for (user, id) in [(CLEO, id), (BOB, id), (NOBODY, id), (ADA, conversation_id(99))] {
        assert_eq!(ports.conversations.get(user, id).await.expect("reads"), None);
        let members = ports.conversations.members(user, id, page(None, 10)).await;
        assert!(members.expect("reads").is_none());
        for window in [Window::Newest, Window::Around(Seq(1))] {
            let shown = ports.messages.page(user, id, window, 10).await.expect("reads");
            assert_eq!(shown, None);
        }
        let changes = ports.messages.changes(user, id, Seq::ZERO, 10).await.expect("reads");
        assert_eq!(changes, None);
        let behind = ports.conversations.behind(user, &[(id, Seq::ZERO)]).await;
        assert_eq!(behind.expect("reads"), []);
    }
    assert_eq!(list_length(&ports, BOB).await, 0);
}

pub async fn who_left_is_not_counted(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB, CLEO]).await.conversation.id;
    fixture.remove_member(id, BOB).await;
    assert_eq!(conversation(&ports, ADA, id).await.member_count, 2);
    let again = ports.conversations.open_group(group(1, &[])).await.expect("opens");
    assert_eq!((again.conversation.member_count, again.member_ids), (2, vec![ADA, CLEO]));
    fixture.add_member(id, BOB).await;
    assert_eq!(conversation(&ports, BOB, id).await.member_count, 3);
}

pub async fn who_left_is_not_shown_it_by_opening_it_again(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB, CLEO]).await.conversation.id;
    fixture.remove_member(id, ADA).await;
    let again = ports.conversations.open_group(group(1, &[BOB])).await;
    assert!(matches!(again, Err(OpenError::NotAMember)), "{again:?}");
    let id = open_direct(&ports, ADA, BOB).await.conversation.id;
    fixture.remove_member(id, ADA).await;
    let again = ports.conversations.open_direct(direct(ADA, BOB)).await;
    assert!(matches!(again, Err(OpenError::NotAMember)), "{again:?}");
    let theirs = ports.conversations.open_direct(direct(BOB, ADA)).await.expect("opens");
    assert_eq!((theirs.is_new, theirs.conversation.id), (false, id));
}

async fn list_length(ports: &HistoryPorts, user: UserId) -> usize {
    ports.conversations.list(user, page(None, 10)).await.expect("lists").0.len()
}
