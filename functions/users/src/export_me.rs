//! `GET /v1/users/me/export` — everything that is kept about oneself, part by part.

use std::process::ExitCode;

use protocol::body::ExportPart;
use service::Exports;
use service::port::ExportRecord;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn export_me(exports: Exports, request: Request) -> Result<Response, Rejection> {
    let part = exports.part(request.caller()?, request.cursor()).await?;
    let record = |record: ExportRecord| {
        record.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    };
    let name = format!("confab-export-{}.json", part.section);
    let section = part.section.to_owned();
    let items = part.records.into_iter().map(record).collect();
    Ok(http::download(name, &ExportPart { section, items, next_cursor: part.next_cursor }))
}

pub fn main() -> ExitCode {
    http::serve(connect::exports, export_me)
}
