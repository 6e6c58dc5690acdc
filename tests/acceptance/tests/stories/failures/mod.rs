//! The failures that delivery must survive, each under its name in the design, on a real system
//! that is broken on purpose. All end alike: everything accepted has its end, nothing is lost,
//! doubled or out of order, and every device shows what Postgres holds.

mod crashes;
mod lock;
mod queues;
mod sockets;
mod stage;
mod stores;
mod throttle;

pub use lock::Lock;
pub use stage::{HEALING, Stage, in_flight, never_give_up, set_visibility};
