//! Events as AWS sends them, and as nobody should.

mod http;
mod queue;
mod schedule;
mod socket;
