//! What is between two people, as frames and jobs carry it.

use domain::{ContactRequestId, Invalid, UserId};
use protocol::frame::{ContactChanged, Said};
use protocol::value::ContactRequest as WireRequest;
use service::{ContactRequest, ContactStatus, Event};

pub(super) fn told(
    request: Option<&ContactRequest>,
    user_id: UserId,
    status: ContactStatus,
) -> Said {
    Said::ContactChanged(ContactChanged {
        user_id: user_id.0,
        status: status.as_str().to_owned(),
        request: request.map(wire_request),
    })
}

pub(super) fn heard(changed: &ContactChanged) -> Result<Event, Invalid> {
    Ok(Event::ContactChanged {
        request: changed.request.as_ref().map(read_request).transpose()?,
        user_id: UserId(changed.user_id),
        status: read_status(&changed.status)?,
    })
}

fn wire_request(request: &ContactRequest) -> WireRequest {
    WireRequest {
        id: request.id.0,
        from_user_id: request.from.0,
        to_user_id: request.to.0,
        created_at: request.created_at.to_string(),
    }
}

fn read_request(wire: &WireRequest) -> Result<ContactRequest, Invalid> {
    Ok(ContactRequest {
        id: ContactRequestId(wire.id),
        from: UserId(wire.from_user_id),
        to: UserId(wire.to_user_id),
        created_at: wire.created_at.parse()?,
    })
}

fn read_status(raw: &str) -> Result<ContactStatus, Invalid> {
    use ContactStatus::{Contacts, Declined, Removed, Requested};
    let all = [Requested, Contacts, Declined, Removed];
    let named = all.into_iter().find(|status| status.as_str() == raw);
    named.ok_or_else(|| Invalid::new("status", "is not what two people can be to each other"))
}
