//! Which headers of our answers a page of another origin may read.

use std::collections::BTreeSet;

use crate::repository::{files_under, read};
use crate::template::Template;

/// What browsers show to every page: the list of the Fetch standard.
const SHOWN_ANYWAY: [&str; 7] = [
    "cache-control",
    "content-language",
    "content-length",
    "content-type",
    "expires",
    "last-modified",
    "pragma",
];

fn literal(text: &str) -> &str {
    text.split('"').next().unwrap_or_default()
}

/// The names that stand in `.header("name", value)`, and those of the limits.
fn sent() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in files_under("shared/transport/src") {
        let code = file.text.split("#[cfg(test)]").next().unwrap_or_default();
        found.extend(code.split(".header(\"").skip(1).map(literal).map(str::to_owned));
    }
    let quota = read("shared/transport/src/quota.rs");
    let (_, headers) = quota.split_once("fn headers(self)").expect("the headers of limits");
    let headers = headers.split("\n    }").next().unwrap_or_default();
    let is_name = |text: &&str| text.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    found.extend(headers.split("(\"").skip(1).map(literal).filter(is_name).map(str::to_owned));
    found
}

/// Of others a client in a browser sees nothing, and learns neither when to come again nor what to
/// name when it reports an error. The local gateway reads the same list.
#[test]
fn a_page_may_read_every_header_that_our_answers_bear() {
    let sent = sent();
    for known in ["x-request-id", "retry-after", "ratelimit-reset", "content-disposition"] {
        assert!(sent.contains(known), "{known} was not found in {sent:?}");
    }
    let sent: BTreeSet<&str> =
        sent.iter().map(String::as_str).filter(|name| !SHOWN_ANYWAY.contains(name)).collect();
    let template = Template::read();
    let cors = &template.resource("HttpApi")["Properties"]["CorsConfiguration"];
    let exposed = cors["ExposeHeaders"].as_array().expect("a list");
    let exposed: BTreeSet<&str> = exposed.iter().filter_map(|name| name.as_str()).collect();
    assert_eq!(exposed, sent, "left: template.yaml, ExposeHeaders; right: shared/transport");
}
