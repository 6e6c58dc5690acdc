//! `Pusher`

use async_trait::async_trait;
use domain::ConnectionId;
use service::port::{PushOutcome, Pusher};

use super::sample::{connection_id, message, message_rejected, messages_new};

/// The port, and the sockets behind it.
#[async_trait]
pub trait Sockets: Send + Sync {
    fn pusher(&self) -> &dyn Pusher;
    /// From now on this socket is open, gone, or refuses every push.
    fn behave(&self, id: &ConnectionId, outcome: PushOutcome);
    /// How many events, each of one frame, reached this socket.
    async fn heard(&self, id: &ConnectionId) -> usize;
}

/// One test a promise.
#[macro_export]
macro_rules! pusher_promises {
    ($open:expr) => {
        $crate::promises! {
            pusher, ($crate::contract::live::pusher), $open,
            [
                an_open_socket_hears_and_no_other,
                a_socket_that_is_gone_is_told_apart_from_one_that_fails,
                a_socket_that_failed_may_be_told_again,
                a_socket_that_is_gone_can_be_disconnected,
                a_disconnected_socket_is_gone,
            ]
        }
    };
}

pub async fn an_open_socket_hears_and_no_other(port: &impl Sockets) {
    let (one, other) = (connection_id("one"), connection_id("other"));
    port.behave(&one, PushOutcome::Delivered);
    port.behave(&other, PushOutcome::Delivered);
    let news = messages_new(vec![message(1, "hello")]);
    assert_eq!(port.pusher().push(&one, &news).await, PushOutcome::Delivered);
    assert_eq!(port.pusher().push(&one, &message_rejected()).await, PushOutcome::Delivered);
    assert_eq!((port.heard(&one).await, port.heard(&other).await), (2, 0));
}

pub async fn a_socket_that_is_gone_is_told_apart_from_one_that_fails(port: &impl Sockets) {
    for outcome in [PushOutcome::Gone, PushOutcome::Failed] {
        let id = connection_id("a");
        port.behave(&id, outcome);
        assert_eq!(port.pusher().push(&id, &message_rejected()).await, outcome);
        assert_eq!(port.heard(&id).await, 0);
    }
}

pub async fn a_socket_that_failed_may_be_told_again(port: &impl Sockets) {
    let id = connection_id("a");
    port.behave(&id, PushOutcome::Failed);
    assert_eq!(port.pusher().push(&id, &message_rejected()).await, PushOutcome::Failed);
    port.behave(&id, PushOutcome::Delivered);
    assert_eq!(port.pusher().push(&id, &message_rejected()).await, PushOutcome::Delivered);
    assert_eq!(port.heard(&id).await, 1);
}

pub async fn a_socket_that_is_gone_can_be_disconnected(port: &impl Sockets) {
    let id = connection_id("a");
    port.behave(&id, PushOutcome::Gone);
    port.pusher().disconnect(&id).await.expect("disconnect");
}

pub async fn a_disconnected_socket_is_gone(port: &impl Sockets) {
    let id = connection_id("a");
    port.behave(&id, PushOutcome::Delivered);
    port.pusher().disconnect(&id).await.expect("disconnect");
    port.pusher().disconnect(&id).await.expect("disconnect again");
    assert_eq!(port.pusher().push(&id, &message_rejected()).await, PushOutcome::Gone);
}
