//! `receipts-to-record` — one UPDATE for a whole batch, then tell the authors.

use std::process::ExitCode;

use service::ReceiptBook;
use transport::connect;
use transport::queue::{self, Batch, Failed};

pub async fn record_receipts(book: ReceiptBook, batch: Batch) -> Failed {
    batch.all_records(|records| async move { book.record(records).await }).await
}

pub fn main() -> ExitCode {
    queue::consume(connect::receipt_book, record_receipts)
}
