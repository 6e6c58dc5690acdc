//! `MembershipCopies` and `SendGate`

use domain::Seq;
use service::port::{ConnectionStore, MembershipCopies, MembershipCopy, SendGate, Standing};

use super::sample::{connection, connection_id, conversation, user};
use crate::ambient::at_ms;

/// One test a promise.
#[macro_export]
macro_rules! membership_promises {
    ($open:expr) => {
        $crate::promises! {
            membership, ($crate::contract::live::membership), $open,
            [
                a_member_may_send_and_nobody_else,
                who_left_may_not_send,
                two_membership_changes_whose_copies_are_written_in_the_wrong_order,
                a_thousand_members_are_written_at_once,
                a_socket_stands_for_its_user,
                a_socket_of_who_is_no_member_is_known_but_not_admitted,
                an_unknown_socket_stands_for_nobody,
                a_closed_socket_stands_for_nobody_even_if_it_sent_before,
            ]
        }
    };
}

fn copy(in_conversation: u128, of_user: u128, is_active: bool, version: i64) -> MembershipCopy {
    let (conversation_id, user_id) = (conversation(in_conversation), user(of_user));
    MembershipCopy { conversation_id, user_id, is_active, version: Seq(version) }
}

async fn is_member(port: &impl SendGate, of_user: u128, in_conversation: u128) -> bool {
    port.is_member(user(of_user), conversation(in_conversation)).await.expect("is_member")
}

pub async fn a_member_may_send_and_nobody_else(port: &(impl SendGate + MembershipCopies)) {
    port.write(&[copy(1, 1, true, 0)]).await.expect("write");
    assert!(is_member(port, 1, 1).await);
    assert!(!is_member(port, 2, 1).await);
    assert!(!is_member(port, 1, 2).await);
}

pub async fn who_left_may_not_send(port: &(impl SendGate + MembershipCopies)) {
    port.write(&[copy(1, 1, true, 3), copy(1, 2, true, 3)]).await.expect("write");
    port.write(&[copy(1, 1, false, 4)]).await.expect("write");
    assert!(!is_member(port, 1, 1).await);
    assert!(is_member(port, 2, 1).await);
}

pub async fn two_membership_changes_whose_copies_are_written_in_the_wrong_order(
    port: &(impl SendGate + MembershipCopies),
) {
    port.write(&[copy(1, 1, false, 10)]).await.expect("write");
    port.write(&[copy(1, 1, true, 9)]).await.expect("an older one loses silently");
    assert!(!is_member(port, 1, 1).await);
    port.write(&[copy(1, 1, true, 100)]).await.expect("write");
    assert!(is_member(port, 1, 1).await);
}

pub async fn a_thousand_members_are_written_at_once(port: &(impl SendGate + MembershipCopies)) {
    let copies: Vec<_> = (1..=1_000).map(|number| copy(1, number, true, 1)).collect();
    port.write(&copies).await.expect("write");
    for number in [1, 500, 1_000] {
        assert!(is_member(port, number, 1).await, "{number}");
    }
    assert!(!is_member(port, 1_001, 1).await);
    port.write(&[]).await.expect("nothing to write");
}

pub async fn a_socket_stands_for_its_user(
    port: &(impl SendGate + MembershipCopies + ConnectionStore),
) {
    let opened = connection("a", 1, at_ms(0));
    port.open(&opened).await.expect("open");
    port.write(&[copy(1, 1, true, 1), copy(2, 2, true, 1)]).await.expect("write");
    // Twice, because an adapter may remember whose a connection is.
    for _ in 0..2 {
        for (number, is_member) in [(1, true), (2, false), (3, false)] {
            let standing = port.of_connection(&opened.id, conversation(number)).await;
            let expected = Standing { connection: Some(opened.clone()), is_member };
            assert_eq!(standing.expect("of_connection"), expected, "conversation {number}");
        }
    }
}

pub async fn a_socket_of_who_is_no_member_is_known_but_not_admitted(
    port: &(impl SendGate + MembershipCopies + ConnectionStore),
) {
    let opened = connection("a", 1, at_ms(0));
    port.open(&opened).await.expect("open");
    port.write(&[copy(1, 1, true, 1)]).await.expect("write");
    let before = port.of_connection(&opened.id, conversation(1)).await.expect("of_connection");
    assert!(before.is_member);
    port.write(&[copy(1, 1, false, 2)]).await.expect("write");
    let after = port.of_connection(&opened.id, conversation(1)).await.expect("of_connection");
    assert_eq!(after, Standing { connection: Some(opened), is_member: false });
}

pub async fn an_unknown_socket_stands_for_nobody(port: &impl SendGate) {
    let standing = port.of_connection(&connection_id("never"), conversation(1)).await;
    assert_eq!(standing.expect("of_connection"), Standing { connection: None, is_member: false });
}

pub async fn a_closed_socket_stands_for_nobody_even_if_it_sent_before(
    port: &(impl SendGate + MembershipCopies + ConnectionStore),
) {
    let opened = connection("a", 1, at_ms(0));
    port.open(&opened).await.expect("open");
    port.write(&[copy(1, 1, true, 1)]).await.expect("write");
    let before = port.of_connection(&opened.id, conversation(1)).await.expect("of_connection");
    assert!(before.is_member);
    port.close(&opened.id, at_ms(1)).await.expect("close");
    let after = port.of_connection(&opened.id, conversation(1)).await.expect("of_connection");
    assert_eq!(after, Standing { connection: None, is_member: false });
}
