//! The client's rules as a pure state machine: no I/O, no clock, no chance but a seed's.
//!
//! Everything that happens is told to [`State`], with the time in milliseconds of any clock that
//! does not go back; [`State::due`] answers what is to be done, and [`State::next_wake`] when to
//! ask again if nothing happens before. The same input gives the same output.

mod action;
mod chance;
mod description;
mod feeding;
mod hearing;
mod links;
mod marks;
mod outbox;
mod presence;
mod room;
mod saved;
mod says;
mod state;
mod sync;
#[cfg(test)]
mod tests;
mod told;
mod transcript;
mod typing;
mod wish;
mod working;

pub use action::{Action, Answer, Ask, AskError, Event};
pub use marks::Tick;
pub use outbox::{Pending, Stage};
pub use saved::{Saved, SavedConversation};
pub use state::{Settings, State};
