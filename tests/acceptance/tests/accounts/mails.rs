//! The mail that belongs to an account: it comes, and says what it should.

use harness::{Account, Client, Options, PASSWORD, System, WAIT, eventually, unique_name};
use serde_json::json;

use crate::emulator::{hasten, hasten_no_more, mailbox, script, verify_sender, waiting};
use crate::people::people;
use crate::steps::{SIGN_IN, VERIFY, login, mailed_token, mails, verify};

async fn login_with(client: &Client, device: &str) {
    let (login, password) = (&client.account().username, PASSWORD);
    let body = json!({ "login": login, "password": password, "device_name": device });
    let answer = client.api().post("/v1/auth/login", &body).await.unwrap();
    answer.expect_status(200).unwrap();
}

#[tokio::test]
async fn a_sign_in_on_a_new_device_is_told_and_one_on_a_known_device_is_not() {
    let [ada] = people(["ada"]).await;
    // Nobody has proven yet that this address is hers: it may be a stranger's.
    login_with(&ada, "a device before that").await;
    let token = mailed_token(&ada, VERIFY, 1).await;
    verify(ada.api(), &token).await.expect_status(204).unwrap();
    login_with(&ada, "Ada's <phone> & more").await;
    let mail = mails(&ada, SIGN_IN, 1).await.remove(0);
    assert!(mail.text.contains("Ada's <phone> & more"), "{}", mail.text);
    assert!(mail.html.contains("&lt;phone&gt; &amp; more"), "{}", mail.html);
    assert!(!mail.html.contains("<phone>"), "{}", mail.html);
    for part in [&mail.text, &mail.html] {
        assert!(part.contains("127.0.0.1") && part.contains(" UTC"), "{part}");
    }
    assert_eq!(mail.token(), None, "a mail that is read by others must open nothing");
    login_with(&ada, "Ada's <phone> & more").await;
    // A device may not put a link into a mail of ours.
    login_with(&ada, "call https://evil.example now").await;
    let mails = mails(&ada, SIGN_IN, 2).await;
    assert_eq!(mails.len(), 2, "a known device was told");
    let link = &mails[1];
    assert!(!link.text.contains("evil.example") && !link.html.contains("evil.example"));
    let all = mailbox().mails_to(&ada.account().email).await.unwrap();
    assert_eq!(all.len(), 3, "{all:?}");
}

/// With `RequiresVerifiedEmail`, a mail that does not come keeps somebody out: it must not be lost.
#[tokio::test]
async fn a_mail_that_cannot_be_sent_is_kept_and_lets_its_reader_in_when_it_is_sent_again() {
    let sender = format!("{}@example.net", unique_name("confab"));
    let options = Options::without_rate_limit().with("MailFrom", &sender);
    let system = System::start(options.with("RequiresVerifiedEmail", "true")).await.unwrap();
    hasten(&system, "mail-to-send").await;
    let ada = Client::register(&system.api().unwrap(), "ada").await.unwrap();
    let right = || login(ada.api(), ada.account(), PASSWORD);
    right().await.expect_problem(403, "email_not_verified").unwrap();
    ada.refresh().await.unwrap().expect_problem(403, "email_not_verified").unwrap();
    // Who does not know the password does not learn that.
    let wrong = login(ada.api(), ada.account(), "not my password").await;
    wrong.expect_problem(401, "invalid_credentials").unwrap();
    let nobody = login(ada.api(), &Account::new("nobody"), PASSWORD).await;
    nobody.expect_problem(401, "invalid_credentials").unwrap();
    let has_failed = || async { (waiting(&system, "mail-failed").await == 1).then_some(()) };
    eventually("the mail is in the dead-letter queue", WAIT * 2, has_failed).await.unwrap();
    assert_eq!(mailbox().mails_to(&ada.account().email).await.unwrap(), []);

    // A mail that takes longer to be sent than it is hidden comes twice, as it may.
    hasten_no_more(&system, "mail-to-send").await;
    verify_sender(&sender).await;
    let said = script(&system, "redrive", &["mail-failed"]).await;
    assert!(said.contains("1 jobs moved back"), "{said}");
    let token = mailed_token(&ada, VERIFY, 1).await;
    verify(ada.api(), &token).await.expect_status(204).unwrap();
    right().await.expect_status(200).unwrap();
    // What was refused before was not spent.
    ada.refreshed().await.unwrap().ticket().await.unwrap();
    let all = mailbox().mails_to(&ada.account().email).await.unwrap();
    assert_eq!(all.iter().filter(|mail| mail.subject.contains(VERIFY)).count(), 1);
    assert_eq!(waiting(&system, "mail-failed").await, 0);
}
