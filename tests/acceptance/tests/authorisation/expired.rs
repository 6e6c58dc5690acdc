//! A token whose time is over, and nothing else is wrong with it.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_lc_rs::hkdf;
use aws_lc_rs::signature::Ed25519KeyPair;
use aws_sdk_secretsmanager::config::{Credentials, SharedCredentialsProvider};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use harness::{Client, System};
use serde_json::{Value, json};

/// The client's token as it was given, and the same after its time: both signed here, by the key
/// of the system. Only if the first is accepted does a refusal of the second say anything.
pub async fn tokens(system: &System, client: &Client) -> [String; 2] {
    let key = signing_key(&signing_secret(system).await);
    let (signed, _) = client.access_token.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    let issued = claims["iat"].as_i64().unwrap();
    let mut expired = claims.clone();
    (expired["iat"], expired["exp"]) = (json!(issued - 901), json!(issued - 1));
    [claims, expired].map(|claims| {
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    })
}

fn signing_key(secret: &str) -> Ed25519KeyPair {
    let mut seed = [0_u8; 32];
    hkdf::Salt::new(hkdf::HKDF_SHA256, &[])
        .extract(secret.as_bytes())
        .expand(&[b"confab access token signing key v1"], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut seed))
        .unwrap();
    Ed25519KeyPair::from_seed_unchecked(&seed).unwrap()
}

async fn signing_secret(system: &System) -> String {
    let credentials = Credentials::new("test", "test", None, None, "acceptance");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(system.aws_endpoint_url())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    let client = aws_sdk_secretsmanager::Client::new(&config);
    let asked = client.get_secret_value().secret_id(format!("{}/signing", system.stack()));
    asked.send().await.unwrap().secret_string.unwrap()
}
