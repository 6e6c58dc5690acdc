//! The whole of delivery, in one thread, in virtual time, from one seed.
//!
//! **What is real**: every service of `shared/service` that has to do with delivery, groups and
//! blocks among them, the client's core of `clients/rust`, the domain rules, the frames of
//! `shared/protocol`.
//!
//! **What is modelled**: Postgres, DynamoDB and SQS by the fakes of `shared/testkit`, which pass
//! the same contract suites as the adapters; API Gateway (`gateway`), the way to it (`network`),
//! standard queues (`queue`), workers and schedules (`workers`). Every call of a port is a step at
//! which the seed may delay, fail before or after the effect, or end the whole invocation
//! (`invocation`, `ports`). Larger troubles are in `trouble`, people in `people`.
//!
//! **What is not**: the SQL (a transaction is one moment here; `shared/postgres` tests its locks),
//! the size of frames, tokens that expire, sessions that end, typing, attachments, search.
//!
//! What really happens is written down at the moment of its effect (`book`) and judged by the
//! fourteen invariants (`check`). `mutants` are versions of the product with an error in it; a
//! checker that does not find them is broken.
//!
//! ```text
//! SIM_SEED=17 cargo test -p simulation one_seed -- --nocapture     with the log of that run
//! scripts/simulate 5000                                           many more seeds
//! ```

#![allow(clippy::unwrap_used, reason = "what the run itself has made must be as it made it")]
#![allow(clippy::panic, reason = "a checker that finds nothing has failed")]

mod book;
mod chance;
mod check;
mod coverage;
mod device;
mod gateway;
mod invocation;
mod members;
mod mutants;
mod network;
mod people;
mod plan;
mod ports;
mod promises;
mod queue;
mod run;
mod trouble;
mod wire;
mod workers;
mod world;
