//! `GroupStore`: what a conversation is, and ones own side of it.

use domain::{AvatarUrl, Description, EventType, Seq, Title};
use service::Preferences;
use service::port::{GroupChange, GroupEdit};

use super::scene::*;
use super::{HistoryFixture, HistoryPorts};

fn title(raw: &str) -> Title {
    Title::parse(raw).expect("a title")
}

fn description(raw: &str) -> Description {
    Description::parse(raw).expect("a description")
}

fn everything() -> GroupEdit {
    GroupEdit {
        title: Some(title("Engines")),
        description: Some(Some(description("What they're for"))),
        avatar_url: Some(Some(AvatarUrl::parse("https://example.org/a.png").expect("a URL"))),
        shares_history: Some(true),
    }
}

pub async fn each_field_that_changes_is_told_by_itself(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    let changed = change_group(&ports, ADA, id, GroupChange::Edit(everything())).await;
    let told = changed.messages.iter().map(|message| {
        let event = message.event.as_ref().expect("an event");
        assert_eq!((message.sender_id, event.actor_id, event.user_ids.len()), (ADA, ADA, 0));
        (message.seq.0, event.event_type, event.title.clone())
    });
    let expected = [
        (2, EventType::TitleChanged, Some(title("Engines"))),
        (3, EventType::DescriptionChanged, None),
        (4, EventType::PictureChanged, None),
        (5, EventType::HistoryChanged, None),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    let now = &changed.conversation;
    assert_eq!((now.last_seq, now.changed_at), (Seq(5), at(30)));
    assert_eq!((now.title.clone(), now.shares_history), (Some(title("Engines")), true));
    assert_eq!(now.description, Some(description("What they're for")));
    assert_eq!(now.avatar_url.as_ref().expect("a URL").as_str(), "https://example.org/a.png");
    assert_eq!(&conversation(&ports, BOB, id).await, now);
    assert_eq!(&listed(&ports, BOB, id).await.expect("listed").conversation, now);
    assert_eq!((changed.recipients.len(), changed.gone.len(), changed.copies.len()), (2, 0, 0));
    let (items, _) = feed(&*ports.messages, BOB, id, Seq(1), 10).await;
    assert_eq!(items, changed.messages);
}

pub async fn what_is_equal_already_is_not_told(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[]).await.conversation.id;
    change_group(&ports, ADA, id, GroupChange::Edit(everything())).await;
    let before = conversation(&ports, ADA, id).await;
    for edit in [everything(), GroupEdit::default()] {
        let changed = change_group(&ports, ADA, id, GroupChange::Edit(edit)).await;
        assert_eq!((changed.messages.len(), &changed.conversation), (0, &before));
    }
    let edit = GroupEdit { title: Some(title("Looms")), ..everything() };
    let changed = change_group(&ports, ADA, id, GroupChange::Edit(edit)).await;
    assert_eq!(changed.messages.len(), 1);
}

pub async fn a_field_is_emptied_or_left_as_it_is(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[]).await.conversation.id;
    change_group(&ports, ADA, id, GroupChange::Edit(everything())).await;
    let edit = GroupEdit { description: Some(None), ..GroupEdit::default() };
    let changed = change_group(&ports, ADA, id, GroupChange::Edit(edit)).await;
    let now = changed.conversation;
    assert_eq!((now.description, now.title), (None, Some(title("Engines"))));
    assert!(now.avatar_url.is_some() && now.shares_history);
    assert_eq!(changed.messages.len(), 1);
}

pub async fn a_deleted_group_is_nobodys(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB, CLEO]).await.conversation.id;
    let changed = change_group(&ports, ADA, id, GroupChange::Delete).await;
    let mut gone = changed.gone.clone();
    gone.sort();
    assert_eq!((gone, changed.recipients.len()), (vec![ADA, BOB, CLEO], 0));
    assert_eq!(changed.copies.len(), 3);
    // The copies of the opening have version 1, and must lose.
    let wins = changed.copies.iter().all(|copy| !copy.is_active && copy.version > Seq(1));
    assert!(wins, "{:?}", changed.copies);
    for user in [ADA, BOB, CLEO] {
        assert_eq!(ports.conversations.get(user, id).await.expect("reads"), None);
        assert_eq!(listed(&ports, user, id).await, None);
        assert_eq!(seqs(&append(&ports, &[says(id, user, 1)]).await), [None]);
    }
    let again = try_group(&ports, ADA, id, GroupChange::Delete).await;
    assert_eq!(refusal(again), Refused::NotAMember);
    let page = ports.feed.changed_since(BOB, Some(&fixture.cursor_from(WEEK).await), 10).await;
    assert_eq!(page.expect("reads").removed, [id]);
}

const WEEK: std::time::Duration = std::time::Duration::from_secs(7 * 24 * 3_600);

async fn is_in_feed(ports: &HistoryPorts, id: domain::ConversationId) -> bool {
    let page = ports.feed.changed_since(ADA, None, 100).await.expect("reads");
    page.conversations.iter().any(|entry| entry.conversation.id == id)
}

pub async fn a_hidden_conversation_comes_back_with_its_next_message(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_direct(&ports, ADA, BOB).await.conversation.id;
    ada_says(&ports, id, [1]).await;
    for _ in 0..2 {
        assert!(ports.groups.hide(ADA, id).await.expect("hides"));
        assert_eq!(listed(&ports, ADA, id).await, None);
    }
    assert!(!is_in_feed(&ports, id).await);
    assert!(listed(&ports, BOB, id).await.is_some(), "the other side sees it");
    assert_eq!(conversation(&ports, ADA, id).await.member_count, 2);
    append(&ports, &[says(id, BOB, 2)]).await;
    assert!(is_in_feed(&ports, id).await);
    let entry = listed(&ports, ADA, id).await.expect("it is in the list again");
    assert_eq!(entry.unread_count, 1);
    assert!(ports.groups.hide(ADA, id).await.expect("hides"));
    assert_eq!(listed(&ports, ADA, id).await, None);
}

pub async fn only_direct_conversations_are_hidden(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[]).await.conversation.id;
    assert_eq!(refusal(ports.groups.hide(ADA, id).await), Refused::NotAllowed);
    assert!(listed(&ports, ADA, id).await.is_some());
    let direct = open_direct(&ports, ADA, BOB).await.conversation.id;
    for (user, id) in [(CLEO, direct), (NOBODY, direct), (BOB, id), (ADA, conversation_id(9))] {
        assert!(!ports.groups.hide(user, id).await.expect("answers"));
    }
}

pub async fn preferences_are_ones_own_and_stay_as_they_are(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    let prefer = async |user, wish| ports.groups.prefer(user, id, wish).await.expect("writes");
    let wish = Preferences { muted_until: Some(Some(at(99))), pinned: Some(true), archived: None };
    let my = prefer(ADA, wish).await.expect("a member");
    assert_eq!((my.muted_until, my.archived, my.pinned), (Some(at(99)), false, true));
    let wish = Preferences { archived: Some(true), ..Preferences::default() };
    let my = prefer(ADA, wish).await.expect("a member");
    assert_eq!((my.muted_until, my.archived, my.pinned), (Some(at(99)), true, true));
    assert_eq!(prefer(ADA, Preferences::default()).await.as_ref(), Some(&my));
    assert_eq!(listed(&ports, ADA, id).await.expect("listed").my, my);
    let wish = Preferences { muted_until: Some(None), ..Preferences::default() };
    assert_eq!(prefer(ADA, wish).await.expect("a member").muted_until, None);
    let theirs = listed(&ports, BOB, id).await.expect("listed").my;
    assert_eq!((theirs.muted_until, theirs.archived, theirs.pinned), (None, false, false));
    assert_eq!(prefer(CLEO, Preferences::default()).await, None);
    assert_eq!(conversation(&ports, BOB, id).await.last_seq, Seq(1), "it takes no number");
}
