//! HTTP as handlers see it.

mod problem;
mod request;
mod response;
mod serve;

pub use request::Request;
pub use response::{
    Response, accepted, accepted_empty, created, download, no_content, ok, ok_or_created,
    unavailable,
};
pub use serve::{serve, serve_open};

pub(crate) use problem::answer;
pub(crate) use serve::Route;
