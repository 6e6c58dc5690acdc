//! What the Postgres ports promise.
//!
//! A crate that has an implementation calls [`history_contract!`](crate::history_contract) with an
//! expression that makes a fresh [`HistoryFixture`]; every promise becomes a test of its own.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "the suites run in tests only, where an unkept promise is to end the test"
)]

pub mod conversations;
pub mod lists;
pub mod messages;
pub mod reading;
mod scene;
pub mod sessions;
pub mod users;

use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use domain::{ConversationId, MessageText, Seq, UserId};
use service::port::{ConversationStore, MessageStore, SessionStore, UserStore};

/// The ports as one process has them.
#[derive(Clone)]
pub struct HistoryPorts {
    pub users: Arc<dyn UserStore>,
    pub sessions: Arc<dyn SessionStore>,
    pub conversations: Arc<dyn ConversationStore>,
    pub messages: Arc<dyn MessageStore>,
}

/// What goes on beside a step of a fixture.
pub type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// An empty history, and what no port does yet.
#[async_trait]
pub trait HistoryFixture: Send + Sync {
    /// The ports as one more process has them, over the same history.
    fn process(&self) -> HistoryPorts;
    /// Joins, or joins again, at the present end of the history.
    async fn add_member(&self, conversation: ConversationId, user: UserId);
    async fn remove_member(&self, conversation: ConversationId, user: UserId);
    async fn block(&self, blocker: UserId, blocked: UserId);
    /// Raises both marks.
    async fn mark_read(&self, conversation: ConversationId, user: UserId, seq: Seq);
    /// Gives the message another text and the next number.
    async fn edit(&self, conversation: ConversationId, seq: Seq, text: MessageText);
    /// Leaves a tombstone with the next number.
    async fn delete(&self, conversation: ConversationId, seq: Seq);
    /// Locks the conversation, lets `work` run until it waits for that lock, removes the member,
    /// commits, and waits for the end of `work`.
    async fn remove_member_during(&self, conversation: ConversationId, user: UserId, work: Work);
}

/// One test for each promise of the Postgres ports. The argument makes a fixture (it may `.await`).
#[macro_export]
macro_rules! history_contract {
    ($fixture:expr) => {
        $crate::history_promises! { $fixture, users:
            an_account_is_read_back_as_it_was_registered
            a_taken_user_name_is_reported
            a_taken_address_is_reported
            of_both_taken_the_user_name_is_reported
            a_refused_registration_leaves_nothing
            of_two_registrations_at_once_one_wins
            people_sign_in_by_name_or_address_in_any_case
            a_login_that_is_nobodys_finds_nobody
            a_change_leaves_the_rest_as_it_was
            a_change_of_nobody_changes_nothing
        }
        $crate::history_promises! { $fixture, sessions:
            a_session_is_active_until_it_is_revoked
            a_session_is_active_for_its_own_user_only
            a_refresh_token_is_exchanged_for_the_next
            an_unknown_or_expired_token_is_refused
            a_token_spent_a_moment_ago_yields_a_sibling
            a_token_spent_long_ago_ends_its_family
            using_a_spent_token_again_does_not_prolong_its_window
            two_refreshes_at_once_both_succeed
            a_token_of_a_revoked_session_is_refused
        }
        $crate::history_promises! { $fixture, conversations:
            a_direct_conversation_starts_empty
            a_direct_conversation_opened_by_both_at_once_is_one
            a_direct_conversation_with_nobody_says_who_is_unknown
            a_block_either_way_forbids_a_new_direct_conversation
            an_existing_direct_conversation_stays_readable_behind_a_block
            a_group_begins_with_its_creation
            a_message_may_have_the_client_id_of_its_group
            a_group_opened_twice_is_one
            a_group_opened_twice_at_once_is_one
            the_same_client_id_of_another_creator_is_another_group
            a_group_with_unknown_people_is_not_opened
            a_block_either_way_forbids_a_new_group
            what_one_is_not_in_does_not_exist
            who_left_is_not_counted
        }
        $crate::history_promises! { $fixture, lists:
            the_most_recently_active_conversation_comes_first
            pages_of_the_list_neither_overlap_nor_skip
            the_list_shows_the_last_message_and_what_is_unread
            system_messages_own_messages_and_tombstones_are_never_unread
            who_joined_later_has_nothing_unread_from_before
            a_list_is_of_ones_own_conversations_only
            members_come_in_the_order_they_joined
            pages_of_members_neither_overlap_nor_skip
            hostile_cursors_are_refused
            only_cursors_that_are_behind_are_told
        }
        $crate::history_promises! { $fixture, messages:
            messages_are_numbered_in_the_order_they_came
            a_message_is_read_back_as_it_was_sent
            a_message_sent_twice_is_stored_once
            a_message_twice_in_one_batch_is_stored_once
            the_same_client_id_of_another_sender_is_another_message
            the_same_client_id_in_another_conversation_is_another_message
            a_refused_message_takes_no_number
            who_is_not_a_member_is_rejected
            a_stored_message_is_known_even_after_its_sender_left
            who_joined_again_may_write_again
            a_block_either_way_rejects_in_a_direct_conversation
            a_block_does_not_matter_in_a_group
            the_members_to_tell_are_the_active_ones
            a_batch_of_several_conversations_is_numbered_in_each
            a_message_does_not_change_its_conversation
            an_empty_batch_changes_nothing
            a_member_removed_while_their_message_waits_is_rejected
            many_batches_at_once_never_deadlock_and_leave_no_gap
            one_message_sent_by_many_processes_at_once_is_stored_once
            a_store_that_works_answers_a_ping
        }
        $crate::history_promises! { $fixture, reading:
            without_a_number_the_newest_page_is_shown
            a_page_before_a_number_ends_there
            a_page_after_a_number_begins_there
            a_page_around_a_number_has_it_in_the_middle
            a_page_at_either_end_says_so
            an_empty_history_is_an_empty_page
            numbers_beyond_either_end_are_no_trouble
            a_member_sees_only_what_is_after_they_joined
            a_change_is_in_the_feed_once_at_its_new_place
            the_feed_in_pages_from_any_cursor_ends_at_the_counter
            a_full_page_of_changes_ends_at_its_last_item
            changes_that_one_may_not_see_still_move_the_cursor
        }
    };
}

/// Used by [`history_contract!`] only.
#[doc(hidden)]
#[macro_export]
macro_rules! history_promises {
    ($fixture:expr, $suite:ident: $($promise:ident)+) => {
        mod $suite {
            #[allow(unused_imports)]
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $promise() {
                    let fixture = $fixture;
                    $crate::contract::history::$suite::$promise(&fixture).await;
                }
            )+
        }
    };
}
