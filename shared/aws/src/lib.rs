//! The ports that AWS stands behind: the live table in DynamoDB, the queues in SQS, the sockets of
//! API Gateway, secrets and mail. Nothing here decides anything about chat.

mod batch;
mod call;
mod clients;
pub mod frames;
pub mod jobs;
pub mod mail;
mod pusher;
pub mod quarantine;
mod queues;
pub mod secrets;
mod standard_queues;
mod table;
mod usage;

pub use clients::{ClientOptions, Clients};
pub use pusher::ManagementPusher;
pub use queues::{SqsPersistLane, SqsPersistQueue};
pub use standard_queues::{
    SqsErasureQueue, SqsFanOutQueue, SqsMailQueue, SqsPresenceQueue, SqsReceiptQueue,
};
pub use table::LiveTable;
pub use usage::Usage;
