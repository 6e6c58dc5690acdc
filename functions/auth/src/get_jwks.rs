//! `GET /.well-known/jwks.json` — the public keys that access tokens are verified with.

use std::process::ExitCode;
use std::sync::Arc;

use protocol::body::{Jwk, Jwks};
use service::Error;
use service::port::{KeyDirectory, PublicKey};
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn get_jwks(
    directory: Arc<dyn KeyDirectory>,
    _request: Request,
) -> Result<Response, Rejection> {
    let keys = directory.keys().await.map_err(Error::from)?;
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
    http::serve_open(connect::key_directory, get_jwks)
}
