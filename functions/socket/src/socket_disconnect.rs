//! `$disconnect` — forget the connection; the user's other ones stay.

use std::process::ExitCode;

use service::Sockets;
use transport::socket::{self, Closed};
use transport::{Rejection, connect};

pub async fn socket_disconnect(sockets: Sockets, closed: Closed) -> Result<(), Rejection> {
    Ok(sockets.disconnect(&closed.connection_id).await?)
}

pub fn main() -> ExitCode {
    socket::serve_closed(connect::sockets, socket_disconnect)
}
