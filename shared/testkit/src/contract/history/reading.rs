//! `MessageStore`: pages of the history and the feed of changes.

use domain::{ConversationId, Seq, UserId};
use service::{MessagePage, Window};

use super::scene::*;
use super::{HistoryFixture, HistoryPorts};

/// Ada and Bob in a group with the messages 1 (its creation) to 10.
async fn ten_messages(fixture: &dyn HistoryFixture) -> (HistoryPorts, ConversationId) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    ada_says(&ports, id, 2..=10).await;
    (ports, id)
}

async fn shown(
    ports: &HistoryPorts,
    user: UserId,
    id: ConversationId,
    window: Window,
    limit: u32,
) -> MessagePage {
    let found = ports.messages.page(user, id, window, limit).await.expect("reads");
    found.expect("a member")
}

/// (numbers, has more before, has more after)
fn outline(page: &MessagePage) -> (Vec<i64>, bool, bool) {
    let numbers = page.items.iter().map(|message| message.seq.0).collect();
    (numbers, page.has_more_before, page.has_more_after)
}

pub async fn without_a_number_the_newest_page_is_shown(fixture: &dyn HistoryFixture) {
    let (ports, id) = ten_messages(fixture).await;
    let newest = shown(&ports, BOB, id, Window::Newest, 3).await;
    assert_eq!(outline(&newest), (vec![8, 9, 10], true, false));
    let all = shown(&ports, BOB, id, Window::Newest, 10).await;
    assert_eq!(outline(&all), ((1..=10).collect(), false, false));
}

pub async fn a_page_before_a_number_ends_there(fixture: &dyn HistoryFixture) {
    let (ports, id) = ten_messages(fixture).await;
    let page = shown(&ports, BOB, id, Window::Before(Seq(8)), 3).await;
    assert_eq!(outline(&page), (vec![5, 6, 7], true, true));
    let first = shown(&ports, BOB, id, Window::Before(Seq(4)), 3).await;
    assert_eq!(outline(&first), (vec![1, 2, 3], false, true));
}

pub async fn a_page_after_a_number_begins_there(fixture: &dyn HistoryFixture) {
    let (ports, id) = ten_messages(fixture).await;
    let page = shown(&ports, BOB, id, Window::After(Seq(4)), 3).await;
    assert_eq!(outline(&page), (vec![5, 6, 7], true, true));
    let last = shown(&ports, BOB, id, Window::After(Seq(7)), 3).await;
    assert_eq!(outline(&last), (vec![8, 9, 10], true, false));
    let all = shown(&ports, BOB, id, Window::After(Seq::ZERO), 10).await;
    assert_eq!(outline(&all), ((1..=10).collect(), false, false));
}

pub async fn a_page_around_a_number_has_it_in_the_middle(fixture: &dyn HistoryFixture) {
    let (ports, id) = ten_messages(fixture).await;
    for (limit, expected) in [(4, vec![4, 5, 6, 7]), (5, vec![4, 5, 6, 7, 8]), (1, vec![6])] {
        let page = shown(&ports, BOB, id, Window::Around(Seq(6)), limit).await;
        assert_eq!(outline(&page), (expected, true, true));
    }
}

pub async fn a_page_at_either_end_says_so(fixture: &dyn HistoryFixture) {
    let (ports, id) = ten_messages(fixture).await;
    let start = shown(&ports, BOB, id, Window::Around(Seq(1)), 4).await;
    assert_eq!(outline(&start), (vec![1, 2], false, true));
    let end = shown(&ports, BOB, id, Window::Around(Seq(10)), 4).await;
    assert_eq!(outline(&end), (vec![8, 9, 10], true, false));
}

pub async fn an_empty_history_is_an_empty_page(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_direct(&ports, ADA, BOB).await.conversation.id;
    for window in [Window::Newest, Window::Before(Seq(5)), Window::After(Seq(0))] {
        assert_eq!(outline(&shown(&ports, ADA, id, window, 5).await), (vec![], false, false));
    }
    let changes = ports.messages.changes(ADA, id, Seq::ZERO, 5).await.expect("reads");
    let changes = changes.expect("a member");
    assert_eq!((changes.items, changes.through, changes.last_seq), (vec![], Seq(0), Seq(0)));
    assert!(!changes.has_more);
}

pub async fn numbers_beyond_either_end_are_no_trouble(fixture: &dyn HistoryFixture) {
    let (ports, id) = ten_messages(fixture).await;
    let far = Seq(i64::MAX);
    let outlines = [
        (Window::Before(Seq::ZERO), vec![], false, true),
        (Window::Before(far), vec![9, 10], true, false),
        (Window::After(far), vec![], true, false),
        (Window::Around(far), vec![10], true, false),
        (Window::Around(Seq::ZERO), vec![1], false, true),
    ];
    for (window, numbers, before, after) in outlines {
        let page = shown(&ports, BOB, id, window, 2).await;
        assert_eq!(outline(&page), (numbers, before, after), "{window:?}");
    }
    let changes = ports.messages.changes(BOB, id, far, 5).await.expect("reads");
    assert_eq!(changes.expect("a member").items, []);
}

pub async fn a_member_sees_only_what_is_after_they_joined(fixture: &dyn HistoryFixture) {
    let (ports, id) = ten_messages(fixture).await;
    fixture.add_member(id, CLEO).await;
    assert_eq!(outline(&shown(&ports, CLEO, id, Window::Newest, 5).await), (vec![], false, false));
    ada_says(&ports, id, 11..=12).await;
    for window in [Window::Newest, Window::After(Seq(3)), Window::Around(Seq(11))] {
        let page = shown(&ports, CLEO, id, window, 5).await;
        assert_eq!(outline(&page), (vec![11, 12], false, false), "{window:?}");
    }
    let page = shown(&ports, CLEO, id, Window::Before(Seq(12)), 5).await;
    assert_eq!(outline(&page), (vec![11], false, true));
    let (items, through) = feed(ports.messages.as_ref(), CLEO, id, Seq::ZERO, 5).await;
    let numbers: Vec<i64> = items.iter().map(|message| message.seq.0).collect();
    assert_eq!((numbers, through), (vec![11, 12], Seq(12)));
}

pub async fn a_change_is_in_the_feed_once_at_its_new_place(fixture: &dyn HistoryFixture) {
    let (ports, id) = ten_messages(fixture).await;
    edit(&ports, ADA, id, 3, "edited").await;
    delete(&ports, ADA, id, 4).await;
    edit(&ports, ADA, id, 3, "edited twice").await;
    let changes = ports.messages.changes(BOB, id, Seq(9), 10).await.expect("reads");
    let changes = changes.expect("a member");
    let places: Vec<_> = changes.items.iter().map(|item| (item.seq.0, item.rev.0)).collect();
    assert_eq!(places, [(10, 10), (4, 12), (3, 13)]);
    assert_eq!((changes.through, changes.last_seq), (Seq(13), Seq(13)));
    assert_eq!((&changes.items[1].text, changes.items[1].deleted_at.is_some()), (&None, true));
    assert_eq!(changes.items[2].text, Some(text("edited twice")));
    // A change takes a number of its own; the next message gets the one after it.
    ada_says(&ports, id, [14]).await;
    let newest = shown(&ports, BOB, id, Window::Newest, 2).await;
    assert_eq!(outline(&newest), (vec![10, 14], true, false));
}

pub async fn the_feed_in_pages_from_any_cursor_ends_at_the_counter(fixture: &dyn HistoryFixture) {
    let (ports, id) = ten_messages(fixture).await;
    edit(&ports, ADA, id, 2, "edited").await;
    delete(&ports, ADA, id, 10).await;
    let mut current = shown(&ports, BOB, id, Window::Newest, 100).await.items;
    current.sort_by_key(|message| message.rev);
    for limit in [1, 2, 3, 5, 100] {
        for from in 0..=12 {
            let (items, through) = feed(ports.messages.as_ref(), BOB, id, Seq(from), limit).await;
            let expected: Vec<_> =
                current.iter().filter(|item| item.rev > Seq(from)).cloned().collect();
            assert_eq!((items, through), (expected, Seq(12)), "from {from} by {limit}");
        }
    }
}

pub async fn a_full_page_of_changes_ends_at_its_last_item(fixture: &dyn HistoryFixture) {
    let (ports, id) = ten_messages(fixture).await;
    let full = ports.messages.changes(BOB, id, Seq(2), 3).await.expect("reads");
    let full = full.expect("a member");
    assert_eq!((full.through, full.last_seq, full.has_more), (Seq(5), Seq(10), true));
    let last = ports.messages.changes(BOB, id, Seq(8), 3).await.expect("reads");
    let last = last.expect("a member");
    assert_eq!((last.items.len(), last.through, last.has_more), (2, Seq(10), false));
}

pub async fn changes_that_one_may_not_see_still_move_the_cursor(fixture: &dyn HistoryFixture) {
    let (ports, id) = ten_messages(fixture).await;
    fixture.add_member(id, CLEO).await;
    edit(&ports, ADA, id, 3, "edited").await;
    let changes = ports.messages.changes(CLEO, id, Seq(10), 5).await.expect("reads");
    let changes = changes.expect("a member");
    assert_eq!((changes.items, changes.through, changes.has_more), (vec![], Seq(11), false));
}
