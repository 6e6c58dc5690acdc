//! The fourteen invariants of the delivery design, each by its number.
//!
//! What can be seen at once is asserted where it happens (`book`); the rest after healing.

pub mod clients;
pub mod ends;
pub mod live;
pub mod pushes;
pub mod storing;

use crate::world::World;

/// After healing, when everything has come to rest and as many heartbeats have passed as lead to a
/// sync.
pub fn at_rest(world: &World) {
    ends::i01_accepted_is_stored_rejected_or_quarantined(world);
    ends::i13_a_quarantine_raises_the_alarm(world);
    ends::i10_poison_delays_only_its_own_conversation(world);
    storing::i03_history_has_each_message_once(world);
    storing::i04_the_feed_from_any_cursor_is_the_history(world);
    storing::i06_one_device_keeps_its_order(world);
    clients::i02_what_is_shown_is_history(world);
    clients::i05_all_clients_agree(world);
    clients::i08_all_cursors_reach_the_end(world);
    clients::i12_no_message_has_two_places(world);
    live::i07_ticks_tell_the_truth(world);
    live::i09_copies_of_membership_tell_the_truth(world);
    live::i11_no_live_connection_is_deaf(world);
    clients::i05_everybody_lists_what_they_are_in(world);
}
