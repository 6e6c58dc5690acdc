//! The gateway as a process: what it prints, how it starts and how it ends.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at a surprise")]

mod gateway_support;

use std::process::Command;

use gateway_support::{Gateway, emulator, eventually, fresh_stack, is_running, run, sdk};
use serde_json::{Value, json};

async fn order(gateway: &Gateway, order: Value) -> Value {
    let url = format!("{}/orders/7", gateway.url);
    let response = reqwest::Client::new().post(url).json(&order).send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

async fn pid_of_function(gateway: &Gateway) -> u64 {
    order(gateway, json!({})).await["pid"].as_u64().unwrap()
}

#[tokio::test]
async fn a_request_reaches_the_function_that_the_template_names() {
    let gateway = Gateway::start(&fresh_stack(), &[]);
    assert_eq!(gateway.socket_url, format!("{}/socket", gateway.url.replace("http", "ws")));
    let answer = order(&gateway, json!({ "what": "tea" })).await;
    let event = &answer["order"];
    assert_eq!(event["routeKey"], "POST /orders/{order_id}");
    assert_eq!(event["pathParameters"]["order_id"], "7");
    assert_eq!(event["body"], r#"{"what":"tea"}"#);
    let url = format!("{}/_gateway/functions", gateway.url);
    let status: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    assert_eq!(status["functions"]["obey"]["processes"][0]["pid"], answer["pid"]);
}

#[tokio::test]
async fn closing_standard_input_ends_everything() {
    let gateway = Gateway::start(&fresh_stack(), &[]);
    let pid = pid_of_function(&gateway).await;
    assert!(gateway.stop().success());
    assert!(!is_running(pid));
}

#[tokio::test]
async fn a_signal_ends_everything_with_exit_code_0() {
    for signal in ["-TERM", "-INT"] {
        let mut gateway = Gateway::start(&fresh_stack(), &[]);
        let pid = pid_of_function(&gateway).await;
        gateway.signal(signal);
        assert_eq!(gateway.wait().code(), Some(0), "{signal}");
        assert!(!is_running(pid), "{signal}");
    }
}

#[tokio::test]
async fn a_killed_gateway_leaves_no_process_behind() {
    let mut gateway = Gateway::start(&fresh_stack(), &[]);
    let pid = pid_of_function(&gateway).await;
    gateway.signal("-KILL");
    gateway.wait();
    eventually("the function's process is gone", async || !is_running(pid)).await;
}

#[tokio::test]
async fn a_second_start_keeps_the_data() {
    let stack = fresh_stack();
    let config = sdk().await;
    let sqs = aws_sdk_sqs::Client::new(&config);
    let secrets = aws_sdk_secretsmanager::Client::new(&config);
    let secret_id = format!("{stack}/signing");
    let secret = async || {
        let value = secrets.get_secret_value().secret_id(&secret_id).send().await.unwrap();
        value.secret_string.unwrap()
    };

    assert!(Gateway::start(&stack, &[]).stop().success());
    let before = secret().await;
    assert_eq!(before.len(), 64);
    let lost = sqs.get_queue_url().queue_name(format!("{stack}-lost")).send().await.unwrap();
    let lost = lost.queue_url.unwrap();
    sqs.send_message().queue_url(&lost).message_body("kept").send().await.unwrap();

    assert!(Gateway::start(&stack, &[]).stop().success());
    assert_eq!(secret().await, before);
    let kept = sqs.receive_message().queue_url(&lost).send().await.unwrap();
    assert_eq!(kept.messages()[0].body(), Some("kept"));
}

#[tokio::test]
async fn the_resources_are_as_the_template_declares_them() {
    let stack = fresh_stack();
    let gateway = Gateway::start(&stack, &[]);
    let config = sdk().await;
    let dynamodb = aws_sdk_dynamodb::Client::new(&config);
    let name = format!("{stack}-live");
    let ttl = dynamodb.describe_time_to_live().table_name(&name).send().await.unwrap();
    let attribute = ttl.time_to_live_description.unwrap().attribute_name;
    assert_eq!(attribute.as_deref(), Some("expires_at"));
    let secrets = aws_sdk_secretsmanager::Client::new(&config);
    let secret = secrets.get_secret_value().secret_id(format!("{stack}/database"));
    let secret = secret.send().await.unwrap().secret_string.unwrap();
    let secret: Value = serde_json::from_str(&secret).unwrap();
    assert_eq!(secret["dbname"], "chat");
    assert_eq!(secret["sslmode"], "disable");
    let sqs = aws_sdk_sqs::Client::new(&config);
    let loose = sqs.get_queue_url().queue_name(format!("{stack}-loose")).send().await.unwrap();
    let attributes = sqs
        .get_queue_attributes()
        .queue_url(loose.queue_url.unwrap())
        .attribute_names(aws_sdk_sqs::types::QueueAttributeName::All)
        .send()
        .await
        .unwrap();
    let attributes = attributes.attributes.unwrap();
    let policy = &attributes[&aws_sdk_sqs::types::QueueAttributeName::RedrivePolicy];
    assert!(policy.contains(&format!("{stack}-lost")), "{policy}");
    drop(gateway);
}

#[test]
fn the_environment_can_be_printed_for_another_host() {
    let stack = fresh_stack();
    let port = ["--port", "8123", "--print-environment"];
    // The last --port counts.
    let (status, output, errors) = run_with_port(&stack, &port);
    assert!(status, "{errors}");
    let environment: Value = serde_json::from_str(&output).unwrap();
    let obey = &environment["obey"];
    assert_eq!(obey["MANAGEMENT_ENDPOINT"], "http://127.0.0.1:8123/socket");
    assert_eq!(obey["TABLE_NAME"], format!("{stack}-live"));
    assert!(obey["SECRET_ARN"].as_str().unwrap().starts_with("arn:aws:secretsmanager:"));
    let union = ["--port", "8123", "--print-environment", "--union"];
    let (status, output, errors) = run_with_port(&stack, &union);
    assert!(status, "{errors}");
    assert!(output.lines().any(|line| line == format!("TABLE_NAME={stack}-live")), "{output}");
}

fn run_with_port(stack: &str, more: &[&str]) -> (bool, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_gateway"))
        .args(["--stack", stack, "--database-url", gateway_support::DATABASE_URL])
        .args(["--template", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/template.yaml")])
        .args(["--aws-endpoint-url", &emulator()])
        .args(more)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[test]
fn whoever_cannot_start_it_is_told_what_to_do() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = nobody.local_addr().unwrap().port();
    drop(nobody);
    let stack = fresh_stack();
    let (status, output, errors) = run(&stack, &format!("http://127.0.0.1:{taken}"), &[]);
    assert_eq!(status.code(), Some(1));
    assert_eq!(output, "");
    assert!(errors.contains("Start the emulator"), "{errors}");

    let (status, _, errors) = run(&stack, &emulator(), &["--parameter", "Nope=1"]);
    assert_eq!(status.code(), Some(1));
    assert!(errors.contains("Parameters.Nope: there is no such parameter"), "{errors}");
}
