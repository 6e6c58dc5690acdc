//! As `refusals.rs`, for accounts, people and groups.
#![cfg(test)]

use domain::UserId;
use protocol::Fields;
use protocol::body::{
    AddMembers, AskContact, ChangePassword, ChangePreferences, ChangeRole, ConfirmTwoFactor,
    CreateInvite, EditConversation, ForgotPassword, Login, ProvePassword, ResetPassword, UpdateMe,
    VerifyEmail,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const ID: &str = "8d6f2c1a-3b4e-4f5a-9c6d-7e8f90a1b2c3";
const YEAR: i64 = 365 * 24 * 3_600;

/// A good document, with what is wrong laid over it; `"-"` takes a field away.
fn changed(good: &Value, change: &Value) -> Value {
    let mut document = good.clone();
    for (name, value) in change.as_object().unwrap() {
        document[name] = value.clone();
        if value == "-" {
            document.as_object_mut().unwrap().remove(name);
        }
    }
    document
}

fn check<T: DeserializeOwned>(
    good: &Value,
    parse: fn(T) -> Result<(), Fields>,
    table: &[(Value, &[(&str, &str)])],
) {
    assert_eq!(parse(serde_json::from_value(good.clone()).unwrap()), Ok(()), "{good}");
    for (change, expected) in table {
        let document = changed(good, change);
        let refused = parse(serde_json::from_value(document.clone()).unwrap()).unwrap_err();
        let named: Vec<_> = refused.0.iter().map(|(name, why)| (name.as_str(), why.code)).collect();
        assert_eq!(&named[..], *expected, "{document}");
        assert!(refused.0.iter().all(|(_, why)| !why.detail.is_empty()), "without a reason");
    }
}

#[test]
fn a_token_of_a_mail_may_have_blanks_around_it_and_has_an_end() {
    let long = "x".repeat(257);
    let refused: &[(&str, &str)] = &[("token", "invalid_token")];
    check::<VerifyEmail>(
        &json!({"token": "  q0Jm3v\n"}),
        |body| body.parse().map(drop),
        &[
            (json!({"token": null}), &[("token", "required")]),
            (json!({"token": ""}), refused),
            (json!({"token": " \t\n"}), refused),
            (json!({"token": long}), refused),
        ],
    );
    let pasted: VerifyEmail = serde_json::from_value(json!({"token": "  q0Jm3v\n"})).unwrap();
    assert_eq!(pasted.parse().unwrap(), "q0Jm3v");
}

#[test]
fn who_forgot_a_password_says_an_address() {
    let refused: &[(&str, &str)] = &[("email", "invalid_email")];
    check::<ForgotPassword>(
        &json!({"email": " Ada@Example.com"}),
        |body| body.parse().map(drop),
        &[
            (json!({"email": null}), &[("email", "required")]),
            (json!({"email": "ada"}), refused),
            (json!({"email": "a@b.c\r\nBcc: x@y.z"}), refused),
        ],
    );
}

#[test]
fn a_new_password_has_the_length_of_one() {
    let long = "x".repeat(257);
    check::<ResetPassword>(
        &json!({"token": "q0Jm3v", "new_password": "weaving patterns"}),
        |body| body.parse().map(drop),
        &[
            (json!({"new_password": null}), &[("new_password", "required")]),
            (json!({"new_password": "1234567"}), &[("new_password", "invalid_password")]),
            (
                json!({"token": "", "new_password": long}),
                &[("token", "invalid_token"), ("new_password", "invalid_password")],
            ),
        ],
    );
    check::<ChangePassword>(
        &json!({"current_password": "correct horse", "new_password": "weaving patterns"}),
        |body| body.parse().map(drop),
        &[
            (
                json!({"current_password": null, "new_password": ""}),
                &[("current_password", "required"), ("new_password", "invalid_password")],
            ),
            (json!({"current_password": "short"}), &[("current_password", "invalid_password")]),
        ],
    );
}

#[test]
fn who_does_what_cannot_be_undone_says_the_password_again() {
    check::<ProvePassword>(
        &json!({"password": "correct horse"}),
        |body| body.parse().map(drop),
        &[
            (json!({"password": null}), &[("password", "required")]),
            (json!({"password": "", "totp": "492039"}), &[("password", "invalid_password")]),
            (json!({"totp": "1".repeat(65)}), &[("totp", "invalid_totp")]),
        ],
    );
    let with_code = json!({"password": "correct horse", "totp": "492039"});
    let with_code: ProvePassword = serde_json::from_value(with_code).unwrap();
    let (_, code) = with_code.parse().ok().unwrap();
    assert_eq!(code.as_deref(), Some("492039"));
    check::<ConfirmTwoFactor>(
        &json!({"totp": "492039"}),
        |body| body.parse().map(drop),
        &[
            (json!({"totp": null}), &[("totp", "required")]),
            (json!({"totp": "1".repeat(65)}), &[("totp", "invalid_totp")]),
        ],
    );
}

#[test]
fn a_code_at_sign_in_is_one_short_line() {
    let refused: &[(&str, &str)] = &[("totp", "invalid_totp")];
    check::<Login>(
        &json!({"login": "ada", "password": "12345678", "totp": "492039"}),
        |body| body.parse().map(drop),
        &[
            (json!({"totp": ""}), refused),
            (json!({"totp": "1\u{0}2"}), refused),
            (json!({"totp": "1".repeat(65)}), refused),
        ],
    );
}

#[test]
fn a_picture_is_an_https_address_and_null_takes_it_away() {
    let refused: &[(&str, &str)] = &[("avatar_url", "invalid_avatar_url")];
    let table: &[(Value, &[(&str, &str)])] = &[
        (json!({"avatar_url": "http://x.example/a.png"}), refused),
        (json!({"avatar_url": "javascript:alert(1)"}), refused),
        (json!({"avatar_url": "https://me:secret@x.example"}), refused),
        (json!({"avatar_url": ""}), refused),
    ];
    let good = json!({"avatar_url": "https://cdn.example/a.png"});
    check::<UpdateMe>(&good, |body| body.parse().map(drop), table);
    check::<EditConversation>(&good, |body| body.parse().map(drop), table);
    let picture = |document: Value| {
        let body: UpdateMe = serde_json::from_value(document).unwrap();
        body.parse().ok().unwrap().avatar_url
    };
    assert_eq!(picture(json!({})), None);
    assert_eq!(picture(json!({"avatar_url": null})), Some(None));
}

#[test]
fn a_group_is_changed_in_at_least_one_thing() {
    check::<EditConversation>(
        &json!({"title": "Engine"}),
        |body| body.parse().map(drop),
        &[
            (json!({"title": "-"}), &[("title", "required")]),
            (json!({"title": null}), &[("title", "required")]),
            (json!({"title": "two\nlines"}), &[("title", "invalid_title")]),
            (json!({"title": "x".repeat(129)}), &[("title", "invalid_title")]),
            (json!({"description": ""}), &[("description", "invalid_description")]),
            (json!({"description": "x".repeat(1_025)}), &[("description", "invalid_description")]),
            (
                json!({"title": "", "description": "\u{0}", "avatar_url": "ftp://x.example"}),
                &[
                    ("title", "invalid_title"),
                    ("description", "invalid_description"),
                    ("avatar_url", "invalid_avatar_url"),
                ],
            ),
        ],
    );
    let emptied = json!({"description": null, "avatar_url": null});
    let emptied: EditConversation = serde_json::from_value(emptied).unwrap();
    let emptied = emptied.parse().unwrap();
    assert_eq!((emptied.title, emptied.description), (None, Some(None)));
    assert_eq!((emptied.avatar_url, emptied.shares_history), (Some(None), None));
}

#[test]
fn members_are_added_by_their_ids_each_once() {
    check::<AddMembers>(
        &json!({"user_ids": vec![ID; 1_000]}),
        |body| body.parse().map(drop),
        &[
            (json!({"user_ids": null}), &[("user_ids", "required")]),
            (json!({"user_ids": []}), &[("user_ids", "invalid_member_count")]),
            (json!({"user_ids": vec![ID; 1_001]}), &[("user_ids", "invalid_member_count")]),
            (
                json!({"user_ids": ["'--", ID, ""]}),
                &[("user_ids[0]", "invalid_uuid"), ("user_ids[2]", "invalid_uuid")],
            ),
        ],
    );
    let twice: AddMembers = serde_json::from_value(json!({"user_ids": [ID, ID]})).unwrap();
    assert_eq!(twice.parse().unwrap(), [ID.parse::<UserId>().unwrap()]);
}

#[test]
fn a_role_is_one_of_three() {
    let refused: &[(&str, &str)] = &[("role", "invalid_role")];
    check::<ChangeRole>(
        &json!({"role": "owner"}),
        |body| body.parse().map(drop),
        &[
            (json!({"role": null}), &[("role", "required")]),
            (json!({"role": "Owner"}), refused),
            (json!({"role": "king"}), refused),
        ],
    );
}

#[test]
fn muting_has_an_end_and_null_ends_it() {
    check::<ChangePreferences>(
        &json!({}),
        |body| body.parse().map(drop),
        &[
            (json!({"muted_until": "for ever"}), &[("muted_until", "invalid_time")]),
            (json!({"muted_until": ""}), &[("muted_until", "invalid_time")]),
        ],
    );
    let muted = |document: Value| {
        let body: ChangePreferences = serde_json::from_value(document).unwrap();
        body.parse().unwrap().muted_until
    };
    assert_eq!(muted(json!({"pinned": true})), None);
    assert_eq!(muted(json!({"muted_until": null})), Some(None));
}

#[test]
fn an_invite_is_used_and_lives_within_bounds() {
    let uses: &[(&str, &str)] = &[("max_uses", "invalid_max_uses")];
    let seconds: &[(&str, &str)] = &[("expires_in_seconds", "invalid_expires_in_seconds")];
    let good = json!({"max_uses": 10_000, "expires_in_seconds": YEAR});
    check::<CreateInvite>(&json!({}), |body| body.parse().map(drop), &[]);
    check::<CreateInvite>(
        &good,
        |body| body.parse().map(drop),
        &[
            (json!({"max_uses": 0}), uses),
            (json!({"max_uses": -1}), uses),
            (json!({"max_uses": 10_001}), uses),
            (json!({"max_uses": i64::MAX}), uses),
            (json!({"expires_in_seconds": 59}), seconds),
            (json!({"expires_in_seconds": YEAR + 1}), seconds),
            (json!({"expires_in_seconds": i64::MIN}), seconds),
        ],
    );
}

#[test]
fn a_contact_is_asked_by_id() {
    check::<AskContact>(
        &json!({"user_id": ID}),
        |body| body.parse().map(drop),
        &[
            (json!({"user_id": null}), &[("user_id", "required")]),
            (json!({"user_id": "ada"}), &[("user_id", "invalid_uuid")]),
        ],
    );
}
