//! `POST /v1/socket-tickets` — a ticket for one upgrade, so that no token is part of a URL.

use std::process::ExitCode;

use domain::limits;
use protocol::body::SocketTicket;
use transport::connect::TicketDesk;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn create_socket_ticket(
    desk: TicketDesk,
    request: Request,
) -> Result<Response, Rejection> {
    let ticket = desk.tickets.issue(request.caller()?).await?;
    let expires_in = limits::TICKET_LIFETIME.as_secs();
    Ok(http::created(&SocketTicket { ticket, expires_in, url: desk.socket_url }))
}

pub fn main() -> ExitCode {
    http::serve(connect::ticket_desk, create_socket_ticket)
}
