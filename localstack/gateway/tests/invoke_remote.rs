//! Functions behind a Lambda Invoke API, played here by a small server.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at a surprise")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::post;
use bytes::Bytes;
use gateway::invoke::{Invoke, InvokeError};
use gateway::invoke_remote::RemoteFunctions;
use tokio::net::TcpListener;

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

fn functions_at(url: &str) -> RemoteFunctions {
    let names = ["echo", "fail", "gone"].into_iter().map(str::to_owned);
    RemoteFunctions::at(&url.parse().unwrap(), names)
}

async fn answer(Path(function): Path<String>, body: Bytes) -> (StatusCode, Bytes) {
    match function.as_str() {
        "echo" => (StatusCode::OK, body),
        "fail" => {
            let error = br#"{"errorType":"E","errorMessage":"no"}"#;
            (StatusCode::INTERNAL_SERVER_ERROR, Bytes::from_static(error))
        }
        _ => (StatusCode::NOT_FOUND, Bytes::new()),
    }
}

const ROUTE: &str = "/2015-03-31/functions/{name}/invocations";

#[tokio::test]
async fn an_event_goes_out_and_its_answer_comes_back() {
    let url = serve(Router::new().route(ROUTE, post(answer))).await;
    // A base with a slash at its end means the same.
    for url in [url.clone(), format!("{url}/")] {
        let functions = functions_at(&url);
        let answer = functions.invoke("echo", Bytes::from_static(b"{\"a\":1}")).await;
        assert_eq!(answer, Ok(Bytes::from_static(b"{\"a\":1}")));
    }
}

#[tokio::test]
async fn each_failure_is_told_apart() {
    let functions = functions_at(&serve(Router::new().route(ROUTE, post(answer))).await);
    let failed = functions.invoke("fail", Bytes::new()).await.unwrap_err();
    assert!(matches!(&failed, InvokeError::Function(text) if text.contains("\"no\"")), "{failed}");
    let gone = functions.invoke("gone", Bytes::new()).await.unwrap_err();
    assert!(matches!(&gone, InvokeError::Unavailable(text) if text.contains("404")), "{gone}");
    let unknown = functions.invoke("other", Bytes::new()).await.unwrap_err();
    assert_eq!(unknown, InvokeError::Unavailable("there is no function other".to_owned()));
}

#[tokio::test]
async fn nobody_there_is_an_answer_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let refused = functions_at(&url).invoke("echo", Bytes::new()).await.unwrap_err();
    assert!(matches!(refused, InvokeError::Unavailable(_)), "{refused}");
}

#[tokio::test]
async fn no_more_than_32_calls_are_under_way() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let handler = move || {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(20)).await;
            now.fetch_sub(1, Ordering::SeqCst);
        }
    };
    let router = Router::new().route(ROUTE, post(handler));
    let functions = functions_at(&serve(router).await);
    let calls = (0..100).map(|_| functions.invoke("echo", Bytes::new()));
    let answers = futures::future::join_all(calls).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(seen.load(Ordering::SeqCst), 32);
}
