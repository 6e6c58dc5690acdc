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
pub fn serve_upgrade<S, F>(connect: fn(&Parts) -> S, handler: fn(S, Upgrade) -> F) -> ExitCode
where
    S: Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), Rejection>> + Send + 'static,
{
    entry::run(move |parts| lambda::serve_socket(Route::Upgrade(boxed(connect(parts), handler))))
}

/// Serves frames: at most one frame goes back.
pub fn serve_frames<S, F>(connect: fn(&Parts) -> S, handler: fn(S, Frame) -> F) -> ExitCode
where
    S: Clone + Send + Sync + 'static,
    F: Future<Output = Result<Option<Said>, Rejection>> + Send + 'static,
{
    entry::run(move |parts| lambda::serve_socket(Route::Frame(boxed(connect(parts), handler))))
}

/// Serves `$disconnect`.
pub fn serve_closed<S, F>(connect: fn(&Parts) -> S, handler: fn(S, Closed) -> F) -> ExitCode
where
    S: Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), Rejection>> + Send + 'static,
{
    entry::run(move |parts| lambda::serve_socket(Route::Closed(boxed(connect(parts), handler))))
}

fn boxed<S, E, T, F>(service: S, handler: fn(S, E) -> F) -> Served<E, T>
where
    S: Clone + Send + Sync + 'static,
    E: 'static,
    T: 'static,
    F: Future<Output = Result<T, Rejection>> + Send + 'static,
{
    Arc::new(move |event| handler(service.clone(), event).boxed())
}
