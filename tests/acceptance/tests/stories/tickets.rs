//! A socket opens for a fresh ticket and for nothing else.

use aws_lc_rs::digest::{SHA256, digest};
use harness::{Socket, System, unique_name};
use protocol::body::SocketTicket;

use crate::emulator::{Table, number};
use crate::people::people;

const PROTOCOLS: &str = "sec-websocket-protocol";

/// The status that an upgrade with this ticket is refused with.
async fn refusal(url: &str, protocols: &str) -> u16 {
    match Socket::upgrade(url, &[(PROTOCOLS, protocols)]).await.unwrap() {
        Ok(_) => panic!("a socket opened"),
        Err(status) => status,
    }
}

#[tokio::test]
async fn a_ticket_opens_one_socket_and_is_spent() {
    let [ada] = people(["ada"]).await;
    let ticket = ada.ticket().await.unwrap();
    assert_eq!(ticket.expires_in, 30);
    assert!(!ticket.url.contains(&ticket.ticket), "the URL holds the ticket");
    Socket::connect(&ticket).await.unwrap();
    let protocols = format!("chat.v1, ticket.{}", ticket.ticket);
    assert_eq!(refusal(&ticket.url, &protocols).await, 401);
}

#[tokio::test]
async fn a_ticket_used_twice_at_once_opens_one_socket() {
    let [ada] = people(["ada"]).await;
    let ticket = ada.ticket().await.unwrap();
    let (one, other) = tokio::join!(Socket::connect(&ticket), Socket::connect(&ticket));
    assert!(one.is_ok() != other.is_ok(), "both or neither opened");
}

#[tokio::test]
async fn a_ticket_may_come_in_the_url() {
    let [ada] = people(["ada"]).await;
    let SocketTicket { ticket, url, .. } = ada.ticket().await.unwrap();
    let by_query = format!("{url}?ticket={ticket}");
    assert!(Socket::upgrade(&by_query, &[]).await.unwrap().is_ok());
    assert_eq!(refusal(&by_query, "chat.v1").await, 401);
}

#[tokio::test]
async fn an_expired_ticket_opens_nothing() {
    let [ada] = people(["ada"]).await;
    let SocketTicket { ticket, url, .. } = ada.ticket().await.unwrap();
    let digest = digest(&SHA256, ticket.as_bytes());
    let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let table = Table::of(System::shared().await.unwrap());
    let key = format!("T#{hex}");
    assert!(table.has_attribute(&key, "T", "expires_ms").await, "the ticket is kept elsewhere");
    table.set(&key, "T", "expires_ms", number(1)).await;
    assert_eq!(refusal(&url, &format!("chat.v1, ticket.{ticket}")).await, 401);
}

#[tokio::test]
async fn missing_and_forged_tickets_and_tokens_open_nothing() {
    let [ada] = people(["ada"]).await;
    let SocketTicket { ticket, url, .. } = ada.ticket().await.unwrap();
    let token = &ada.access_token;
    let long = "x".repeat(4_000);
    let forged = [
        (url.clone(), "chat.v1".to_owned()),
        (url.clone(), "chat.v1, ticket.".to_owned()),
        (url.clone(), format!("chat.v1, ticket.{}", unique_name("forged"))),
        (url.clone(), format!("chat.v1, ticket.{long}")),
        (url.clone(), format!("chat.v1, {ticket}")),
        (url.clone(), format!("chat.v1, ticket.{token}")),
        (url.clone(), format!("chat.v1, ticket.{}", ticket.to_uppercase())),
        (format!("{url}?ticket="), "chat.v1".to_owned()),
        (format!("{url}?ticket={}", &ticket[1..]), "chat.v1".to_owned()),
        (format!("{url}?ticket={ticket}%00"), "chat.v1".to_owned()),
        (format!("{url}?ticket={token}"), "chat.v1".to_owned()),
        (format!("{url}?access_token={token}"), "chat.v1".to_owned()),
        (format!("{url}?token={token}"), "chat.v1".to_owned()),
    ];
    for (url, protocols) in &forged {
        assert_eq!(refusal(url, protocols).await, 401, "{url} {protocols}");
    }
    let bearer = format!("Bearer {token}");
    let upgraded = Socket::upgrade(&url, &[("authorization", &bearer)]).await.unwrap();
    assert_eq!(upgraded.err(), Some(401));
    // All the while the ticket itself stayed good.
    assert!(Socket::connect(&SocketTicket { ticket, url, expires_in: 30 }).await.is_ok());
}

#[tokio::test]
async fn a_page_from_elsewhere_opens_nothing() {
    let system = System::start(
        harness::Options::default()
            .with("AllowedOrigins", "https://chat.example,https://b.example"),
    )
    .await
    .unwrap();
    let ada = harness::Client::register(&system.api().unwrap(), "ada").await.unwrap();
    for (origin, expected) in [
        (Some("https://evil.example"), Some(403)),
        (Some("https://chat.example.evil.example"), Some(403)),
        (Some("null"), Some(403)),
        (Some("https://chat.example"), None),
        (Some("https://b.example"), None),
        (None, None),
    ] {
        let SocketTicket { ticket, url, .. } = ada.ticket().await.unwrap();
        let protocols = format!("chat.v1, ticket.{ticket}");
        let mut headers = vec![(PROTOCOLS, protocols.as_str())];
        headers.extend(origin.map(|origin| ("origin", origin)));
        let upgraded = Socket::upgrade(&url, &headers).await.unwrap();
        assert_eq!(upgraded.err(), expected, "{origin:?}");
    }
}
