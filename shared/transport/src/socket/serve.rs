//! The synchronous entries of the socket functions.

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};

use super::{Closed, Frame, Said, Upgrade};
use crate::connect::Parts;
use crate::{Rejection, entry, lambda};

/// What a socket function does, its types forgotten.
pub(crate) enum Route {
    Upgrade(Served<Upgrade, ()>),
    Frame(Served<Frame, Option<Said>>),
    Closed(Served<Closed, ()>),
}

pub(crate) type Served<E, T> =
    Arc<dyn Fn(E) -> BoxFuture<'static, Result<T, Rejection>> + Send + Sync>;

/// Serves `$connect`: `Ok` opens the socket, a rejection refuses the upgrade with its status.
pub fn serve_upgrade<S, H, F>(connect: fn(&Parts) -> S, handler: H) -> ExitCode
where
    S: Clone + Send + Sync + 'static,
    H: Fn(S, Upgrade) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Rejection>> + Send + 'static,
{
    entry::run(entry::service_name::<H>(), move |parts| {
        lambda::serve_socket(Route::Upgrade(boxed(connect(parts), handler)), parts.meter())
    })
}

/// Serves frames: at most one frame goes back.
pub fn serve_frames<S, H, F>(connect: fn(&Parts) -> S, handler: H) -> ExitCode
where
    S: Clone + Send + Sync + 'static,
    H: Fn(S, Frame) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Option<Said>, Rejection>> + Send + 'static,
{
    entry::run(entry::service_name::<H>(), move |parts| {
        lambda::serve_socket(Route::Frame(boxed(connect(parts), handler)), parts.meter())
    })
}

/// Serves `$disconnect`.
pub fn serve_closed<S, H, F>(connect: fn(&Parts) -> S, handler: H) -> ExitCode
where
    S: Clone + Send + Sync + 'static,
    H: Fn(S, Closed) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Rejection>> + Send + 'static,
{
    entry::run(entry::service_name::<H>(), move |parts| {
        lambda::serve_socket(Route::Closed(boxed(connect(parts), handler)), parts.meter())
    })
}

fn boxed<S, E, T, H, F>(service: S, handler: H) -> Served<E, T>
where
    S: Clone + Send + Sync + 'static,
    H: Fn(S, E) -> F + Send + Sync + 'static,
    E: 'static,
    T: 'static,
    F: Future<Output = Result<T, Rejection>> + Send + 'static,
{
    Arc::new(move |event| handler(service.clone(), event).boxed())
}
