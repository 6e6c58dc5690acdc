//! What AWS asks for, in US dollars.
//!
//! us-east-1, on demand, without free tiers; the public price pages of the services as of
//! 2026-11. Change a price here, and `scripts/cost` and the budget's test follow.

/// API Gateway WebSocket, a message of up to 32 KB, either way.
pub const SOCKET_MESSAGE: f64 = 1.00e-6;
/// API Gateway WebSocket, a minute of one open connection.
pub const CONNECTION_MINUTE: f64 = 0.25e-6;
/// API Gateway HTTP API, a request.
pub const HTTP_REQUEST: f64 = 1.00e-6;
/// Lambda, an invocation.
pub const INVOCATION: f64 = 0.20e-6;
/// Lambda on arm64, a gigabyte for a second.
pub const GB_SECOND: f64 = 0.000_013_333_4;
/// DynamoDB on demand, a write unit (1 KB).
pub const WRITE_UNIT: f64 = 0.625e-6;
/// DynamoDB on demand, a read unit (4 KB, strongly consistent).
pub const READ_UNIT: f64 = 0.125e-6;
/// SQS FIFO, a request of up to 64 KB.
pub const FIFO_REQUEST: f64 = 0.50e-6;
/// SQS standard, a request of up to 64 KB.
pub const STANDARD_REQUEST: f64 = 0.40e-6;
