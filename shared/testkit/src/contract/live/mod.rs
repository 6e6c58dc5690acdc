//! The promises of the live side's ports. Each suite file ends with a macro that makes one test of
//! each promise, for whatever it is given to open.
#![allow(clippy::expect_used, clippy::panic, reason = "a promise that is broken panics")]

pub mod connections;
pub mod erasure;
pub mod erasure_queue;
pub mod fan_out_queue;
pub mod hiding;
pub mod key_directory;
pub mod mail_queue;
pub mod membership;
pub mod persist_lane;
pub mod presence;
pub mod presence_queue;
pub mod pusher;
pub mod rate_limiter;
pub mod record_queue;
pub mod sample;
pub mod tickets;

/// Makes a module of tests: each opens a port of its own and holds it to one promise.
#[macro_export]
macro_rules! promises {
    ($name:ident, ($($suite:tt)*), $open:expr, [$($promise:ident),+ $(,)?]) => {
        mod $name {
            use super::*;
            use $($suite)* as suite;

            $(
                #[tokio::test]
                async fn $promise() {
                    let port = $open.await;
                    suite::$promise(&port).await;
                }
            )+
        }
    };
}

/// Every suite of the live table's ports.
#[macro_export]
macro_rules! live_table_promises {
    ($open:expr) => {
        $crate::ticket_promises!($open);
        $crate::connection_promises!($open);
        $crate::presence_promises!($open);
        $crate::hiding_promises!($open);
        $crate::membership_promises!($open);
        $crate::rate_limiter_promises!($open);
        $crate::key_directory_promises!($open);
        $crate::live_erasure_promises!($open);
    };
}
