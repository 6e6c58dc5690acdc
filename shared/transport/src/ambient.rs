//! The real clock and the real chance.

use std::time::{Duration, SystemTime};

use aws_lc_rs::{digest, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Timestamp;
use service::port::{Clock, Entropy};
use uuid::Uuid;

pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where time comes from")]
    fn now(&self) -> Timestamp {
        let since_epoch =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let epoch = Timestamp::from_unix_ms(0).map(|epoch| epoch.plus(since_epoch));
        epoch.unwrap_or_else(|| unreachable!("1970 is a year between 1 and 9999"))
    }
}

pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is where chance comes from")]
    fn uuid_v7(&self) -> Uuid {
        Uuid::now_v7()
    }

    fn secret(&self) -> String {
        let mut bytes = [0_u8; 32];
        // The generator of aws-lc only fails when the kernel has no entropy source at all; going
        // on with a guessable secret is not an option.
        if rand::fill(&mut bytes).is_err() {
            std::process::abort();
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn digest(&self, secret: &str) -> String {
        let hash = digest::digest(&digest::SHA256, secret.as_bytes());
        hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_256_bits_and_never_comes_twice() {
        let secrets: std::collections::BTreeSet<_> =
            (0..1_000).map(|_| SystemEntropy.secret()).collect();
        assert_eq!(secrets.len(), 1_000);
        assert!(secrets.iter().all(|secret| secret.len() == 43));
    }

    #[test]
    fn a_digest_is_sha256_in_hex() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(SystemEntropy.digest("abc"), abc);
    }
}
