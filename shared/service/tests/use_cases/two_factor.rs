//! A second factor: enrolled, confirmed, asked for, and turned off.

use std::sync::Arc;

use domain::{Timestamp, UserId, limits};
use futures::FutureExt;
use service::port::{Failure, OneTimeCodes, TwoFactorStore};
use service::{Accounts, Caller, Error, Login};
use testkit::history::FakeHistory;
use testkit::proof::FakeCodes;
use testkit::world::{PASSWORD, World, login};

use crate::steps::{code, password};

struct Scene {
    world: World,
    ada: Caller,
    secret: String,
    recovery_codes: Vec<String>,
}

impl Scene {
    fn shown(&self) -> String {
        use service::port::Clock;
        FakeCodes::code(&self.secret, self.world.clock.now())
    }

    async fn sign_in(&self, totp: Option<&str>) -> Result<(), Error> {
        let attempt = Login { totp: totp.map(str::to_owned), ..login("ada", PASSWORD) };
        self.world.accounts().login(attempt).await.map(|_| ())
    }

    /// Until the app shows another code.
    fn wait(&self) {
        self.world.clock.advance(limits::TOTP_STEP);
    }
}

async fn enrolled() -> (World, Caller, String) {
    let world = World::new();
    let ada = world.person("ada").await;
    let enrolment = world.two_factor().enrol(ada, password(PASSWORD)).await.unwrap();
    assert!(enrolment.url.starts_with("otpauth://") && enrolment.url.contains("ada"));
    (world, ada, enrolment.secret)
}

/// Ada with her second factor on, and its first code spent.
async fn scene() -> Scene {
    let (world, ada, secret) = enrolled().await;
    let mut scene = Scene { world, ada, secret, recovery_codes: vec![] };
    let shown = scene.shown();
    scene.recovery_codes = scene.world.two_factor().confirm(ada, &shown).await.unwrap();
    scene
}

#[tokio::test]
async fn nothing_is_asked_for_until_the_enrolment_is_confirmed() {
    let (world, ada, _) = enrolled().await;
    assert!(world.accounts().login(login("ada", PASSWORD)).await.is_ok());
    let error = world.two_factor().confirm(ada, "nonsense").await.unwrap_err();
    assert_eq!(code(&error), "totp_invalid");
    assert!(world.accounts().login(login("ada", PASSWORD)).await.is_ok());
}

#[tokio::test]
async fn enrolling_needs_the_password() {
    let world = World::new();
    let ada = world.person("ada").await;
    let error = world.two_factor().enrol(ada, password("wrong password")).await.err().unwrap();
    assert_eq!(code(&error), "wrong_password");
    let error = world.two_factor().confirm(ada, "123456").await.unwrap_err();
    assert_eq!(code(&error), "two_factor_off");
}

#[tokio::test]
async fn a_later_enrolment_replaces_one_that_was_not_confirmed() {
    let (world, ada, old) = enrolled().await;
    let new = world.two_factor().enrol(ada, password(PASSWORD)).await.unwrap().secret;
    let scene = Scene { world, ada, secret: old, recovery_codes: vec![] };
    let error = scene.world.two_factor().confirm(ada, &scene.shown()).await.unwrap_err();
    assert_eq!(code(&error), "totp_invalid");
    let scene = Scene { secret: new, ..scene };
    assert!(scene.world.two_factor().confirm(ada, &scene.shown()).await.is_ok());
}

#[tokio::test]
async fn a_code_is_asked_for_and_counts_once() {
    let scene = scene().await;
    let error = scene.sign_in(None).await.unwrap_err();
    assert!(matches!(error, Error::Unauthenticated { .. }), "{error:?}");
    assert_eq!(code(&error), "totp_required");
    assert_eq!(code(&scene.sign_in(Some("  ")).await.unwrap_err()), "totp_required");
    let spent = scene.shown();
    assert_eq!(code(&scene.sign_in(Some(&spent)).await.unwrap_err()), "totp_invalid");
    scene.wait();
    let shown = scene.shown();
    scene.sign_in(Some(&shown)).await.unwrap();
    assert_eq!(code(&scene.sign_in(Some(&shown)).await.unwrap_err()), "totp_invalid");
    scene.wait();
    assert!(scene.sign_in(Some(&scene.shown())).await.is_ok());
}

#[tokio::test]
async fn a_clock_may_be_one_step_off_and_no_more() {
    let scene = scene().await;
    scene.wait();
    let shown = scene.shown();
    scene.wait();
    scene.sign_in(Some(&shown)).await.unwrap();
    scene.wait();
    let late = scene.shown();
    scene.wait();
    scene.wait();
    assert_eq!(code(&scene.sign_in(Some(&late)).await.unwrap_err()), "totp_invalid");
}

#[tokio::test]
async fn who_does_not_know_the_password_learns_nothing_of_the_second_factor() {
    let scene = scene().await;
    scene.wait();
    let shown = scene.shown();
    for totp in [None, Some(shown.clone()), Some("nonsense".into())] {
        let attempt = Login { totp, ..login("ada", "wrong password") };
        let error = scene.world.accounts().login(attempt).await.err().unwrap();
        assert_eq!(code(&error), "invalid_credentials");
    }
    assert!(scene.sign_in(Some(&shown)).await.is_ok(), "no code was spent for it");
}

#[tokio::test]
async fn a_recovery_code_counts_once_however_it_is_written() {
    let scene = scene().await;
    assert_eq!(scene.recovery_codes.len(), limits::RECOVERY_CODES);
    let distinct: std::collections::BTreeSet<_> = scene.recovery_codes.iter().collect();
    assert_eq!(distinct.len(), limits::RECOVERY_CODES);
    let [first, second] = [&scene.recovery_codes[0], &scene.recovery_codes[1]];
    scene.sign_in(Some(first)).await.unwrap();
    assert_eq!(code(&scene.sign_in(Some(first)).await.unwrap_err()), "totp_invalid");
    let typed = second.to_uppercase().replace('-', " ");
    scene.sign_in(Some(&typed)).await.unwrap();
    assert_eq!(code(&scene.sign_in(Some(second)).await.unwrap_err()), "totp_invalid");
}

#[tokio::test]
async fn hostile_codes_are_wrong_codes() {
    let scene = scene().await;
    for hostile in ["0", "\u{0}", "' OR 1=1 --", "💥", &"1".repeat(100_000)] {
        let error = scene.sign_in(Some(hostile)).await.unwrap_err();
        assert_eq!(code(&error), "totp_invalid", "{hostile:.20}");
    }
}

#[tokio::test]
async fn codes_are_not_guessed() {
    let scene = scene().await;
    scene.world.clock.advance(std::time::Duration::from_secs(60));
    for _ in 0..limits::LOGINS_PER_MINUTE {
        assert_eq!(code(&scene.sign_in(Some("000000")).await.unwrap_err()), "totp_invalid");
    }
    assert_eq!(code(&scene.sign_in(Some("000000")).await.unwrap_err()), "too_many");
    let (world, ada, _) = enrolled().await;
    for _ in 1..limits::LOGINS_PER_MINUTE {
        let error = world.two_factor().confirm(ada, "000000").await.unwrap_err();
        assert_eq!(code(&error), "totp_invalid");
    }
    let error = world.two_factor().confirm(ada, "000000").await.unwrap_err();
    assert_eq!(code(&error), "too_many");
}

#[tokio::test]
async fn who_knows_the_password_has_not_all_day_for_the_code() {
    let scene = scene().await;
    let mut tries = 0;
    while code(&scene.sign_in(Some("000000")).await.unwrap_err()) == "totp_invalid" {
        tries += 1;
        assert!(tries <= 2 * limits::CODES_PER_HOUR, "it never ends");
        // As slow as the limit of sign-ins wants it.
        scene.world.clock.advance(std::time::Duration::from_secs(7));
    }
    assert!(tries >= limits::CODES_PER_HOUR, "{tries}");
    let shown = scene.shown();
    assert!(matches!(scene.sign_in(Some(&shown)).await, Err(Error::TooMany { .. })));
    scene.world.clock.advance(std::time::Duration::from_secs(3_600));
    assert!(scene.sign_in(Some(&scene.shown())).await.is_ok());
}

#[tokio::test]
async fn turning_it_off_needs_the_password_and_a_code() {
    let scene = scene().await;
    let setup = scene.world.two_factor();
    scene.wait();
    let error = setup.disable(scene.ada, password(PASSWORD), None).await.unwrap_err();
    assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
    assert_eq!(code(&error), "totp_required");
    let error = setup.disable(scene.ada, password(PASSWORD), Some("000000")).await.unwrap_err();
    assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
    assert_eq!(code(&error), "totp_invalid");
    let shown = scene.shown();
    let wrong = setup.disable(scene.ada, password("wrong password"), Some(&shown)).await;
    assert_eq!(code(&wrong.unwrap_err()), "wrong_password");
    let error = setup.enrol(scene.ada, password(PASSWORD)).await.err().unwrap();
    assert_eq!(code(&error), "two_factor_on", "it is not replaced behind one's back");
    setup.disable(scene.ada, password(PASSWORD), Some(&shown)).await.unwrap();
    scene.sign_in(None).await.unwrap();
    setup.disable(scene.ada, password(PASSWORD), None).await.unwrap();
    let old = Some(scene.recovery_codes[0].as_str());
    setup.enrol(scene.ada, password(PASSWORD)).await.unwrap();
    assert!(scene.sign_in(old).await.is_ok(), "a pending one is not asked for");
}

#[tokio::test]
async fn a_password_reset_does_not_get_around_the_second_factor() {
    let scene = scene().await;
    scene.world.deliver_mails().await;
    let email = domain::EmailAddress::parse("ada@example.org").unwrap();
    scene.world.forgotten_passwords().forgot(email, None).await.unwrap();
    let token = scene.world.deliver_mails().await.remove(0).text;
    scene.world.passwords().reset(&token, password("staple battery horse"), None).await.unwrap();
    let attempt = login("ada", "staple battery horse");
    let error = scene.world.accounts().login(attempt).await.err().unwrap();
    assert_eq!(code(&error), "totp_required");
}

#[tokio::test]
async fn a_session_that_has_ended_sets_nothing_up_and_turns_nothing_off() {
    let scene = scene().await;
    scene.wait();
    let (setup, shown) = (scene.world.two_factor(), scene.shown());
    scene.world.sign_out().logout(scene.ada).await.unwrap();
    let refused = [
        setup.enrol(scene.ada, password(PASSWORD)).await.map(drop),
        setup.confirm(scene.ada, &shown).await.map(drop),
        setup.disable(scene.ada, password(PASSWORD), Some(&shown)).await,
    ];
    for outcome in refused {
        assert_eq!(code(&outcome.unwrap_err()), "unauthenticated");
    }
    assert!(scene.sign_in(Some(&shown)).await.is_ok(), "and no code was spent");
}

#[tokio::test]
async fn ending_the_account_needs_a_code_too() {
    let scene = scene().await;
    scene.wait();
    let leave =
        async |raw, totp| scene.world.departures().leave(scene.ada, password(raw), totp).await;
    let shown = scene.shown();
    for (raw, totp, refusal) in [
        ("wrong password", Some(shown.as_str()), "wrong_password"),
        (PASSWORD, None, "totp_required"),
        (PASSWORD, Some("000000"), "totp_invalid"),
    ] {
        let error = leave(raw, totp).await.unwrap_err();
        assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
        assert_eq!(code(&error), refusal);
    }
    assert_eq!(scene.world.queues.drain_erasures(), []);
    leave(PASSWORD, Some(&shown)).await.unwrap();
    assert_eq!(scene.world.queues.drain_erasures().len(), 1);
}

#[tokio::test]
async fn a_code_typed_with_a_blank_confirms() {
    let (world, ada, secret) = enrolled().await;
    let scene = Scene { world, ada, secret, recovery_codes: vec![] };
    let typed = format!(" {} ", scene.shown());
    assert!(scene.world.two_factor().confirm(ada, &typed).await.is_ok());
}

/// Two tabs: the code shows the secret of the one, and the other has replaced it meanwhile.
#[tokio::test]
async fn what_is_confirmed_is_what_the_code_was_compared_with() {
    let (world, ada, secret) = enrolled().await;
    let scene = Scene { world, ada, secret, recovery_codes: vec![] };
    let codes = Arc::new(Meddling { world: scene.world.history.clone(), codes: FakeCodes::new() });
    let mut setup = scene.world.two_factor();
    setup.second_factor.codes = codes;
    let error = setup.confirm(ada, &scene.shown()).await.unwrap_err();
    assert_eq!(code(&error), "two_factor_off");
    assert!(scene.sign_in(None).await.is_ok(), "nothing was turned on");
}

/// Enrols anew while a code is compared.
struct Meddling {
    world: Arc<FakeHistory>,
    codes: Arc<FakeCodes>,
}

impl OneTimeCodes for Meddling {
    fn new_secret(&self, user: UserId) -> Result<String, Failure> {
        self.codes.new_secret(user)
    }

    fn enrolment(
        &self,
        user: UserId,
        sealed_secret: &str,
        account: &str,
    ) -> Result<(String, String), Failure> {
        self.codes.enrolment(user, sealed_secret, account)
    }

    fn check(
        &self,
        user: UserId,
        sealed_secret: &str,
        given: &str,
        now: Timestamp,
    ) -> Result<Option<u64>, Failure> {
        // In memory it is done at once.
        let begun = self.world.begin(user, "another secret").now_or_never();
        assert!(matches!(begun, Some(Ok(true))));
        self.codes.check(user, sealed_secret, given, now)
    }
}

#[tokio::test]
async fn no_recovery_code_is_spent_for_a_sign_in_that_is_refused_anyway() {
    let scene = scene().await;
    let strict = Accounts { requires_verified_email: true, ..scene.world.accounts() };
    let recovery = scene.recovery_codes[0].clone();
    let attempt = || Login { totp: Some(recovery.clone()), ..login("ada", PASSWORD) };
    let error = strict.login(attempt()).await.err().unwrap();
    assert_eq!(code(&error), "email_not_verified");
    let token = scene.world.deliver_mails().await.remove(0).text;
    scene.world.email_proofs().verify(&token).await.unwrap();
    assert!(strict.login(attempt()).await.is_ok());
}
