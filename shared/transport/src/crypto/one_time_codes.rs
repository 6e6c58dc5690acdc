//! One-time codes (RFC 6238), whose secrets are stored sealed.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hkdf, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Timestamp, UserId, limits};
use service::port::{Failure, OneTimeCodes};
use totp_rs::{Algorithm, Builder, Totp};

/// Separates this use of the secret from any other one.
const KEY_PURPOSE: &[u8] = b"confab two-factor sealing key v1";
/// Shorter text cannot hold the entropy of a key.
const SEALING_SECRET_MIN_BYTES: usize = 32;
/// What RFC 4226 recommends: as long as the hash.
const SECRET_BYTES: usize = 20;
/// What authenticator apps show above the code.
const ISSUER: &str = "Confab";
const DIGITS: u8 = 6;
/// Time steps early or late: a slow clock.
const SKEW_STEPS: u16 = 1;

/// Secrets are sealed with AES-256-GCM for one user: a sealed secret that is copied to another
/// account opens nothing there. `v1.<nonce and sealed bytes in base64url>`.
pub(crate) struct SealedCodes {
    key: RandomizedNonceKey,
}

const VERSION: &str = "v1.";

fn bug(what: &'static str) -> Failure {
    Failure::bug("one-time codes", what)
}

struct KeyBytes;

impl hkdf::KeyType for KeyBytes {
    fn len(&self) -> usize {
        32
    }
}

impl SealedCodes {
    /// The same secret always gives the same key.
    pub(crate) fn derive(secret: &str) -> Result<Self, Failure> {
        if secret.len() < SEALING_SECRET_MIN_BYTES {
            return Err(bug("the sealing secret is shorter than 32 characters"));
        }
        let mut key = [0_u8; 32];
        hkdf::Salt::new(hkdf::HKDF_SHA256, &[])
            .extract(secret.as_bytes())
            .expand(&[KEY_PURPOSE], KeyBytes)
            .and_then(|okm| okm.fill(&mut key))
            .map_err(|_| bug("HKDF refused the secret"))?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, &key).map_err(|_| bug("bad key"))?;
        Ok(Self { key })
    }

    fn seal(&self, user: UserId, secret: &[u8]) -> Result<String, Failure> {
        let mut sealed = secret.to_vec();
        let about = Aad::from(*user.0.as_bytes());
        let nonce = self.key.seal_in_place_append_tag(about, &mut sealed);
        let nonce = nonce.map_err(|_| bug("cannot be sealed"))?;
        let whole = [nonce.as_ref().as_slice(), &sealed].concat();
        Ok(format!("{VERSION}{}", URL_SAFE_NO_PAD.encode(whole)))
    }

    fn open(&self, user: UserId, sealed: &str) -> Result<Vec<u8>, Failure> {
        let unreadable = || bug("a sealed secret cannot be opened");
        let text = sealed.strip_prefix(VERSION).ok_or_else(unreadable)?;
        let whole = URL_SAFE_NO_PAD.decode(text).map_err(|_| unreadable())?;
        let (nonce, sealed) = whole.split_at_checked(NONCE_LEN).ok_or_else(unreadable)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| unreadable())?;
        let mut sealed = sealed.to_vec();
        let about = Aad::from(*user.0.as_bytes());
        let opened = self.key.open_in_place(nonce, about, &mut sealed);
        Ok(opened.map_err(|_| unreadable())?.to_vec())
    }

    fn totp(&self, user: UserId, sealed: &str, account: &str) -> Result<Totp, Failure> {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(DIGITS)
            .with_skew(SKEW_STEPS)
            .with_step_duration(limits::TOTP_STEP.as_secs())
            .with_secret(self.open(user, sealed)?)
            .with_issuer(Some(ISSUER))
            .with_account_name(account)
            .build()
            .map_err(|error| Failure::bug("one-time codes", error.to_string()))
    }
}

impl OneTimeCodes for SealedCodes {
    fn new_secret(&self, user: UserId) -> Result<String, Failure> {
        let mut secret = [0_u8; SECRET_BYTES];
        rand::fill(&mut secret).map_err(|_| bug("no random numbers"))?;
        self.seal(user, &secret)
    }

    fn enrolment(
        &self,
        user: UserId,
        sealed_secret: &str,
        account: &str,
    ) -> Result<(String, String), Failure> {
        let totp = self.totp(user, sealed_secret, account)?;
        let url = totp.to_url();
        let url = url.map_err(|error| Failure::bug("one-time codes", error.to_string()))?;
        Ok((url, totp.secret().to_base32()))
    }

    fn check(
        &self,
        user: UserId,
        sealed_secret: &str,
        code: &str,
        now: Timestamp,
    ) -> Result<Option<u64>, Failure> {
        // As apps show it: 123 456.
        let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        if code.len() != usize::from(DIGITS) || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(None);
        }
        let seconds = u64::try_from(now.unix_seconds()).map_err(|_| bug("a time before 1970"))?;
        Ok(self.totp(user, sealed_secret, "")?.check(&code, seconds))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    /// The secret of the test vectors in RFC 6238, appendix B.
    const RFC_SECRET: &[u8] = b"12345678901234567890";

    fn codes() -> SealedCodes {
        SealedCodes::derive(SECRET).unwrap()
    }

    fn user(number: u128) -> UserId {
        UserId(Uuid::from_u128(number))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_ms(seconds * 1_000).unwrap()
    }

    #[test]
    fn the_codes_are_those_of_the_rfc() {
        let codes = codes();
        let sealed = codes.seal(user(1), RFC_SECRET).unwrap();
        for (seconds, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")]
        {
            let step = codes.check(user(1), &sealed, code, at(seconds)).unwrap();
            assert_eq!(step, Some(seconds as u64 / 30), "{code}");
        }
    }

    #[test]
    fn a_code_is_right_one_step_early_or_late_and_no_more() {
        let codes = codes();
        let sealed = codes.seal(user(1), RFC_SECRET).unwrap();
        let found = |seconds| codes.check(user(1), &sealed, "081804", at(seconds)).unwrap();
        let step = Some(1_111_111_109 / 30);
        assert_eq!(found(1_111_111_109 - 30), step);
        assert_eq!(found(1_111_111_109 + 30), step);
        assert_eq!(found(1_111_111_109 - 60), None);
        assert_eq!(found(1_111_111_109 + 60), None);
    }

    #[test]
    fn what_is_no_code_is_wrong_and_no_error() {
        let codes = codes();
        let sealed = codes.seal(user(1), RFC_SECRET).unwrap();
        for code in ["", "28708", "2870822", "28708x", "٢٨٧٠٨٢", "7k2m-9qpr-aaaa-bbbb"] {
            assert_eq!(codes.check(user(1), &sealed, code, at(59)).unwrap(), None, "{code:?}");
        }
        assert_eq!(codes.check(user(1), &sealed, " 287 082 ", at(59)).unwrap(), Some(1));
    }

    #[test]
    fn a_secret_opens_for_its_user_under_its_key_and_unchanged_only() {
        let codes = codes();
        let sealed = codes.new_secret(user(1)).unwrap();
        assert!(codes.open(user(1), &sealed).is_ok());
        assert!(codes.open(user(2), &sealed).is_err());
        assert!(
            SealedCodes::derive(&SECRET.replace('0', "1")).unwrap().open(user(1), &sealed).is_err()
        );
        let changed = format!("{}A", &sealed[..sealed.len() - 1]);
        let other =
            if changed == sealed { format!("{}B", &sealed[..sealed.len() - 1]) } else { changed };
        for broken in [other.as_str(), "", "v1.", "v1.AAAA", "v2.AAAA", "hunter2"] {
            let error = codes.open(user(1), broken).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn the_same_secret_is_sealed_in_another_way_each_time_and_never_shows() {
        let codes = codes();
        let one = codes.seal(user(1), RFC_SECRET).unwrap();
        assert_ne!(one, codes.seal(user(1), RFC_SECRET).unwrap());
        assert!(!one.contains(&URL_SAFE_NO_PAD.encode(RFC_SECRET)));
    }

    #[test]
    fn an_app_is_told_the_secret_the_issuer_and_the_account() {
        let codes = codes();
        let sealed = codes.seal(user(1), RFC_SECRET).unwrap();
        let (url, secret) = codes.enrolment(user(1), &sealed, "alice").unwrap();
        assert_eq!(secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert!(url.starts_with("otpauth://totp/Confab:alice?"), "{url}");
        assert!(url.contains("issuer=Confab") && url.contains(&secret), "{url}");
    }

    #[test]
    fn a_short_sealing_secret_is_refused() {
        assert!(SealedCodes::derive("hunter2").is_err());
    }
}
