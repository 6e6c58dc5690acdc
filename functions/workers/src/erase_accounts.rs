//! `accounts-to-erase` — erase what is left of an account, and look for what should not be there.

use std::process::ExitCode;

use service::Erasures;
use transport::connect;
use transport::queue::{self, Batch, Failed};

pub async fn erase_accounts(erasures: Erasures, batch: Batch) -> Failed {
    let erase = |user, email| {
        let erasures = erasures.clone();
        async move { erasures.run(user, &email).await }
    };
    batch.each_erasure(erase).await
}

pub fn main() -> ExitCode {
    queue::consume(connect::erasures, erase_accounts)
}
