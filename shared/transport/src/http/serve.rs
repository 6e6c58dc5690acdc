//! The synchronous entry of an HTTP function.

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};
use service::port::TokenVerifier;

use crate::connect::Parts;
use crate::http::{Request, Response};
use crate::{Rejection, entry, lambda};

type Handler =
    Arc<dyn Fn(Request) -> BoxFuture<'static, Result<Response, Rejection>> + Send + Sync>;

/// A handler with everything it needs, its types forgotten: the stack under it is compiled once.
pub(crate) struct Route {
    pub(crate) handler: Handler,
    /// `None` on an open route.
    pub(crate) verifier: Option<Arc<dyn TokenVerifier>>,
}

/// Serves a route that needs an access token.
pub fn serve<S, H, F>(connect: fn(&Parts) -> S, handler: H) -> ExitCode
where
    S: Clone + Send + Sync + 'static,
    H: Fn(S, Request) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Response, Rejection>> + Send + 'static,
{
    entry::run(entry::service_name::<H>(), move |parts| {
        let route = Route {
            handler: boxed(connect(parts), handler),
            verifier: Some(crate::connect::token_verifier(parts)),
        };
        lambda::serve_http(route, parts.meter())
    })
}

/// Serves an open route: no access token is looked at.
pub fn serve_open<S, H, F>(connect: fn(&Parts) -> S, handler: H) -> ExitCode
where
    S: Clone + Send + Sync + 'static,
    H: Fn(S, Request) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Response, Rejection>> + Send + 'static,
{
    entry::run(entry::service_name::<H>(), move |parts| {
        let route = Route { handler: boxed(connect(parts), handler), verifier: None };
        lambda::serve_http(route, parts.meter())
    })
}

fn boxed<S, H, F>(service: S, handler: H) -> Handler
where
    S: Clone + Send + Sync + 'static,
    H: Fn(S, Request) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Response, Rejection>> + Send + 'static,
{
    Arc::new(move |request| handler(service.clone(), request).boxed())
}
