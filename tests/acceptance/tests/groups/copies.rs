//! The copy of a membership that admits sends, when the process that should write it dies.

use harness::{Client, Heard, Options, Socket, System, WAIT, eventually, kill_process};
use protocol::frame::Said;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::calls::told_removed;
use crate::people::{client_id, draft, people_on};

/// The rule of the template that starts the sweep.
const SWEEP: &str = "/_gateway/schedules/SweepStragglersSchedule";

/// From now on a change of a membership takes five seconds to commit: time enough to kill whoever
/// makes it, on a busy machine too.
const SLOW: &str = "CREATE FUNCTION sleep_a_little() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(5); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER slow AFTER INSERT OR UPDATE ON membership_changes
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION sleep_a_little()";
const QUICK: &str = "DROP TRIGGER slow ON membership_changes; DROP FUNCTION sleep_a_little()";

/// Does it, and kills the function during its commit: Postgres commits, and nobody knows.
async fn crash_in(system: &System, function: &str, change: impl Future<Output = ()>) {
    let (database, watch) =
        (system.database().connect().await.unwrap(), system.database().connect().await.unwrap());
    database.batch_execute(SLOW).await.unwrap();
    let kill = async {
        let is_committing = || async {
            let sleeping = "SELECT 1 FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event = 'PgSleep'";
            watch.query_opt(sleeping, &[]).await.unwrap()
        };
        eventually("the change is being committed", WAIT, is_committing).await.unwrap();
        let functions = system.functions().await.unwrap();
        let killed = functions[function].processes.iter().map(|p| kill_process(p.pid));
        assert!(killed.filter(Result::is_ok).count() > 0, "there was no process to kill");
    };
    tokio::join!(change, kill);
    // Waits until the commit is through.
    database.batch_execute(QUICK).await.unwrap();
}

/// Sweeps as if the time were over after which a copy counts as forgotten.
async fn sweep(system: &System) {
    let database = system.database().connect().await.unwrap();
    let waiting = "SELECT count(*) FROM membership_changes";
    let forgotten: i64 = database.query_one(waiting, &[]).await.unwrap().get(0);
    assert_eq!(forgotten, 1, "the copy was written");
    let age = "UPDATE membership_changes SET changed_at = changed_at - interval '1 minute'";
    database.execute(age, &[]).await.unwrap();
    let swept = system.api().unwrap().post(SWEEP, &Value::Null).await.unwrap();
    swept.expect_status(200).unwrap();
    let is_written = || async {
        let forgotten: i64 = database.query_one(waiting, &[]).await.unwrap().get(0);
        (forgotten == 0).then_some(())
    };
    eventually("the sweep has written the copy", WAIT, is_written).await.unwrap();
}

async fn is_in(client: &Client, group: Uuid) -> bool {
    let answer = client.get(&format!("/v1/conversations/{group}")).await.unwrap();
    answer.status == 200
}

/// Whether the lane takes what they say.
async fn is_admitted(socket: &mut Socket, group: Uuid) -> bool {
    let frame = socket.send(group, &[draft("am I in?")]).await.unwrap();
    match socket.answer_to(frame).await.unwrap() {
        Said::MessageAccepted(_) => true,
        Said::Error(error) => {
            assert_eq!(error.code, "conversation_not_found");
            false
        }
        other => panic!("{other:?}"),
    }
}

/// A nudge: who does not know the conversation learns of it that way.
async fn told_to_fetch(socket: &mut Socket, group: Uuid) {
    let told = socket.wait_for("nudge", |heard| match heard {
        Heard::Frame(frame) => match &frame.said {
            Said::Nudge(nudge) if nudge.conversation_id == group => Some(()),
            _ => None,
        },
        _ => None,
    });
    told.await.unwrap();
}

#[tokio::test]
async fn a_crash_right_after_a_commit_is_made_good_by_the_sweep_which_writes_the_copy_and_tells() {
    let system = System::start(Options::without_rate_limit()).await.unwrap();
    let [ada, bob] = people_on(&system.api().unwrap(), ["ada", "bob"]).await;
    let group = ada.open_group("Crashing", &[]).await.unwrap().id;
    let mut his = bob.socket().await.unwrap();

    let members = format!("/v1/conversations/{group}/members");
    // Nobody lives to answer them.
    let add = async { drop(ada.post(&members, &json!({ "user_ids": [bob.id()] })).await) };
    crash_in(&system, "add-members", add).await;
    assert!(is_in(&bob, group).await, "the change was not committed");
    assert!(!is_admitted(&mut his, group).await, "the copy was written");
    sweep(&system).await;
    assert!(is_admitted(&mut his, group).await);
    told_to_fetch(&mut his, group).await;

    let request = ada.request(Method::DELETE, &format!("{members}/{}", bob.id()));
    let remove = async { drop(ada.api().send(request).await) };
    crash_in(&system, "remove-member", remove).await;
    assert!(!is_in(&bob, group).await, "the change was not committed");
    // The copy is too kind, and the lane itself is not.
    let late = draft("too late");
    let frame = his.send(group, std::slice::from_ref(&late)).await.unwrap();
    his.accepted(frame).await.unwrap();
    assert_eq!(his.rejected(client_id(&late)).await.unwrap().code, "not_a_member");
    sweep(&system).await;
    assert!(!is_admitted(&mut his, group).await);
    told_removed(&mut his, group).await;
}
