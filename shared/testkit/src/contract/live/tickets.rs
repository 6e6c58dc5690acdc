//! `TicketStore`

use service::port::TicketStore;

use super::sample::identity;
use crate::ambient::at_ms;

/// One test a promise.
#[macro_export]
macro_rules! ticket_promises {
    ($open:expr) => {
        $crate::promises! {
            tickets, ($crate::contract::live::tickets), $open,
            [
                a_ticket_tells_whose_it_is_and_is_spent,
                an_unknown_ticket_is_nobodys,
                an_expired_ticket_is_nobodys_even_if_its_item_is_still_there,
                of_many_redemptions_at_once_one_wins,
            ]
        }
    };
}

pub async fn a_ticket_tells_whose_it_is_and_is_spent(port: &impl TicketStore) {
    port.issue("digest-1", identity(1), at_ms(30_000)).await.expect("issue");
    port.issue("digest-2", identity(2), at_ms(30_000)).await.expect("issue");
    assert_eq!(port.redeem("digest-1", at_ms(1)).await.expect("redeem"), Some(identity(1)));
    assert_eq!(port.redeem("digest-1", at_ms(1)).await.expect("redeem"), None);
    assert_eq!(port.redeem("digest-2", at_ms(1)).await.expect("redeem"), Some(identity(2)));
}

pub async fn an_unknown_ticket_is_nobodys(port: &impl TicketStore) {
    for digest in ["unknown", "a b", "é\u{1f680}", "#", &"x".repeat(1_000)] {
        assert_eq!(port.redeem(digest, at_ms(0)).await.expect("redeem"), None, "{digest:?}");
    }
}

pub async fn an_expired_ticket_is_nobodys_even_if_its_item_is_still_there(port: &impl TicketStore) {
    for (digest, now_ms, owner) in [("late", 30_000, None), ("in-time", 29_999, Some(identity(1)))]
    {
        port.issue(digest, identity(1), at_ms(30_000)).await.expect("issue");
        let redeemed = port.redeem(digest, at_ms(now_ms)).await.expect("redeem");
        assert_eq!(redeemed, owner, "{digest}");
    }
}

pub async fn of_many_redemptions_at_once_one_wins(port: &impl TicketStore) {
    port.issue("wanted", identity(1), at_ms(30_000)).await.expect("issue");
    let now = at_ms(0);
    let (a, b, c, d) = tokio::join!(
        port.redeem("wanted", now),
        port.redeem("wanted", now),
        port.redeem("wanted", now),
        port.redeem("wanted", now),
    );
    let winners = [a, b, c, d].into_iter().filter(|won| matches!(won, Ok(Some(_)))).count();
    assert_eq!(winners, 1);
}
