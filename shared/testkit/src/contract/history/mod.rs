//! What the Postgres ports promise.
//!
//! A crate that has an implementation calls [`history_contract!`](crate::history_contract) with an
//! expression that makes a fresh [`HistoryFixture`]; every promise becomes a test of its own.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "the suites run in tests only, where an unkept promise is to end the test"
)]

pub mod blocks;
pub mod changes;
pub mod contacts;
pub mod conversations;
pub mod directory;
pub mod edits;
pub mod ending;
pub mod erasure;
pub mod export;
pub mod factors;
pub mod feed;
pub mod groups;
pub mod invites;
pub mod lists;
pub mod mail_tokens;
pub mod messages;
pub mod passwords;
pub mod people;
mod promises;
pub mod reactions;
pub mod reading;
pub mod receipts;
mod scene;
pub mod sessions;
pub mod traces;
pub mod upkeep;
pub mod users;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{ConversationId, UserId};
use service::port::{
    Acquaintances, BlockStore, ContactStore, ConversationStore, Erasure, Export, GroupStore,
    InviteStore, MailTokenStore, MessageChanges, MessageStore, PasswordStore, PushLog,
    ReceiptStore, SessionDirectory, SessionStore, SyncFeed, TraceStore, TwoFactorStore, Upkeep,
    UserStore,
};

/// The ports as one process has them.
#[derive(Clone)]
pub struct HistoryPorts {
    pub users: Arc<dyn UserStore>,
    pub sessions: Arc<dyn SessionStore>,
    pub conversations: Arc<dyn ConversationStore>,
    pub messages: Arc<dyn MessageStore>,
    pub changes: Arc<dyn MessageChanges>,
    pub receipts: Arc<dyn ReceiptStore>,
    pub acquaintances: Arc<dyn Acquaintances>,
    pub upkeep: Arc<dyn Upkeep>,
    pub feed: Arc<dyn SyncFeed>,
    pub push_log: Arc<dyn PushLog>,
    pub traces: Arc<dyn TraceStore>,
    pub groups: Arc<dyn GroupStore>,
    pub invites: Arc<dyn InviteStore>,
    pub contacts: Arc<dyn ContactStore>,
    pub blocks: Arc<dyn BlockStore>,
    pub mail_tokens: Arc<dyn MailTokenStore>,
    pub passwords: Arc<dyn PasswordStore>,
    pub directory: Arc<dyn SessionDirectory>,
    pub factors: Arc<dyn TwoFactorStore>,
    pub erasure: Arc<dyn Erasure>,
    pub export: Arc<dyn Export>,
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
    /// Makes everything that is stored so much older, by the database's clock. Cursors that
    /// were given out stay as they are.
    async fn age(&self, by: Duration);
    /// A cursor as the feed gave it this long ago, after its last page.
    async fn cursor_from(&self, ago: Duration) -> String;
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
            a_picture_is_set_kept_and_taken_away
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
            a_session_opens_only_with_the_password_of_that_moment
            a_refresh_token_tells_whose_session_it_belongs_to
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
            who_left_is_not_shown_it_by_opening_it_again
        }
        $crate::history_promises! { $fixture, lists:
            the_most_recently_active_conversation_comes_first
            pages_of_the_list_neither_overlap_nor_skip
            the_list_shows_the_last_message_and_what_is_unread
            system_messages_own_messages_and_tombstones_are_never_unread
            unread_messages_are_counted_up_to_a_thousand
            looking_for_unread_messages_has_an_end
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
            a_reply_to_what_is_no_message_is_rejected
            a_reply_to_what_was_said_before_one_joined_is_rejected
            only_who_is_or_was_a_member_is_mentioned
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
        $crate::history_promises! { $fixture, changes:
            an_edit_takes_the_next_number
            what_changes_nothing_takes_no_number
            a_deletion_leaves_a_tombstone
            a_tombstone_does_not_change_any_more
            writers_edit_and_leaders_also_delete_and_pin
            in_a_direct_conversation_both_pin_and_each_deletes_their_own
            behind_a_block_one_only_deletes_what_one_wrote
            a_block_does_not_matter_to_changes_in_a_group
            an_edit_mentions_only_who_is_or_was_a_member
            what_the_server_wrote_stays_as_it_is
            what_is_no_message_is_not_changed
            who_is_no_member_changes_nothing
            who_joined_later_changes_only_what_came_since
            a_change_tells_the_members_of_that_moment
            a_change_leaves_the_conversation_as_it_was
            a_changed_message_is_known_as_it_is_now
            a_member_removed_while_their_change_waits_changes_nothing
            messages_and_changes_at_once_never_share_a_number
        }
        $crate::history_promises! { $fixture, reactions:
            reactions_stand_in_the_order_in_which_they_came
            an_emoji_keeps_its_place_while_somebody_stands_under_it
            the_same_reaction_twice_is_one
            who_reacts_again_stands_last
            emoji_that_look_alike_stay_apart
            a_message_takes_only_so_many_different_emoji
            of_a_crowd_all_are_counted_and_the_first_are_named
            pages_of_reactors_neither_overlap_nor_skip
            reactors_are_told_only_to_who_may_see_the_message
            hostile_cursors_of_reactors_are_refused
            reactions_of_many_at_once_are_all_counted
        }
        $crate::history_promises! { $fixture, receipts:
            marks_rise_and_never_go_back
            reading_raises_what_was_delivered
            a_delivery_never_lowers_what_was_read
            marks_end_at_what_is_written
            one_batch_may_name_a_member_many_times
            a_batch_may_be_of_many_conversations_and_people
            claims_of_who_is_no_member_are_passed_over
            who_wrote_between_the_marks_is_told
            of_a_batch_that_comes_again_the_authors_of_all_that_is_covered_are_known
            of_many_authors_the_newest_are_told
            of_who_was_away_for_long_only_the_newest_authors_are_told
            who_does_not_share_receipts_shows_only_what_was_delivered
            a_reading_that_is_not_shared_tells_nobody
            marks_are_of_members_and_for_members
            many_batches_of_receipts_at_once_never_deadlock
        }
        $crate::history_promises! { $fixture, people:
            who_shares_a_conversation_is_known
            who_left_is_a_stranger_again
            a_block_either_way_makes_strangers
            last_seen_is_shared_by_who_wants_it
            peers_are_the_other_active_members
            of_many_peers_those_come_first_who_read_last
        }
        $crate::history_promises! { $fixture, upkeep:
            who_has_everything_is_not_behind
            nobody_is_nudged_more_than_three_times_in_vain
            only_what_changed_some_time_ago_is_nudged_for
            an_edit_of_an_old_message_makes_stragglers
            who_left_is_not_nudged
            sweeps_of_a_few_reach_everybody
            who_stays_behind_leaves_others_their_turn
            who_falls_behind_again_and_again_leaves_others_their_turn
            sweeps_at_once_nudge_nobody_more_often
            an_opening_leaves_copies_until_they_are_confirmed
            copies_of_a_direct_conversation_are_confirmed_at_zero
            an_older_copy_confirms_no_later_change
            confirming_what_is_not_there_is_fine
            copies_are_repaired_a_few_at_a_time
            what_ended_long_ago_is_forgotten
        }
        $crate::history_promises! { $fixture, feed:
            without_a_cursor_everything_comes_in_the_order_of_ids
            an_entry_is_the_same_as_in_the_list
            with_a_cursor_only_what_changed_comes
            what_changed_a_moment_before_the_cursor_comes
            ones_own_marks_are_news_to_oneself
            what_one_left_is_told_as_removed
            pages_of_the_feed_neither_overlap_nor_skip
            what_changes_while_paging_is_not_lost
            a_cursor_that_is_too_old_has_expired
            hostile_cursors_of_the_feed_are_refused
        }
        $crate::history_promises! { $fixture, traces:
            a_trace_begins_with_the_acceptance
            a_trace_tells_who_has_the_message
            a_push_is_dated_by_who_made_it
            a_change_does_not_move_when_a_message_was_stored
            a_trace_is_for_the_sender_while_they_are_a_member
            who_does_not_share_receipts_leaves_no_reading_in_a_trace
            a_trace_is_forgotten_after_its_time
        }
        $crate::people_contract! { $fixture }
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
