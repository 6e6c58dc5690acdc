//! `GET /.well-known/jwks.json` — the public keys that access tokens are verified with.

use std::process::ExitCode;

use protocol::body::{Jwk, Jwks};
use service::PublicKeys;
use service::port::PublicKey;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn get_jwks(public_keys: PublicKeys, _request: Request) -> Result<Response, Rejection> {
    let keys = public_keys.list().await?;
    Ok(http::ok(&Jwks { keys: keys.into_iter().map(jwk).collect() }))
}

fn jwk(PublicKey { kid, x }: PublicKey) -> Jwk {
    Jwk {
        kty: "OKP".to_owned(),
        crv: "Ed25519".to_owned(),
        alg: "EdDSA".to_owned(),
        key_use: "sig".to_owned(),
        kid,
        x,
    }
}

pub fn main() -> ExitCode {
    http::serve_open(connect::public_keys, get_jwks)
}
