//! `mail-to-send` — find out whose address it is, make the token, send the mail.

use std::process::ExitCode;

use service::PostOffice;
use transport::connect;
use transport::queue::{self, Batch, Failed};

pub async fn send_mail(post_office: PostOffice, batch: Batch) -> Failed {
    batch.each_mail(|job| post_office.send(job)).await
}

pub fn main() -> ExitCode {
    queue::consume(connect::post_office, send_mail)
}
