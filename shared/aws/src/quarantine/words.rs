//! What is said of a job that was set aside. Nothing in it can speak to a terminal.

use serde_json::{Value, json};
use service::port::Submission;

use super::SetAside;

/// Longer bodies that nobody can read are cut.
const BODY_MAX_CHARACTERS: usize = 4_000;
/// Stands for what is not known.
const UNKNOWN: &str = "-";

/// Above the [`line`]s of a list.
pub fn heading() -> String {
    format!("{:36}  {:24}  {:36}  {:>8}  WHY", "ID", "SET ASIDE", "CONVERSATION", "MESSAGES")
}

/// A job in a list, without what people wrote.
pub fn line(job: &SetAside, as_json: bool) -> String {
    if as_json {
        return described(job).to_string();
    }
    let count = job.submissions().map_or(UNKNOWN.to_owned(), |some| some.len().to_string());
    let at = job.quarantined_at.as_deref().unwrap_or(UNKNOWN);
    let conversation = job.conversation_id.as_deref().unwrap_or(UNKNOWN);
    let line = format!("{:36}  {at:24}  {conversation:36}  {count:>8}  {}", job.id, job.reason);
    printable(&line)
}

/// A job with all that it says, what people wrote too.
pub fn shown(job: &SetAside, as_json: bool) -> String {
    if as_json {
        let mut described = described(job);
        described["body"] = serde_json::from_str(&job.body).unwrap_or_else(|_| json!(job.body));
        return described.to_string();
    }
    let mut lines = vec![
        format!("id            {}", job.id),
        format!("set aside     {}", job.quarantined_at.as_deref().unwrap_or(UNKNOWN)),
        format!("why           {}", job.reason),
        format!("conversation  {}", job.conversation_id.as_deref().unwrap_or(UNKNOWN)),
        format!("group         {}", job.group),
    ];
    match job.submissions() {
        Ok(submissions) => lines.extend(told(&submissions)),
        Err(why) => {
            lines.push(format!("unreadable    {why}"));
            lines.push(job.body.chars().take(BODY_MAX_CHARACTERS).collect());
        }
    }
    lines.iter().map(|line| printable(line)).collect::<Vec<_>>().join("\n")
}

fn described(job: &SetAside) -> Value {
    let submissions = job.submissions();
    json!({
        "id": job.id,
        "quarantined_at": job.quarantined_at,
        "conversation_id": job.conversation_id,
        "reason": job.reason,
        "messages": submissions.as_ref().map(Vec::len).ok(),
        "unreadable": submissions.err().map(|why| why.to_string()),
    })
}

fn told(submissions: &[Submission]) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(first) = submissions.first() {
        lines.push(format!("sender        {}", first.sender_id));
        lines.push(format!("accepted      {}", first.accepted_at));
        lines.push(format!("trace         {}", first.trace_id));
    }
    for submission in submissions {
        let draft = &submission.draft;
        let reply = draft.reply_to.map(|seq| format!(", in reply to {seq}")).unwrap_or_default();
        lines.push(format!("message       {} ({}{reply})", draft.client_id, draft.kind.as_str()));
        let text = draft.text.as_ref().map(|text| text.as_str()).unwrap_or_default();
        lines.extend(text.lines().map(|line| format!("    {line}")));
    }
    lines
}

/// One line for a terminal: control characters, and those that turn the direction of writing, are
/// written as escapes.
pub fn printable(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    for c in line.chars() {
        if c.is_control() || turns_writing(c) {
            text.extend(c.escape_unicode());
        } else {
            text.push(c);
        }
    }
    text
}

fn turns_writing(c: char) -> bool {
    let marks = '\u{200e}'..='\u{200f}';
    let embeddings = '\u{202a}'..='\u{202e}';
    let isolates = '\u{2066}'..='\u{2069}';
    [marks, embeddings, isolates].iter().any(|range| range.contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(reason: &str, body: &str) -> SetAside {
        SetAside {
            id: "5c3e0000-0000-4000-8000-000000000001".to_owned(),
            conversation_id: None,
            reason: reason.to_owned(),
            quarantined_at: None,
            body: body.to_owned(),
            group: "no-conversation".to_owned(),
            handle: "h".to_owned(),
        }
    }

    #[test]
    fn nothing_that_was_set_aside_speaks_to_the_terminal() {
        let hostile = job("\u{1b}[2J\u{202e}", "\u{1b}]0;owned\u{7}\nnot json");
        for said in [line(&hostile, false), shown(&hostile, false)] {
            assert!(!said.chars().any(|c| c.is_control() && c != '\n'), "{said:?}");
            assert!(!said.contains('\u{202e}'), "{said:?}");
        }
    }

    #[test]
    fn an_unreadable_job_is_shown_as_it_is_and_told_to_be_unreadable() {
        let unreadable = job("bad", "not json");
        assert!(shown(&unreadable, false).contains("unreadable    not JSON"));
        let described: Value = serde_json::from_str(&shown(&unreadable, true)).unwrap();
        assert_eq!(described["body"], "not json");
        assert_eq!(described["messages"], Value::Null);
        assert!(described["unreadable"].as_str().is_some_and(|why| why.contains("not JSON")));
    }

    #[test]
    fn a_list_says_nothing_of_what_people_wrote() {
        let job = job("bad", "{\"text\":\"secret\"}");
        assert!(!line(&job, false).contains("secret") && !line(&job, true).contains("secret"));
    }
}
