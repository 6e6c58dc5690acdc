//! `GET /v1/conversations/{conversation_id}/messages/{seq}/trace` — what became of one's own
//! message, and when.

use std::process::ExitCode;

use domain::{Timestamp, UserId};
use protocol::body::{MessageTrace, TracedMember, TracedPushes};
use service::{Trace, Traces};
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn trace_message(traces: Traces, request: Request) -> Result<Response, Rejection> {
    let (caller, id) = (request.caller()?, request.conversation_id()?);
    let trace = traces.of_message(caller, id, request.message_seq()?).await?;
    Ok(http::ok(&told(&trace)))
}

fn told(trace: &Trace) -> MessageTrace {
    let at = |(first, last): (Timestamp, Timestamp)| (first.to_string(), last.to_string());
    let (first_at, last_at) = trace.pushed_at.map(at).unzip();
    MessageTrace {
        conversation_id: trace.conversation_id.0,
        seq: trace.seq.0,
        trace_id: trace.trace_id.map(|id| id.0),
        accepted_at: trace.accepted_at.to_string(),
        stored_at: trace.stored_at.to_string(),
        pushed: TracedPushes { devices: trace.pushed_devices, first_at, last_at },
        delivered: trace.delivered.iter().map(member).collect(),
        read: trace.read.iter().map(member).collect(),
    }
}

fn member((user, at): &(UserId, Timestamp)) -> TracedMember {
    TracedMember { user_id: user.0, at: at.to_string() }
}

pub fn main() -> ExitCode {
    http::serve(connect::traces, trace_message)
}
