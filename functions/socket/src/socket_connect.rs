//! `$connect` — spend the ticket and put the connection on record before the socket opens.

use std::process::ExitCode;

use transport::connect::FrontDoor;
use transport::socket::{self, Upgrade};
use transport::{Rejection, connect};

pub async fn socket_connect(door: FrontDoor, upgrade: Upgrade) -> Result<(), Rejection> {
    door.origins.check(upgrade.origin.as_deref())?;
    let ticket = upgrade.ticket().to_owned();
    Ok(door.upgrades.connect(upgrade.connection_id, &ticket).await?)
}

pub fn main() -> ExitCode {
    socket::serve_upgrade(connect::front_door, socket_connect)
}
