//! What a message costs in calls, against a budget; time is the machine's and is not judged.

use std::collections::BTreeMap;

use futures::future::join_all;
use harness::cost::{Load, Receipt, Usage};
use harness::{Api, Client, Options, Socket, System};
use uuid::Uuid;

use crate::people::{draft, people_on};

/// Functions print what they called only at this level.
async fn counting_system() -> System {
    let options = Options { log_level: "debug", ..Options::without_rate_limit() };
    System::start(options).await.unwrap()
}

/// Dollars for a million messages, without the functions' time.
fn assert_within(receipt: &Receipt, budget: f64) {
    println!("{receipt}");
    assert!(receipt.scans.abs() < 0.5, "a Scan was made:\n{receipt}");
    assert!(receipt.dollars_of_calls() > budget / 10.0, "little was counted:\n{receipt}");
    assert!(receipt.dollars_of_calls() <= budget, "above {budget}:\n{receipt}");
}

/// Measured: 6.2 to 6.4, 7.1 when no two messages share a frame. Frames, answers and pushes are
/// 4 of it, at a dollar each.
const ONE_TO_ONE_BUDGET: f64 = 7.8;
/// Measured: 7.1 to 8.8. One message makes 2.6 to 4 pushes, and not 20, as those that come in one
/// batch share a frame; how many do is the machine's doing.
const GROUP_OF_FIFTY_BUDGET: f64 = 11.0;

#[tokio::test]
async fn a_message_stays_within_its_budget_and_never_scans() {
    let system = counting_system().await;
    let api = system.api().unwrap();
    // Cold starts are not part of a message.
    Load { conversations: 3, ..Load::one_to_one(2) }.run(&api).await.unwrap();
    assert_within(&Load::one_to_one(20).run(&api).await.unwrap(), ONE_TO_ONE_BUDGET);
    assert_within(&Load::group_of_fifty(5).run(&api).await.unwrap(), GROUP_OF_FIFTY_BUDGET);
}

const MESSAGES: usize = 20;

/// What these messages caused, by function and counter, and what was pushed. One message is
/// heard before the next is said, so that nothing can share a call.
async fn calls_of(api: &Api, conversation: Uuid, pair: &mut [Socket; 2]) -> BTreeMap<String, f64> {
    Usage::begin(api).await.unwrap();
    for number in 0..MESSAGES {
        let frame = pair[0].send(conversation, &[draft(&format!("{number}"))]).await.unwrap();
        pair[0].accepted(frame).await.unwrap();
        for socket in pair.iter_mut() {
            socket.pushed(conversation).await.unwrap();
        }
    }
    let mut calls = BTreeMap::new();
    // A function's line may come after its answer.
    for _ in 0..100 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let usage = Usage::of(api).await.unwrap();
        let earlier = std::mem::replace(&mut calls, counted(&usage));
        if earlier == calls {
            break;
        }
    }
    calls
}

fn counted(usage: &Usage) -> BTreeMap<String, f64> {
    let mut calls = BTreeMap::from([
        ("pushes".to_owned(), usage.management.posts),
        ("frames".to_owned(), usage.socket.units_in),
    ]);
    for function in ["socket-message", "persist-messages", "fan-out-events"] {
        let counters = usage.functions.get(function).into_iter().flatten();
        // What a warm process asks once in a while does not belong to a message.
        let counters = counters.filter(|(counter, _)| counter.starts_with("dynamodb."));
        calls.extend(counters.map(|(counter, count)| (format!("{function} {counter}"), *count)));
    }
    calls
}

/// People with sockets and conversations of their own.
async fn others(api: &Api) -> Vec<Socket> {
    let online: [Client; 20] = people_on(api, ["other"; 20]).await;
    let ids: Vec<Uuid> = online.iter().map(Client::id).collect();
    for (index, client) in online.iter().enumerate() {
        client.open_direct(ids[(index + 1) % ids.len()]).await.unwrap();
    }
    online[0].open_group("All others", &ids[1..]).await.unwrap();
    let sockets = join_all(online.iter().map(Client::socket)).await;
    sockets.into_iter().map(Result::unwrap).collect()
}

#[tokio::test]
async fn calls_do_not_grow_with_the_number_of_users_not_concerned() {
    let system = counting_system().await;
    let api = system.api().unwrap();
    let [ada, bob] = people_on(&api, ["ada", "bob"]).await;
    let conversation = ada.open_direct(bob.id()).await.unwrap().id;
    let mut pair = [ada.socket().await.unwrap(), bob.socket().await.unwrap()];
    calls_of(&api, conversation, &mut pair).await;
    let alone = calls_of(&api, conversation, &mut pair).await;
    let _online = others(&api).await;
    crate::crowds::silent_people(&system, 200).await;
    let among_many = calls_of(&api, conversation, &mut pair).await;
    assert!(alone["pushes"] >= 2.0 * 20.0, "{alone:?}");
    assert!(alone.keys().any(|counter| counter.ends_with("read_units")), "{alone:?}");
    println!("{MESSAGES} messages: {alone:#?}");
    assert_eq!(alone, among_many);
}
