//! `receipts-to-record` — one UPDATE for a whole batch, then tell the authors.

use std::process::ExitCode;

use service::ReceiptBook;
use transport::connect;
use transport::queue::{self, Batch, Failed};

pub async fn record_receipts(book: ReceiptBook, batch: Batch) -> Failed {
    let record = |records, is_again| async move {
        if is_again { book.record_again(records).await } else { book.record(records).await }
    };
    batch.all_records(record).await
}

pub fn main() -> ExitCode {
    queue::consume(connect::receipt_book, record_receipts)
}
