//! A message that the database chokes on.

use std::time::Duration;

use harness::{System, WAIT, eventually, unique_id};
use uuid::Uuid;

use crate::emulator::quarantined;
use crate::people::{a_pair, client_id, draft, texts};

/// Five receives with a growing delay between them, on a busy machine.
const UNTIL_QUARANTINE: Duration = Duration::from_secs(120);

/// From now on, Postgres fails in an unknown way on a message of this text.
pub async fn poison(system: &System) -> String {
    let name = format!("poison_{}", unique_id().simple());
    let database = system.database().connect().await.unwrap();
    let trigger = format!(
        "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN RAISE EXCEPTION 'a bug that only this message meets'; END $$;
         CREATE TRIGGER {name} BEFORE INSERT ON messages FOR EACH ROW
           WHEN (NEW.text = '{name}') EXECUTE FUNCTION {name}()"
    );
    database.batch_execute(&trigger).await.unwrap();
    name
}

/// Postgres takes messages of this text again.
pub async fn cure(system: &System, poison: &str) {
    let database = system.database().connect().await.unwrap();
    let drop = format!("DROP FUNCTION {poison}() CASCADE");
    database.batch_execute(&drop).await.unwrap();
}

async fn assert_stored(client: &harness::Client, conversation: Uuid, expected: &[&str]) {
    let stored = || async {
        let history = client.history(conversation).await.unwrap();
        (texts(&history).len() >= expected.len()).then_some(history)
    };
    let history = eventually("the messages are stored", WAIT, stored).await.unwrap();
    assert_eq!(texts(&history), expected);
}

#[tokio::test]
async fn a_poison_message_delays_only_its_own_conversation_and_ends_in_quarantine() {
    let system = System::shared().await.unwrap();
    let text = poison(system).await;
    let (ada, bob, sick) = a_pair().await;
    let well = ada.open_group("Well", &[bob.id()]).await.unwrap().id;
    let (mut hers, mut his) = (ada.socket().await.unwrap(), bob.socket().await.unwrap());
    hers.be_patient(UNTIL_QUARANTINE);

    let poisoned = draft(&text);
    let frame = hers.send(sick, std::slice::from_ref(&poisoned)).await.unwrap();
    hers.accepted(frame).await.unwrap();
    ada.send(sick, &draft("behind the poison")).await.unwrap();
    ada.send(well, &draft("elsewhere")).await.unwrap();
    assert_stored(&bob, well, &["elsewhere"]).await;
    assert_eq!(bob.history(sick).await.unwrap(), [], "the sick conversation was not delayed");

    let told = hers.rejected(client_id(&poisoned)).await.unwrap();
    assert_eq!((told.code.as_str(), told.retryable), ("quarantined", true));
    assert_eq!(told.conversation_id, sick);
    assert_stored(&bob, sick, &["behind the poison"]).await;
    let push = his.pushed(sick).await.unwrap();
    assert_eq!((push.after, push.through), (0, 1));
    let is_kept = || async {
        let kept = quarantined(system).await;
        kept.into_iter().find(|body| body.contains(&client_id(&poisoned).to_string()))
    };
    eventually("the job lies in quarantine", WAIT, is_kept).await.unwrap();
}

#[tokio::test]
async fn the_good_messages_beside_a_poisoned_one_are_stored() {
    let text = poison(System::shared().await.unwrap()).await;
    let (ada, bob, conversation) = a_pair().await;
    let mut hers = ada.socket().await.unwrap();
    hers.be_patient(UNTIL_QUARANTINE);
    let frame = [draft("before"), draft(&text), draft("after")];
    let sent = hers.send(conversation, &frame).await.unwrap();
    hers.accepted(sent).await.unwrap();
    let told = hers.rejected(client_id(&frame[1])).await.unwrap();
    assert_eq!(told.code, "quarantined");
    assert_stored(&bob, conversation, &["before", "after"]).await;
}
