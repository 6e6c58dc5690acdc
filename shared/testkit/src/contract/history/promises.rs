//! The second half of what [`history_contract!`](crate::history_contract) lists: groups, people
//! and accounts.

/// Used by [`history_contract!`](crate::history_contract) only.
#[doc(hidden)]
#[macro_export]
macro_rules! people_contract {
    ($fixture:expr) => {
        $crate::history_promises! { $fixture, groups:
            who_is_added_sees_what_comes_from_their_joining_on
            who_is_added_to_a_group_that_shares_its_history_sees_all_of_it
            who_is_in_already_stays_as_they_are
            who_was_removed_is_out_at_once
            who_comes_again_begins_anew
            who_leaves_is_told_of_by_themselves
            a_role_is_given_and_told
            a_group_is_handed_over
            each_role_does_what_it_may
            an_owner_is_always_left
            two_owners_who_leave_at_once_leave_one
            two_owners_who_demote_each_other_leave_one
            strangers_and_blocked_people_are_not_added
            a_group_takes_only_so_many
            who_is_no_member_changes_nothing_of_a_group
            a_direct_conversation_takes_nobody_in_and_lets_nobody_out
            a_change_of_membership_leaves_copies_to_write
            members_changed_at_once_are_numbered_without_a_gap
        }
        $crate::history_promises! { $fixture, edits:
            each_field_that_changes_is_told_by_itself
            what_is_equal_already_is_not_told
            a_field_is_emptied_or_left_as_it_is
            a_deleted_group_is_nobodys
            a_hidden_conversation_comes_back_with_its_next_message
            only_direct_conversations_are_hidden
            preferences_are_ones_own_and_stay_as_they_are
        }
        $crate::history_promises! { $fixture, invites:
            an_invite_is_listed_as_it_was_made
            only_leaders_have_to_do_with_invites
            who_accepts_is_in_and_counted
            who_is_in_already_uses_nothing
            of_two_who_take_the_last_use_at_once_one_is_in
            an_invite_opens_nothing_when_it_is_over
            a_revoked_invite_is_not_listed_and_opens_nothing
            a_preview_shows_what_one_would_join
            a_group_has_only_so_many_open_invites
            who_was_removed_may_come_back_by_an_invite_of_somebody_else
            open_invites_are_listed_before_those_that_are_over
        }
        $crate::history_promises! { $fixture, contacts:
            a_request_waits_for_the_other_side
            who_is_asked_again_is_asked_once
            an_accepted_request_makes_contacts_of_both
            two_who_ask_each_other_are_contacts
            two_who_ask_each_other_at_once_are_contacts
            of_accepting_and_taking_back_at_once_one_wins
            of_asking_and_taking_back_at_once_one_wins
            only_so_many_requests_wait
            only_who_was_asked_accepts
            either_side_declines
            contacts_are_removed_on_both_sides
            nobody_and_who_is_blocked_is_not_asked
            pages_of_contacts_and_requests_neither_overlap_nor_skip
        }
        $crate::history_promises! { $fixture, blocks:
            a_block_is_ones_own_and_idempotent
            a_block_ends_contacts_and_requests
            nobody_is_not_blocked
            pages_of_blocks_neither_overlap_nor_skip
            people_are_found_by_the_beginning_of_either_name
            what_is_looked_for_is_taken_literally
            a_block_either_way_hides_from_the_search
            pages_of_the_search_neither_overlap_nor_skip
        }
        $crate::history_promises! { $fixture, mail_tokens:
            a_token_verifies_an_address_once
            a_reset_sets_the_password_and_ends_every_session
            a_token_is_worth_nothing_once_it_expires
            a_token_is_good_for_its_purpose_only
            a_newer_token_kills_the_older_of_its_kind
            an_unknown_token_changes_nothing
            of_two_resets_at_once_one_wins
            a_reset_token_tells_its_owner_and_is_not_spent_by_it
        }
        $crate::history_promises! { $fixture, passwords:
            a_change_of_password_ends_the_other_sessions
            nobody_has_no_password
            a_password_is_hashed_again_unless_it_was_changed
            who_proved_another_password_changes_nothing
        }
        $crate::history_promises! { $fixture, directory:
            a_session_is_found_though_it_has_ended_and_not_with_its_account
            sessions_are_listed_by_their_last_use
            what_cannot_be_refreshed_any_more_is_not_listed
            a_session_is_revoked_by_its_owner_however_often
            the_other_sessions_are_revoked_together
            a_session_that_has_ended_revokes_no_other
            of_two_who_revoke_each_other_at_once_one_stays
            one_session_too_many_ends_the_least_used
            a_device_is_known_by_its_name_and_address
        }
        $crate::history_promises! { $fixture, factors:
            a_second_factor_is_off_pending_and_on
            a_factor_that_is_on_is_not_replaced
            a_step_counts_once_and_none_before_it
            the_step_that_confirmed_is_spent
            a_recovery_code_counts_once_and_for_its_owner
            of_two_who_spend_the_same_at_once_one_wins
            only_who_proved_the_password_of_that_moment_turns_it_off
            what_is_turned_off_is_forgotten
        }
        $crate::history_promises! { $fixture, erasure:
            nothing_personal_is_left
            who_is_erased_signs_in_no_more
            an_account_ends_before_its_conversations_are_left
            names_of_the_erased_are_free_again
            messages_of_the_erased_stay
            a_group_finds_another_owner
            who_stays_can_be_told_of_each_conversation_that_was_left
            what_is_told_of_an_end_is_owed_no_more
            conversations_are_left_a_few_at_a_time
            the_last_member_may_go
            an_erasure_repeated_changes_nothing
            two_erasures_at_once_both_succeed
            sessions_of_the_erased_are_told_until_they_are_forgotten
            the_erased_are_neither_found_nor_asked
        }
        $crate::history_promises! { $fixture, export:
            an_export_has_everything_of_ones_own_and_nothing_of_others
            a_long_export_comes_in_parts
            hostile_cursors_of_an_export_are_refused
        }
    };
}
