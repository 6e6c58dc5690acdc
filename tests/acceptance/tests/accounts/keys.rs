//! Another key for access tokens, while people are signed in.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use harness::{Client, Options, System, WAIT, eventually, kill_process};
use protocol::body::Jwks;
use serde_json::Value;

use crate::emulator::{refusal, script};
use crate::people::people_on;

const SIGNERS: [&str; 3] = ["register-user", "login-user", "refresh-session"];

/// Which key signed the access token.
fn kid(client: &Client) -> String {
    let header = client.access_token.split('.').next().unwrap();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

async fn public_keys(client: &Client) -> Vec<String> {
    let answer = client.api().get("/.well-known/jwks.json").await.unwrap();
    let keys: Jwks = answer.expect(200).unwrap();
    let mut kids: Vec<_> = keys.keys.into_iter().map(|key| key.kid).collect();
    kids.sort_unstable();
    kids
}

/// What the next start does, and what Lambda does when a function's settings change.
async fn end_processes(system: &System, of: impl Fn(&str) -> bool) {
    let mut killed = Vec::new();
    for (name, function) in system.functions().await.unwrap() {
        for process in function.processes.iter().filter(|_| of(&name)) {
            // One that has ended by itself needs no killing.
            let _ = kill_process(process.pid);
            killed.push(process.pid);
        }
    }
    let are_gone = || async {
        let functions = system.functions().await.unwrap();
        let mut left = functions.values().flat_map(|function| &function.processes);
        let is_left = left.any(|process| killed.contains(&process.pid));
        (!is_left).then_some(())
    };
    eventually("the gateway has noticed", WAIT, are_gone).await.unwrap();
}

async fn status(client: &Client, path: &str) -> u16 {
    client.get(path).await.unwrap().status
}

#[tokio::test]
async fn a_new_key_signs_what_comes_and_the_old_one_stays_good_until_it_is_retired() {
    let system = System::start(Options::without_rate_limit()).await.unwrap();
    let [ada] = people_on(&system.api().unwrap(), ["ada"]).await;
    let old = kid(&ada);
    assert_eq!(public_keys(&ada).await, [old.as_str()]);
    // From now on there is a process that knows the old key alone.
    assert_eq!(status(&ada, "/v1/users/me").await, 200);
    script(&system, "rotate-keys", &[]).await;
    end_processes(&system, |name| SIGNERS.contains(&name)).await;

    let (elsewhere, renewed) =
        (ada.another_device().await.unwrap(), ada.refreshed().await.unwrap());
    let new = kid(&elsewhere);
    assert_ne!(new, old);
    assert_eq!(kid(&renewed), new);
    let mut both = [old.clone(), new.clone()];
    both.sort_unstable();
    assert_eq!(public_keys(&ada).await, both);
    let listed = script(&system, "rotate-keys", &["--list"]).await;
    let listed: Vec<&str> = listed.lines().collect();
    assert_eq!(listed.len(), 2);
    assert!(listed[0].starts_with(&format!("{new} signs since 20")), "{listed:?}");
    assert!(listed[1].starts_with(&format!("{old} verifies until 20")), "{listed:?}");
    for client in [&ada, &elsewhere, &renewed] {
        let is_known = || async { (status(client, "/v1/users/me").await == 200).then_some(()) };
        eventually("the new key is known", WAIT, is_known).await.unwrap();
        client.ticket().await.unwrap();
    }

    for kid in [new.as_str(), "unknown"] {
        let refused = refusal(&system, "rotate-keys", &["--retire", kid]).await;
        assert!(refused.starts_with("rotate-keys: "), "{refused}");
    }
    assert_eq!(public_keys(&ada).await, both, "nothing is retired by mistake");
    script(&system, "rotate-keys", &["--retire", &old]).await;
    assert_eq!(public_keys(&ada).await, [new.as_str()]);
    end_processes(&system, |_| true).await;
    for path in ["/v1/users/me", "/v1/auth/sessions", "/v1/conversations"] {
        assert_eq!(status(&ada, path).await, 401, "{path}");
        assert_eq!(status(&elsewhere, path).await, 200, "{path}");
    }
    // The session outlives the key of its token.
    let back = renewed.refreshed().await.unwrap();
    assert_eq!((kid(&back), back.session_id), (new, ada.session_id));
    assert_eq!(status(&back, "/v1/users/me").await, 200);
}
