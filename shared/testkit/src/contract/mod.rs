//! What every implementation of a port promises, run for the fake and for the adapter.

pub mod history;
pub mod live;
