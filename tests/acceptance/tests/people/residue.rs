//! Looking for somebody in everything that is kept, past everything of ours.

use std::collections::HashMap;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_dynamodb::types::AttributeValue;
use harness::{System, WAIT, eventually, root_directory};
use serde_json::Value;
use uuid::Uuid;

pub type Item = HashMap<String, AttributeValue>;

/// Every row of every table of Postgres in which one of these words stands, in any column.
pub async fn rows_with(system: &System, words: &[String]) -> Vec<String> {
    let database = system.database().connect().await.unwrap();
    let tables = "SELECT quote_ident(table_name) FROM information_schema.tables
        WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'";
    let tables = database.query(tables, &[]).await.unwrap();
    assert!(tables.len() > 12, "there are more tables than that");
    let mut found = Vec::new();
    for table in tables {
        let table: String = table.get(0);
        let rows = format!(
            "SELECT row::text FROM {table} row
                WHERE EXISTS (SELECT FROM unnest($1::text[]) word
                    WHERE strpos(lower(row::text), lower(word)) > 0)"
        );
        let rows = database.query(&rows, &[&words]).await.unwrap();
        found.extend(rows.iter().map(|row| format!("{table}: {}", row.get::<_, String>(0))));
    }
    found
}

/// Every item of the live table in which one of these words stands, in a name or a value.
pub async fn items_with(system: &System, words: &[String]) -> Vec<Item> {
    let credentials = Credentials::new("test", "test", None, None, "acceptance");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(system.aws_endpoint_url())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    let client = aws_sdk_dynamodb::Client::new(&config);
    let (mut found, mut start, mut seen) = (Vec::new(), None, 0);
    loop {
        let scan = client.scan().table_name(format!("{}-live", system.stack()));
        let scan = scan.consistent_read(true).set_exclusive_start_key(start);
        let page = scan.send().await.unwrap();
        let items = page.items.unwrap_or_default();
        seen += items.len();
        let has_word = |item: &Item| {
            let text = format!("{item:?}").to_lowercase();
            words.iter().any(|word| text.contains(&word.to_lowercase()))
        };
        found.extend(items.into_iter().filter(has_word));
        start = page.last_evaluated_key.filter(|key| !key.is_empty());
        if start.is_none() {
            assert!(seen > 0, "the table is empty: this looks in the wrong place");
            return found;
        }
    }
}

/// The first word of an item's key: what kind of thing it is.
pub fn kind(item: &Item) -> &str {
    let key = item["pk"].as_s().unwrap();
    key.split_once('#').unwrap().0
}

pub fn log(system: &System) -> String {
    let path = root_directory().join("target/acceptance-logs");
    std::fs::read_to_string(path.join(format!("{}.log", system.stack()))).unwrap()
}

/// What the job that ends an account has reported of this one. A line that is half written is
/// none yet.
fn reports(system: &System, user: Uuid) -> Vec<Value> {
    let user = user.to_string();
    let log = log(system);
    let lines = log.lines().filter(|line| line.contains("account erased") && line.contains(&user));
    let json = |line: &str| serde_json::from_str(line.get(line.find('{')?..)?).ok();
    lines.filter_map(json).collect()
}

/// Waits until the job says that it is done; answers its first report.
pub async fn until_erased(system: &System, user: Uuid) -> Value {
    let is_done = || async { reports(system, user).into_iter().next() };
    eventually("the report of an erasure", WAIT, is_done).await.unwrap()
}
