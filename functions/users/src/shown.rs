//! People and their requests, as they are said.

use protocol::body::Profile;
use protocol::value;
use service::ContactRequest;

pub(crate) fn profiles(users: &[domain::User]) -> Vec<Profile> {
    users.iter().map(Profile::from).collect()
}

pub(crate) fn contact_request(request: &ContactRequest) -> value::ContactRequest {
    value::ContactRequest {
        id: request.id.0,
        from_user_id: request.from.0,
        to_user_id: request.to.0,
        created_at: request.created_at.to_string(),
    }
}
