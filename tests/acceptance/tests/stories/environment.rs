//! A function that is started without its environment says at once everything it needs, and that
//! is exactly what `template.yaml` gives it.

use std::collections::BTreeSet;

use harness::binaries_directory;
use serde_json::Value;
use tokio::process::Command;

use crate::template::functions;

/// The other way of mail than the template's.
const SMTP: [(&str, &str); 2] = [("MAIL_TRANSPORT", "smtp"), ("MAIL_FROM", "chat@example.org")];

/// What the binary names as missing. Lambda's own variables are there, and these; nothing else is.
async fn missing_of(binary: &str, set: &[(&str, &str)]) -> BTreeSet<String> {
    let path = binaries_directory().unwrap().join(binary);
    let output = Command::new(path)
        .env_clear()
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_LAMBDA_FUNCTION_NAME", binary)
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9")
        .envs(set.iter().copied())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    assert!(!output.status.success(), "{binary} started without a runtime");
    let text = String::from_utf8(output.stdout).unwrap();
    let line: Value = serde_json::from_str(text.lines().last().unwrap_or_default()).unwrap();
    let error = line["error"].as_str().unwrap_or_default();
    let complaints = error.trim_start_matches("the environment is not complete: ").split("; ");
    let names = complaints.filter_map(|complaint| complaint.strip_suffix(" is missing"));
    names.map(str::to_owned).collect()
}

#[tokio::test]
async fn every_function_gets_from_the_template_exactly_what_it_asks_for() {
    for (binary, given) in functions() {
        // It stands on nothing, so it starts, and then finds no runtime to ask for work.
        if given.is_empty() {
            continue;
        }
        let mut asked = missing_of(&binary, &[]).await;
        // Only who sends over SMTP needs its secret.
        if asked.contains("MAIL_TRANSPORT") {
            asked.extend(missing_of(&binary, &SMTP).await);
        }
        assert_eq!(asked, given, "{binary}: left: asked, right: template");
    }
}
