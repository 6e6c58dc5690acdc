//! The live side in memory: the table, the queues and the sockets.

mod erasure;
mod presence;
mod pusher;
mod queues;
mod table;

pub use pusher::FakePusher;
pub use queues::{FakeQueues, ReceivedJob};
pub use table::FakeLive;
