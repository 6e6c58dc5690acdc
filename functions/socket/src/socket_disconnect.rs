//! `$disconnect` — forget the connection; the user's other ones stay.

use std::process::ExitCode;

use service::Closings;
use transport::socket::{self, Closed};
use transport::{Rejection, connect};

pub async fn socket_disconnect(closings: Closings, closed: Closed) -> Result<(), Rejection> {
    Ok(closings.disconnect(&closed.connection_id).await?)
}

pub fn main() -> ExitCode {
    socket::serve_closed(connect::closings, socket_disconnect)
}
