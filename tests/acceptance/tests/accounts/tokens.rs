//! Access tokens: EdDSA of our key, and nothing else.

use aws_lc_rs::hkdf;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use harness::{Client, System, unique_id};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use protocol::body::Jwks;
use reqwest::Method;
use serde_json::{Value, json};

use crate::emulator::signing_secret;
use crate::people::people;

/// Everything a token is made of, as a real one has it.
struct Forge {
    kid: String,
    x: String,
    real_key: Ed25519KeyPair,
    claims: Value,
}

impl Forge {
    async fn of(client: &Client) -> Self {
        let system = System::shared().await.unwrap();
        let jwks: Jwks =
            client.api().get("/.well-known/jwks.json").await.unwrap().expect(200).unwrap();
        let payload = client.access_token.split('.').nth(1).unwrap();
        let claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
        let real_key = key_of(&signing_secret(system).await);
        Self { kid: jwks.keys[0].kid.clone(), x: jwks.keys[0].x.clone(), real_key, claims }
    }

    fn header(&self, algorithm: Algorithm) -> Header {
        let mut header = Header::new(algorithm);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(self.kid.clone());
        header
    }

    /// A token with changed claims, signed by the real key.
    fn signed_with(&self, change: &Value) -> String {
        let mut claims = self.claims.clone();
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        sign(&self.header(Algorithm::EdDSA), &claims, &self.real_key)
    }

    /// Three parts of any content.
    fn raw(header: &Value, claims: &Value, signature: &str) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.{signature}", part(header), part(claims))
    }
}

fn key_of(secret: &str) -> Ed25519KeyPair {
    let mut seed = [0_u8; 32];
    hkdf::Salt::new(hkdf::HKDF_SHA256, &[])
        .extract(secret.as_bytes())
        .expand(&[b"confab access token signing key v1"], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut seed))
        .unwrap();
    Ed25519KeyPair::from_seed_unchecked(&seed).unwrap()
}

fn sign(header: &Header, claims: &Value, key: &Ed25519KeyPair) -> String {
    let document = key.to_pkcs8().unwrap();
    jsonwebtoken::encode(header, claims, &EncodingKey::from_ed_der(document.as_ref())).unwrap()
}

async fn status_with(client: &Client, token: &str) -> (u16, String) {
    let request = client.api().request(Method::GET, "/v1/users/me").bearer_auth(token);
    let answer = client.api().send(request).await.unwrap();
    (answer.status, answer.text())
}

async fn assert_refused(client: &Client, tokens: &[(&str, String)]) {
    for (what, token) in tokens {
        let (status, body) = status_with(client, token).await;
        assert_eq!(status, 401, "{what}: {body}");
        assert!(body.contains("\"unauthenticated\""), "{what}: {body}");
    }
}

#[tokio::test]
async fn a_token_that_our_key_signed_is_accepted() {
    let [ada] = people(["ada"]).await;
    let forge = Forge::of(&ada).await;
    let x = URL_SAFE_NO_PAD.encode(forge.real_key.public_key().as_ref());
    assert_eq!(x, forge.x, "the key that is published is the one of the secret");
    // Without this, the refusals below could have any reason.
    let (status, body) = status_with(&ada, &forge.signed_with(&json!({}))).await;
    assert_eq!(status, 200, "{body}");
}

#[tokio::test]
async fn tokens_of_another_algorithm_or_key_are_refused() {
    let [ada] = people(["ada"]).await;
    let forge = Forge::of(&ada).await;
    let public_key = URL_SAFE_NO_PAD.decode(&forge.x).unwrap();
    let hs256 = |secret: &[u8]| {
        let key = EncodingKey::from_secret(secret);
        jsonwebtoken::encode(&forge.header(Algorithm::HS256), &forge.claims, &key).unwrap()
    };
    let header = |alg: &str| json!({ "alg": alg, "typ": "at+jwt", "kid": forge.kid });
    let eddsa = forge.header(Algorithm::EdDSA);
    let foreign_key = key_of("another secret of another system, long enough");
    let real = ada.access_token.as_str();
    let (signed, signature) = real.rsplit_once('.').unwrap();
    let other_user = json!({ "sub": unique_id() });
    let mut tampered = forge.claims.clone();
    tampered["sub"] = other_user["sub"].clone();
    let tokens = [
        ("alg none", Forge::raw(&header("none"), &forge.claims, "")),
        ("alg None with a signature", Forge::raw(&header("None"), &forge.claims, signature)),
        ("alg of another case", Forge::raw(&header("eddsa"), &forge.claims, signature)),
        ("HS256 by the key's bytes", hs256(&public_key)),
        ("HS256 by the key's text", hs256(forge.x.as_bytes())),
        ("a foreign key under our kid", sign(&eddsa, &forge.claims, &foreign_key)),
        ("another's claims", Forge::raw(&header("EdDSA"), &tampered, signature)),
        ("no signature", format!("{signed}.")),
        ("half a signature", format!("{signed}.{}", &signature[..40])),
        ("a part too many", format!("{real}.x")),
    ];
    assert_refused(&ada, &tokens).await;
}

#[tokio::test]
async fn tokens_of_another_time_place_or_kind_are_refused() {
    let [ada] = people(["ada"]).await;
    let forge = Forge::of(&ada).await;
    let issued = forge.claims["iat"].as_i64().unwrap();
    let plain_type = Header { typ: Some("JWT".to_owned()), ..forge.header(Algorithm::EdDSA) };
    let no_type = Header { typ: None, ..forge.header(Algorithm::EdDSA) };
    let no_kid = Header { kid: None, ..forge.header(Algorithm::EdDSA) };
    let bad_kid = Header { kid: Some("../keys".to_owned()), ..forge.header(Algorithm::EdDSA) };
    let sign = |header: &Header| sign(header, &forge.claims, &forge.real_key);
    let tokens = [
        ("expired", forge.signed_with(&json!({ "exp": issued - 1, "iat": issued - 901 }))),
        ("made in the future", forge.signed_with(&json!({ "iat": issued + 3600 }))),
        ("another issuer", forge.signed_with(&json!({ "iss": "elsewhere" }))),
        ("another audience", forge.signed_with(&json!({ "aud": "elsewhere" }))),
        ("no expiry", forge.signed_with(&json!({ "exp": null }))),
        ("no session", forge.signed_with(&json!({ "sid": null }))),
        ("a user that is no id", forge.signed_with(&json!({ "sub": "' OR 1=1 --" }))),
        ("another type", sign(&plain_type)),
        ("no type", sign(&no_type)),
        ("no kid", sign(&no_kid)),
        ("an unknown kid", sign(&bad_kid)),
        ("a refresh token", ada.refresh_token.clone()),
        ("a ticket", ada.ticket().await.unwrap().ticket),
        ("nothing", String::new()),
        ("three dots", "...".to_owned()),
        ("a long text", "a".repeat(9_000)),
    ];
    assert_refused(&ada, &tokens).await;
}
