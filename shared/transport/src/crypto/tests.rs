//! What an access token must be, and everything it must not be.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{SessionId, Timestamp, UserId, limits};
use jsonwebtoken::{Algorithm, Header};
use serde_json::{Value, json};
use service::port::{Clock, Failure, KeyDirectory, PublicKey, TokenSigner, TokenVerifier};
use service::{Caller, Error, Identity};
use testkit::ambient::FrozenClock;
use testkit::live::FakeLive;
use uuid::Uuid;

use super::signing::thumbprint;
use super::{EddsaSigner, EddsaVerifier, SigningKey};

const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const ISSUER: &str = "https://confab.example";
const AUDIENCE: &str = "confab";

fn parties() -> (String, String) {
    (ISSUER.to_owned(), AUDIENCE.to_owned())
}

fn identity() -> Identity {
    let id = Uuid::from_u128;
    Identity { user_id: UserId(id(1)), session_id: SessionId(id(2)) }
}

/// A directory that counts how often it is asked.
struct Counted {
    live: Arc<FakeLive>,
    fetches: AtomicUsize,
    /// All its keys.
    retired: AtomicBool,
}

#[async_trait]
impl KeyDirectory for Counted {
    async fn publish(&self, key: PublicKey) -> Result<(), Failure> {
        self.live.publish(key).await
    }

    async fn keys(&self, now: Timestamp) -> Result<Vec<PublicKey>, Failure> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let keys = self.live.keys(now).await?;
        Ok(if self.retired.load(Ordering::SeqCst) { vec![] } else { keys })
    }
}

struct Scene {
    clock: Arc<FrozenClock>,
    directory: Arc<Counted>,
    key: SigningKey,
    signer: EddsaSigner,
    verifier: EddsaVerifier,
}

fn scene() -> Scene {
    let clock = FrozenClock::new();
    let (fetches, retired) = (AtomicUsize::new(0), AtomicBool::new(false));
    let directory = Arc::new(Counted { live: FakeLive::new(), fetches, retired });
    let key = SigningKey::derive(SECRET).unwrap();
    let signer = EddsaSigner::new(key.clone(), parties(), directory.clone(), clock.clone());
    let verifier = EddsaVerifier::new(parties(), directory.clone(), clock.clone());
    Scene { clock, directory, key, signer, verifier }
}

impl Scene {
    /// A token of ours; the key is published with it.
    async fn token(&self) -> String {
        self.signer.sign(identity()).await.unwrap().token
    }

    fn claims(&self) -> Value {
        let now = self.clock.now().unix_seconds();
        json!({
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": identity().user_id.to_string(),
            "sid": identity().session_id.to_string(),
            "iat": now,
            "exp": now + 900,
        })
    }

    fn header(&self) -> Header {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(self.key.public.kid.clone());
        header
    }

    /// Signed with our own key, whatever it says.
    fn signed(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.key.private).unwrap()
    }

    async fn with(&self, change: impl FnOnce(&mut Value)) -> Result<Caller, Error> {
        let mut claims = self.claims();
        change(&mut claims);
        self.verifier.verify(&self.signed(&self.header(), &claims)).await
    }

    #[track_caller]
    fn assert_refused(verdict: Result<Caller, Error>, what: &str) {
        match verdict {
            Err(Error::Unauthenticated { code: "unauthenticated", .. }) => {}
            other => panic!("{what}: {other:?}"),
        }
    }
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[tokio::test]
async fn a_token_of_ours_says_who_is_asking() {
    let scene = scene();
    let token = scene.token().await;
    assert!(token.len() < 600, "{} bytes", token.len());
    let caller = scene.verifier.verify(&token).await.unwrap();
    assert_eq!(caller.identity(), identity());
    assert_eq!(scene.with(|_| ()).await.unwrap(), caller, "the tests below change one thing");
}

#[tokio::test]
async fn the_key_is_published_before_the_first_token_leaves() {
    let scene = scene();
    scene.directory.live.set_down(true);
    assert!(scene.signer.sign(identity()).await.is_err());
    scene.directory.live.set_down(false);
    scene.token().await;
    let published = scene.directory.keys(scene.clock.now()).await.unwrap();
    assert_eq!(published, std::slice::from_ref(&scene.key.public));
}

#[tokio::test]
async fn no_other_algorithm_is_accepted_whoever_signed() {
    let scene = scene();
    let token = scene.token().await;
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let payload = signed.split_once('.').unwrap().1;
    let kid = &scene.key.public.kid;
    let header = |alg: &str| part(&json!({ "alg": alg, "typ": "at+jwt", "kid": kid }));

    for alg in ["none", "None", "NONE", ""] {
        let forged = format!("{}.{payload}.", header(alg));
        Scene::assert_refused(scene.verifier.verify(&forged).await, alg);
    }
    // The public key is public: who takes it for a shared secret would accept this.
    let public = URL_SAFE_NO_PAD.decode(&scene.key.public.x).unwrap();
    for secret in [public, scene.key.public.x.clone().into_bytes()] {
        let content = format!("{}.{payload}", header("HS256"));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), content.as_bytes());
        let forged = format!("{content}.{}", URL_SAFE_NO_PAD.encode(tag));
        Scene::assert_refused(scene.verifier.verify(&forged).await, "HS256");
    }
    for alg in ["RS256", "ES256", "PS512", "EdDSA "] {
        let forged = format!("{}.{payload}.{signature}", header(alg));
        Scene::assert_refused(scene.verifier.verify(&forged).await, alg);
    }
}

#[tokio::test]
async fn another_type_or_no_key_id_is_refused() {
    let scene = scene();
    scene.token().await;
    for typ in [None, Some("JWT"), Some("jwt"), Some("at+JWT"), Some("id+jwt")] {
        let header = Header { typ: typ.map(str::to_owned), ..scene.header() };
        let token = scene.signed(&header, &scene.claims());
        Scene::assert_refused(scene.verifier.verify(&token).await, &format!("{typ:?}"));
    }
    let header = Header { kid: None, ..scene.header() };
    let token = scene.signed(&header, &scene.claims());
    Scene::assert_refused(scene.verifier.verify(&token).await, "no kid");
}

#[tokio::test]
async fn a_foreign_key_under_our_key_id_is_refused() {
    let scene = scene();
    scene.token().await;
    let foreign = SigningKey::derive(&SECRET.replace('0', "z")).unwrap();
    let token = jsonwebtoken::encode(&scene.header(), &scene.claims(), &foreign.private).unwrap();
    Scene::assert_refused(scene.verifier.verify(&token).await, "foreign key");
    // Nor may a token bring its own key.
    let mut header = scene.header();
    header.jwk = Some(
        serde_json::from_value(json!({ "kty": "OKP", "crv": "Ed25519", "x": foreign.public.x }))
            .unwrap(),
    );
    let token = jsonwebtoken::encode(&header, &scene.claims(), &foreign.private).unwrap();
    Scene::assert_refused(scene.verifier.verify(&token).await, "its own key");
}

#[tokio::test]
async fn forged_key_ids_cost_few_fetches() {
    let scene = scene();
    let fetches = || scene.directory.fetches.load(Ordering::SeqCst);
    let token = scene.token().await;
    for number in 0..50 {
        let header = Header { kid: Some(format!("forged-{number}")), ..scene.header() };
        let forged = scene.signed(&header, &scene.claims());
        Scene::assert_refused(scene.verifier.verify(&forged).await, "unknown kid");
    }
    assert_eq!(fetches(), 1);
    assert!(scene.verifier.verify(&token).await.is_ok());
    assert_eq!(fetches(), 1, "our own key was among them");

    // A key that was added meanwhile is found a little later.
    let newer = SigningKey::derive(&SECRET.replace('1', "y")).unwrap();
    let signer = EddsaSigner::new(newer, parties(), scene.directory.clone(), scene.clock.clone());
    let token = signer.sign(identity()).await.unwrap().token;
    Scene::assert_refused(scene.verifier.verify(&token).await, "not fetched yet");
    scene.clock.advance(limits::KEY_REFETCH_INTERVAL);
    assert!(limits::KEY_REFETCH_INTERVAL <= Duration::from_secs(5), "clients do not wait longer");
    assert!(scene.verifier.verify(&token).await.is_ok());
    assert_eq!(fetches(), 2);
}

#[tokio::test]
async fn a_directory_that_is_down_is_no_verdict_on_the_token() {
    let scene = scene();
    let token = scene.token().await;
    scene.directory.live.set_down(true);
    let verdict = scene.verifier.verify(&token).await;
    assert!(matches!(verdict, Err(Error::Unavailable { .. })), "{verdict:?}");
    scene.directory.live.set_down(false);
    assert!(scene.verifier.verify(&token).await.is_ok(), "and nothing waits then");
    scene.directory.live.set_down(true);
    assert!(scene.verifier.verify(&token).await.is_ok(), "a known key needs no directory");
    scene.clock.advance(limits::KEY_CACHE_LIFETIME);
    assert!(scene.verifier.verify(&token).await.is_ok(), "an old key is better than none");
}

#[tokio::test]
async fn a_retired_key_is_forgotten_by_a_process_that_knows_it() {
    let scene = scene();
    let token = scene.token().await;
    assert!(scene.verifier.verify(&token).await.is_ok());
    scene.directory.retired.store(true, Ordering::SeqCst);
    assert!(scene.verifier.verify(&token).await.is_ok(), "nobody asks for every token");
    scene.clock.advance(limits::KEY_CACHE_LIFETIME);
    Scene::assert_refused(scene.verifier.verify(&token).await, "its key was retired");
}

#[tokio::test]
async fn a_token_for_others_or_of_others_is_refused() {
    let scene = scene();
    scene.token().await;
    for (claim, value) in [
        ("iss", json!("https://evil.example")),
        ("iss", json!("")),
        ("aud", json!("confab-admin")),
        ("aud", json!(["confab-admin"])),
        ("sub", json!("ada")),
        ("sub", json!(1)),
        ("sid", json!("")),
        ("exp", json!("tomorrow")),
        ("exp", json!(-1)),
    ] {
        let verdict = scene.with(|claims| claims[claim] = value.clone()).await;
        Scene::assert_refused(verdict, &format!("{claim} = {value}"));
    }
    for claim in ["iss", "aud", "sub", "sid", "iat", "exp"] {
        let verdict = scene
            .with(|claims| {
                claims.as_object_mut().unwrap().remove(claim);
            })
            .await;
        Scene::assert_refused(verdict, &format!("without {claim}"));
    }
}

#[tokio::test]
async fn a_token_is_valid_to_the_second_before_it_expires() {
    let scene = scene();
    let token = scene.token().await;
    scene.clock.advance(limits::ACCESS_TOKEN_LIFETIME - Duration::from_secs(1));
    assert!(scene.verifier.verify(&token).await.is_ok());
    scene.clock.advance(Duration::from_secs(1));
    Scene::assert_refused(scene.verifier.verify(&token).await, "expired");
}

#[tokio::test]
async fn a_token_from_the_future_is_refused_beyond_what_clocks_differ() {
    let scene = scene();
    scene.token().await;
    let now = scene.clock.now().unix_seconds();
    assert!(scene.with(|claims| claims["iat"] = json!(now + 60)).await.is_ok());
    for ahead in [61, 3_600, i64::MAX - now] {
        let verdict = scene.with(|claims| claims["iat"] = json!(now + ahead)).await;
        Scene::assert_refused(verdict, &format!("{ahead} s ahead"));
    }
}

#[tokio::test]
async fn garbage_is_refused_and_never_fetches_a_key() {
    let scene = scene();
    let token = scene.token().await;
    let long = format!("{token}{}", "A".repeat(10_000));
    let parts: Vec<&str> = token.split('.').collect();
    let swapped = format!("{}.{}.{}", parts[1], parts[0], parts[2]);
    let garbage = [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "Bearer",
        "\u{0}",
        "é.é.é",
        "null",
        "{}.{}.{}",
        &long,
        &swapped,
        &token[..token.len() - 100],
        &parts[..2].join("."),
        &format!("{token}.{}", parts[2]),
    ]
    .map(str::to_owned);
    for text in garbage {
        Scene::assert_refused(scene.verifier.verify(&text).await, &text);
    }
    // One bit of the signature.
    let last = if token.ends_with('A') { 'B' } else { 'A' };
    let mut bent = token.clone();
    bent.replace_range(token.len() - 10..token.len() - 9, &last.to_string());
    if bent != token {
        Scene::assert_refused(scene.verifier.verify(&bent).await, "bent signature");
    }
}

#[test]
fn the_key_id_is_the_thumbprint_of_rfc_7638() {
    // The key of RFC 8037, appendix A.3.
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    assert_eq!(thumbprint(x), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let key = SigningKey::derive(SECRET).unwrap().public;
    assert_eq!(key.kid, thumbprint(&key.x));
    assert_eq!(URL_SAFE_NO_PAD.decode(&key.x).unwrap().len(), 32);
}

#[test]
fn the_same_secret_gives_the_same_key_and_a_short_one_none() {
    let public = |secret: &str| SigningKey::derive(secret).map(|key| key.public);
    assert_eq!(public(SECRET).unwrap(), public(SECRET).unwrap());
    assert_ne!(public(SECRET).unwrap(), public(&SECRET.to_uppercase()).unwrap());
    assert!(public(&SECRET[..32]).is_ok());
    for short in ["", "hunter2", &SECRET[..31]] {
        let error = public(short).unwrap_err();
        assert!(short.is_empty() || !error.to_string().contains(short), "{error}");
    }
}
