//! `SyncFeed`.

use std::time::Duration;

use domain::{Change, ConversationId, Seq, UserId, limits};
use service::SyncPage;
use service::port::{PageError, SyncError};

use super::scene::*;
use super::{HistoryFixture, HistoryPorts};

/// Longer than the feed looks back behind its own cursor.
const LONG: Duration = limits::SYNC_OVERLAP.saturating_mul(3);
const A_DAY: Duration = Duration::from_secs(24 * 3_600);

async fn sync(ports: &HistoryPorts, user: UserId, cursor: Option<&str>, limit: u32) -> SyncPage {
    ports.feed.changed_since(user, cursor, limit).await.expect("syncs")
}

fn told(page: &SyncPage) -> Vec<ConversationId> {
    page.conversations.iter().map(|entry| entry.conversation.id).collect()
}

/// Ada's groups 1 to `count` with Bob, opened long ago, and a cursor of his from now.
async fn groups(fixture: &dyn HistoryFixture, count: u128) -> (HistoryPorts, String) {
    let ports = three_people(fixture).await;
    for number in 1..=count {
        open_group(&ports, number, &[BOB]).await;
    }
    fixture.age(LONG).await;
    let cursor = sync(&ports, BOB, None, 100).await.next_cursor;
    (ports, cursor)
}

pub async fn without_a_cursor_everything_comes_in_the_order_of_ids(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    for number in [3, 1, 2, 4] {
        open_group(&ports, number, &[BOB]).await;
    }
    open_group(&ports, 5, &[CLEO]).await;
    fixture.remove_member(conversation_id(4), BOB).await;
    let page = sync(&ports, BOB, None, 100).await;
    assert_eq!(told(&page), [1, 2, 3].map(conversation_id));
    assert_eq!((page.removed.as_slice(), page.has_more), ([].as_slice(), false));
    let nobodys = sync(&ports, NOBODY, None, 100).await;
    assert_eq!((nobodys.conversations, nobodys.removed), (vec![], vec![]));
}

pub async fn an_entry_is_the_same_as_in_the_list(fixture: &dyn HistoryFixture) {
    let (ports, cursor) = groups(fixture, 1).await;
    let id = conversation_id(1);
    ada_says(&ports, id, 1..=3).await;
    has_read(&ports, id, BOB, 2).await;
    let listed = ports.conversations.list(BOB, page(None, 5)).await.expect("lists").0;
    assert_eq!(sync(&ports, BOB, Some(&cursor), 5).await.conversations, listed);
    assert_eq!(sync(&ports, BOB, None, 5).await.conversations, listed);
    assert_eq!((listed[0].unread_count, listed[0].my.read), (2, Seq(2)));
}

pub async fn with_a_cursor_only_what_changed_comes(fixture: &dyn HistoryFixture) {
    let (ports, cursor) = groups(fixture, 4).await;
    assert_eq!(told(&sync(&ports, BOB, Some(&cursor), 100).await), []);
    ada_says(&ports, conversation_id(3), [1]).await;
    let wish = Change::React(emoji("👍"));
    ada_says(&ports, conversation_id(2), [2]).await;
    fixture.age(LONG).await;
    let cursor = sync(&ports, BOB, Some(&cursor), 100).await.next_cursor;
    assert_eq!(told(&sync(&ports, BOB, Some(&cursor), 100).await), []);
    change(&ports, ADA, conversation_id(2), 2, wish).await.expect("reacts");
    open_group(&ports, 7, &[BOB]).await;
    let page = sync(&ports, BOB, Some(&cursor), 100).await;
    assert_eq!(told(&page), [2, 7].map(conversation_id));
    // Nobody else did anything: what Cleo has is her own.
    let cleos = sync(&ports, CLEO, Some(&cursor), 100).await;
    assert_eq!((told(&cleos), cleos.removed), (vec![], vec![]));
}

/// A change that was under way while the cursor was made is not lost.
pub async fn what_changed_a_moment_before_the_cursor_comes(fixture: &dyn HistoryFixture) {
    let (ports, cursor) = groups(fixture, 2).await;
    ada_says(&ports, conversation_id(2), [1]).await;
    fixture.age(limits::SYNC_OVERLAP / 2).await;
    let cursor = sync(&ports, BOB, Some(&cursor), 100).await.next_cursor;
    assert_eq!(told(&sync(&ports, BOB, Some(&cursor), 100).await), [conversation_id(2)]);
}

pub async fn ones_own_marks_are_news_to_oneself(fixture: &dyn HistoryFixture) {
    let (ports, _) = groups(fixture, 2).await;
    ada_says(&ports, conversation_id(2), [1]).await;
    fixture.age(LONG).await;
    let cursor = sync(&ports, BOB, None, 100).await.next_cursor;
    has_read(&ports, conversation_id(2), BOB, 2).await;
    let page = sync(&ports, BOB, Some(&cursor), 100).await;
    assert_eq!(told(&page), [conversation_id(2)]);
    assert_eq!(page.conversations[0].my.read, Seq(2));
    assert_eq!(told(&sync(&ports, ADA, Some(&cursor), 100).await), []);
}

pub async fn what_one_left_is_told_as_removed(fixture: &dyn HistoryFixture) {
    let (ports, cursor) = groups(fixture, 3).await;
    for number in [1, 2] {
        fixture.remove_member(conversation_id(number), BOB).await;
    }
    fixture.add_member(conversation_id(1), BOB).await;
    let page = sync(&ports, BOB, Some(&cursor), 100).await;
    assert_eq!(told(&page), [conversation_id(1)]);
    assert_eq!(page.removed, [conversation_id(2)]);
    assert_eq!(page.conversations[0].my.joined_seq, Seq(1));
    // What is said there afterwards is no news to who left.
    fixture.age(LONG).await;
    let cursor = sync(&ports, BOB, Some(&page.next_cursor), 100).await.next_cursor;
    ada_says(&ports, conversation_id(2), [1]).await;
    let page = sync(&ports, BOB, Some(&cursor), 100).await;
    assert_eq!((told(&page), page.removed), (vec![], vec![]));
}

/// Everything from this cursor on, in pages: (changed, removed, the last cursor).
async fn walk(
    ports: &HistoryPorts,
    mut cursor: Option<String>,
    limit: u32,
) -> (Vec<ConversationId>, Vec<ConversationId>, String) {
    let (mut changed, mut removed) = (Vec::new(), Vec::new());
    for _ in 0..100 {
        let page = sync(ports, BOB, cursor.as_deref(), limit).await;
        assert!(page.conversations.len() + page.removed.len() <= limit as usize);
        changed.extend(told(&page));
        removed.extend(page.removed.iter().copied());
        if !page.has_more {
            return (changed, removed, page.next_cursor);
        }
        cursor = Some(page.next_cursor);
    }
    panic!("the feed does not end");
}

pub async fn pages_of_the_feed_neither_overlap_nor_skip(fixture: &dyn HistoryFixture) {
    let (ports, cursor) = groups(fixture, 8).await;
    for number in [2, 3, 5, 7, 8] {
        ada_says(&ports, conversation_id(number), [1]).await;
    }
    for number in [1, 3, 6] {
        fixture.remove_member(conversation_id(number), BOB).await;
    }
    for limit in [1, 2, 3, 7, 8, 100] {
        let (changed, removed, _) = walk(&ports, Some(cursor.clone()), limit).await;
        assert_eq!(changed, [2, 5, 7, 8].map(conversation_id), "by {limit}");
        assert_eq!(removed, [1, 3, 6].map(conversation_id), "by {limit}");
        let (changed, removed, _) = walk(&ports, None, limit).await;
        assert_eq!(changed, [2, 4, 5, 7, 8].map(conversation_id), "by {limit}");
        assert_eq!(removed, []);
    }
}

pub async fn what_changes_while_paging_is_not_lost(fixture: &dyn HistoryFixture) {
    let (ports, cursor) = groups(fixture, 4).await;
    for (cursor, round) in [(Some(cursor), 100), (None, 200)] {
        for number in 1..=4 {
            ada_says(&ports, conversation_id(number), [round]).await;
        }
        let first = sync(&ports, BOB, cursor.as_deref(), 1).await;
        assert!(first.has_more);
        ada_says(&ports, conversation_id(1), [round + 1]).await;
        let (_, _, last) = walk(&ports, Some(first.next_cursor), 1).await;
        let (changed, _, _) = walk(&ports, Some(last), 100).await;
        assert!(changed.contains(&conversation_id(1)));
    }
}

pub async fn a_cursor_that_is_too_old_has_expired(fixture: &dyn HistoryFixture) {
    let (ports, _) = groups(fixture, 2).await;
    let young = fixture.cursor_from(limits::SYNC_CURSOR_LIFETIME - A_DAY).await;
    assert_eq!(sync(&ports, BOB, Some(&young), 100).await.conversations.len(), 2);
    let old = fixture.cursor_from(limits::SYNC_CURSOR_LIFETIME + A_DAY).await;
    let outcome = ports.feed.changed_since(BOB, Some(&old), 100).await;
    assert!(matches!(outcome, Err(SyncError::Expired)), "{outcome:?}");
}

pub async fn hostile_cursors_of_the_feed_are_refused(fixture: &dyn HistoryFixture) {
    let (ports, cursor) = groups(fixture, 1).await;
    let (cut, long) = (&cursor[1..], cursor.repeat(40));
    let longer = format!("{cursor}x");
    let hostile =
        ["", "x", "_", "'; --", "\u{0}", "🚂", "99999999999999999999", cut, &long, &longer];
    for raw in hostile {
        let outcome = ports.feed.changed_since(BOB, Some(raw), 5).await;
        let is_refused =
            matches!(outcome, Err(SyncError::Page(PageError::InvalidCursor) | SyncError::Expired));
        assert!(is_refused, "{raw:.40}: {outcome:?}");
    }
}
