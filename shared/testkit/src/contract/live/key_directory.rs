//! `KeyDirectory`

use crate::ambient::at_ms;
use service::port::{KeyDirectory, PublicKey};

/// One test a promise.
#[macro_export]
macro_rules! key_directory_promises {
    ($open:expr) => {
        $crate::promises! {
            key_directory, ($crate::contract::live::key_directory), $open,
            [an_empty_directory_has_no_keys, a_key_is_published_once_and_keys_of_others_stay]
        }
    };
}

fn key(kid: &str) -> PublicKey {
    PublicKey { kid: kid.to_owned(), x: format!("x-of-{kid}") }
}

pub async fn an_empty_directory_has_no_keys(port: &impl KeyDirectory) {
    assert_eq!(port.keys(at_ms(0)).await.expect("keys"), []);
}

pub async fn a_key_is_published_once_and_keys_of_others_stay(port: &impl KeyDirectory) {
    for kid in ["kid-1_A", "kid-2.B", "kid-1_A"] {
        port.publish(key(kid)).await.expect("publish");
    }
    let mut keys = port.keys(at_ms(0)).await.expect("keys");
    keys.sort();
    assert_eq!(keys, [key("kid-1_A"), key("kid-2.B")]);
}
