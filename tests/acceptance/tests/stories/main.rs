//! What Confab promises, shown on a whole running system: the real functions' binaries behind the
//! gateway, a real Postgres, an AWS emulator, real HTTP and WebSocket.
//!
//! `scripts/test` provides what they need. A story that disturbs the system starts its own.

#[cfg(test)]
mod calls;
#[cfg(test)]
mod campaign;
#[cfg(test)]
mod catching_up;
#[cfg(test)]
mod changes;
#[cfg(test)]
mod costs;
#[cfg(test)]
mod crowds;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod emulator;
#[cfg(test)]
mod environment;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod heartbeat;
#[cfg(test)]
mod history;
#[cfg(test)]
mod hostile_frames;
#[cfg(test)]
mod hostile_http;
#[cfg(test)]
mod load;
#[cfg(test)]
mod membership;
#[cfg(test)]
mod nudges;
#[cfg(test)]
mod old_sockets;
#[cfg(test)]
mod order;
#[cfg(test)]
mod peers;
#[cfg(test)]
mod poison;
#[cfg(test)]
mod presences;
#[cfg(test)]
mod pruning;
#[cfg(test)]
mod quarantine;
#[cfg(test)]
mod receipts;
#[cfg(test)]
mod repeats;
#[cfg(test)]
mod replies;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod talk;
#[cfg(test)]
mod tickets;
#[cfg(test)]
mod traces;
#[cfg(test)]
mod typing;

#[cfg(test)]
use acceptance::{people, template};
