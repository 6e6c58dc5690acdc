//! `PATCH /v1/users/me` — change one's own name, text, picture or settings.

use std::process::ExitCode;

use protocol::body::{Me, UpdateMe, UpdateSettings};
use service::Profiles;
use service::port::{SettingsChange, UserChange};
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn update_me(profiles: Profiles, request: Request) -> Result<Response, Rejection> {
    let caller = request.caller()?;
    let body = request.json::<UpdateMe>()?.parse()?;
    let UpdateSettings { share_receipts, share_last_seen } = body.settings;
    let change = UserChange {
        display_name: body.display_name,
        bio: body.bio,
        settings: SettingsChange { share_receipts, share_last_seen },
        avatar_url: body.avatar_url,
    };
    let user = profiles.update_me(caller, change).await?;
    Ok(http::ok(&Me::from(&user)))
}

pub fn main() -> ExitCode {
    http::serve(connect::profiles, update_me)
}
