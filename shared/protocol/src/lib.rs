//! What is said on the wire: HTTP bodies, socket frames and queue jobs.
//!
//! Requests are read leniently into raw fields and then parsed into domain values, so that every
//! bad field is named at once. `examples/*.json` holds one document of each shape.

pub mod body;
pub mod fields;
pub mod frame;
pub mod job;
pub mod value;

pub use fields::Fields;
