//! `UserStore`.

use domain::{AvatarUrl, Bio, DisplayName, EmailAddress, SessionId, Settings};
use service::Identity;
use service::port::{RegisterError, SettingsChange, UserChange};

use super::HistoryFixture;
use super::scene::*;

pub async fn an_account_is_read_back_as_it_was_registered(fixture: &dyn HistoryFixture) {
    let ports = fixture.process();
    let new = new_user(ADA, "ada");
    let user = ports.users.register(new.clone(), new_session(ADA, 1)).await.expect("registers");
    assert_eq!((user.id, &user.username, &user.email), (ADA, &new.username, &new.email));
    assert_eq!((user.email_verified, user.bio.as_str()), (false, ""));
    assert_eq!((user.settings, user.created_at), (Settings::default(), at(0)));
    assert_eq!(ports.users.user(ADA).await.expect("reads"), Some(user));
    assert_eq!(ports.users.user(NOBODY).await.expect("reads"), None);
    let identity = Identity { user_id: ADA, session_id: session_id(1) };
    assert!(ports.sessions.is_active(identity).await.expect("reads"));
}

pub async fn a_taken_user_name_is_reported(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let email = EmailAddress::parse("other@example.org").expect("an address");
    let new = service::port::NewUser { email, ..new_user(NOBODY, "ada") };
    let error = ports.users.register(new, new_session(NOBODY, 9)).await.expect_err("taken");
    assert!(matches!(error, RegisterError::UsernameTaken), "{error:?}");
}

pub async fn a_taken_address_is_reported(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let email = EmailAddress::parse("ADA@example.org").expect("an address");
    let new = service::port::NewUser { email, ..new_user(NOBODY, "other") };
    let error = ports.users.register(new, new_session(NOBODY, 9)).await.expect_err("taken");
    assert!(matches!(error, RegisterError::EmailTaken), "{error:?}");
}

pub async fn of_both_taken_the_user_name_is_reported(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    for email in ["ada@example.org", "bob@example.org"] {
        let email = EmailAddress::parse(email).expect("an address");
        let new = service::port::NewUser { email, ..new_user(NOBODY, "ada") };
        let error = ports.users.register(new, new_session(NOBODY, 9)).await.expect_err("taken");
        assert!(matches!(error, RegisterError::UsernameTaken), "{error:?}");
    }
}

pub async fn a_refused_registration_leaves_nothing(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let refused = ports.users.register(new_user(NOBODY, "ada"), new_session(NOBODY, 9)).await;
    assert!(refused.is_err());
    assert_eq!(ports.users.user(NOBODY).await.expect("reads"), None);
    let identity = Identity { user_id: NOBODY, session_id: session_id(9) };
    assert!(!ports.sessions.is_active(identity).await.expect("reads"));
    let again = ports.users.register(new_user(NOBODY, "dora"), new_session(NOBODY, 9)).await;
    assert!(again.is_ok(), "{again:?}");
}

pub async fn of_two_registrations_at_once_one_wins(fixture: &dyn HistoryFixture) {
    let (one, other) = (fixture.process(), fixture.process());
    let (first, second) = tokio::join!(
        one.users.register(new_user(ADA, "ada"), new_session(ADA, 1)),
        other.users.register(new_user(BOB, "ada"), new_session(BOB, 2)),
    );
    assert_eq!(usize::from(first.is_ok()) + usize::from(second.is_ok()), 1);
    for outcome in [first, second] {
        assert!(matches!(outcome, Ok(_) | Err(RegisterError::UsernameTaken)), "{outcome:?}");
    }
}

pub async fn people_sign_in_by_name_or_address_in_any_case(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    for login in ["ada", "ADA", " ada ", "ada@example.org", "Ada@Example.ORG"] {
        let found = ports.users.credentials(login).await.expect("reads").expect("Ada");
        assert_eq!((found.user.id, found.password_hash.as_str()), (ADA, "hash of ada"));
    }
}

pub async fn a_login_that_is_nobodys_finds_nobody(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let long = "a".repeat(100_000);
    for login in ["", "dora", "ada@example.com", "ada\u{0}", "' OR 1=1 --", "%", "@", &long] {
        let found = ports.users.credentials(login).await.expect("reads");
        assert!(found.is_none(), "{login:.40}");
    }
}

pub async fn a_change_leaves_the_rest_as_it_was(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let before = ports.users.user(ADA).await.expect("reads").expect("Ada");
    let untouched = ports.users.update(ADA, UserChange::default()).await.expect("updates");
    assert_eq!(untouched.as_ref(), Some(&before));

    let bio = Bio::parse("Notes on 'engines' 🚂").expect("a bio");
    let change = UserChange { bio: Some(bio.clone()), ..UserChange::default() };
    let after = ports.users.update(ADA, change).await.expect("updates").expect("Ada");
    assert_eq!(after, domain::User { bio, ..before });

    let settings = Settings { share_receipts: false, share_last_seen: true };
    let display_name = DisplayName::parse("Ada L.").expect("a name");
    let change = UserChange {
        display_name: Some(display_name.clone()),
        settings: SettingsChange { share_receipts: Some(false), share_last_seen: None },
        ..UserChange::default()
    };
    let last = ports.users.update(ADA, change).await.expect("updates").expect("Ada");
    assert_eq!(last, domain::User { display_name, settings, ..after });
    // The other setting, by a device that knows nothing of the first.
    let share_last_seen = Some(false);
    let settings = SettingsChange { share_last_seen, ..SettingsChange::default() };
    let change = UserChange { settings, ..UserChange::default() };
    let both = ports.users.update(ADA, change).await.expect("updates").expect("a user");
    assert!(!both.settings.share_receipts && !both.settings.share_last_seen);
    assert_eq!(ports.users.user(ADA).await.expect("reads"), Some(both));
}

pub async fn a_picture_is_set_kept_and_taken_away(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let url = AvatarUrl::parse("https://cdn.example/ada.png?size=1#top").expect("an address");
    let picture = async |change: UserChange| {
        let after = ports.users.update(ADA, change).await.expect("updates").expect("Ada");
        assert_eq!(ports.users.account(ADA).await.expect("reads"), Some(after.clone()));
        after.avatar_url
    };
    let set = UserChange { avatar_url: Some(Some(url.clone())), ..UserChange::default() };
    assert_eq!(picture(set).await, Some(url.clone()));
    assert_eq!(picture(UserChange::default()).await, Some(url));
    let none = UserChange { avatar_url: Some(None), ..UserChange::default() };
    assert_eq!(picture(none).await, None);
}

pub async fn a_change_of_nobody_changes_nothing(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    assert_eq!(ports.users.account(NOBODY).await.expect("reads"), None);
    let changed = ports.users.update(NOBODY, UserChange::default()).await.expect("updates");
    assert_eq!(changed, None);
    let identity = Identity { user_id: NOBODY, session_id: SessionId(NOBODY.0) };
    assert!(!ports.sessions.is_active(identity).await.expect("reads"));
}
