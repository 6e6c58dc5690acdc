//! A TCP proxy that stands before Postgres or the emulator and fails like a network does.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::{Failure, Result};

/// What the proxy does with what comes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// Passes everything.
    Clear,
    /// Passes every piece so much later.
    Slow(Duration),
    /// Takes everything and passes nothing, until the weather changes.
    Stalled,
    /// Resets what is open and what is opened.
    Cut,
}

/// Ends with the value, and everything that goes through it.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    weather: watch::Sender<Weather>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Before `target`, a `host:port`.
    ///
    /// # Errors
    /// No port is free.
    pub async fn before(target: &str) -> Result<Self> {
        let listening = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listening.map_err(|e| Failure::cannot("listen as a proxy", e))?;
        let address = listener.local_addr().map_err(|e| Failure::cannot("listen as a proxy", e))?;
        let (weather, seen) = watch::channel(Weather::Clear);
        let task = tokio::spawn(serve(listener, target.to_owned(), seen));
        Ok(Self { port: address.port(), weather, task })
    }

    /// The URL with the proxy in the place of its host and port.
    ///
    /// # Errors
    /// It names no host and port.
    pub async fn before_url(url: &str) -> Result<(Self, String)> {
        let none = || Failure::new("the URL names no host and port");
        let (scheme, rest) = url.split_once("://").ok_or_else(none)?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, target) = match authority.rsplit_once('@') {
            Some((user, target)) => (format!("{user}@"), target),
            None => (String::new(), authority),
        };
        if !target.contains(':') {
            return Err(none());
        }
        let proxy = Self::before(target).await?;
        let through = format!("{scheme}://{user}127.0.0.1:{}/{path}", proxy.port);
        Ok((proxy, through.trim_end_matches('/').to_owned()))
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn set(&self, weather: Weather) {
        // Nobody sees it when the task has ended, and then there is nothing to change.
        let _ = self.weather.send(weather);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, target: String, weather: watch::Receiver<Weather>) {
    // Their end is the end of what goes through: dropping the set aborts them.
    let mut open = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            Ok((client, _)) = listener.accept() => {
                if *weather.borrow() != Weather::Cut {
                    open.spawn(pass(client, target.clone(), weather.clone()));
                }
            }
            Some(_) = open.join_next() => {}
        }
    }
}

async fn pass(client: TcpStream, target: String, weather: watch::Receiver<Weather>) {
    let Ok(server) = TcpStream::connect(&target).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let mut cut = weather.clone();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = copy(from_client, to_server, weather.clone()) => {}
        () = copy(from_server, to_client, weather) => {}
        _ = cut.wait_for(|weather| *weather == Weather::Cut) => {}
    }
}

/// Ends at the first half that ends: a half-open connection would outlive its other side.
async fn copy(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut weather: watch::Receiver<Weather>,
) {
    let mut piece = vec![0; 16_384];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        if weather.wait_for(|weather| *weather != Weather::Stalled).await.is_err() {
            return;
        }
        let delay = match *weather.borrow() {
            Weather::Slow(delay) => delay,
            Weather::Clear | Weather::Stalled | Weather::Cut => Duration::ZERO,
        };
        if !delay.is_zero() {
            sleep(delay).await;
        }
        if to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn echo() -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let target = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.into_split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        target
    }

    async fn ask(stream: &mut TcpStream) -> std::io::Result<[u8; 4]> {
        stream.write_all(b"ping").await?;
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    }

    #[tokio::test]
    async fn it_passes_in_clear_weather_and_resets_when_it_is_cut() {
        let proxy = Proxy::before(&echo().await).await.unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", proxy.port())).await.unwrap();
        assert_eq!(&ask(&mut stream).await.unwrap(), b"ping");
        proxy.set(Weather::Cut);
        assert!(ask(&mut stream).await.is_err());
        proxy.set(Weather::Clear);
        let mut again = TcpStream::connect(("127.0.0.1", proxy.port())).await.unwrap();
        assert_eq!(&ask(&mut again).await.unwrap(), b"ping");
    }

    #[tokio::test]
    async fn what_was_stalled_comes_through_later() {
        let proxy = Proxy::before(&echo().await).await.unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", proxy.port())).await.unwrap();
        proxy.set(Weather::Stalled);
        let patience = Duration::from_millis(200);
        assert!(tokio::time::timeout(patience, ask(&mut stream)).await.is_err());
        proxy.set(Weather::Slow(Duration::from_millis(5)));
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"ping");
    }

    #[tokio::test]
    async fn a_url_keeps_its_user_and_path() {
        let url = format!("postgres://me:secret@{}/confab", echo().await);
        let (proxy, through) = Proxy::before_url(&url).await.unwrap();
        assert_eq!(through, format!("postgres://me:secret@127.0.0.1:{}/confab", proxy.port()));
        assert!(Proxy::before_url("no url").await.is_err());
    }
}
