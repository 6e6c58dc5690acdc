//! The ports that AWS stands behind: the live table in DynamoDB, the queues in SQS, the sockets of
//! API Gateway, and secrets. Nothing here decides anything about chat.

mod batch;
mod call;
mod clients;
pub mod frames;
pub mod jobs;
mod pusher;
mod queues;
pub mod secrets;
mod table;

pub use clients::{ClientOptions, Clients};
pub use pusher::ManagementPusher;
pub use queues::{SqsFanOutQueue, SqsPersistLane, SqsPersistQueue};
pub use table::LiveTable;
