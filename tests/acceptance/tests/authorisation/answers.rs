//! Asking as one column says, and judging the answer as its cell says.

use harness::{Answer, Api, Client, System, unique_id};
use protocol::body::Problem;
use reqwest::RequestBuilder;

use crate::cast::{Cast, Things, filled};
use crate::table::{Cell, Column, Row};

/// One request of a row, as often as it is made: the tokens differ, and nothing else.
#[derive(Clone)]
pub struct Question {
    row: Row,
    path: String,
    body: String,
}

impl Question {
    pub fn new(row: &Row, cast: &Cast, asker: &Client, things: &Things<'_>) -> Self {
        let thing = |name: &str| cast.thing(name, asker.id(), things);
        let path = filled(&filled(&row.path, ['{', '}'], thing), ['<', '>'], thing);
        let body = filled(&row.body, ['<', '>'], thing);
        Self { row: row.clone(), path, body }
    }

    fn request(&self, api: &Api) -> RequestBuilder {
        let request = api.request(self.row.method.clone(), &self.path);
        if self.body.is_empty() {
            return request;
        }
        request.header("content-type", "application/json").body(self.body.clone())
    }

    /// What is wrong with the answers to it; nothing, most of the time.
    pub async fn mistakes(&self, cast: &Cast, column: Column, asker: &Client) -> Vec<String> {
        let api = System::shared().await.unwrap().api().unwrap();
        let with = |token: &str| self.request(&api).bearer_auth(token);
        let requests = match column {
            Column::NoToken => vec![
                ("without a token", self.request(&api)),
                ("with a bad token", with("a.b.c")),
                ("with an empty token", self.request(&api).header("authorization", "Bearer ")),
                ("with a password", self.request(&api).basic_auth("ada", Some("password"))),
            ],
            Column::ExpiredToken => vec![("with an expired token", with(&cast.expired_token))],
            _ => vec![("with a token", with(&asker.access_token))],
        };
        let mut mistakes = vec![];
        for (how, request) in requests {
            let judged = match api.send(request).await {
                Ok(answer) => judge(&answer, self.row.cell(column)),
                Err(failure) => Err(failure.to_string()),
            };
            let said = |why| format!("{} as {column:?} {how}: {why}", self.name());
            mistakes.extend(judged.err().map(said));
        }
        if column == Column::Other {
            mistakes.extend(self.told_apart(&api, asker).await);
        }
        mistakes
    }

    /// To a stranger, a conversation that is there looks like one that is not.
    async fn told_apart(&self, api: &Api, asker: &Client) -> Option<String> {
        let (before, _) = self.row.path.split_once("{conversation_id}")?;
        let nowhere = unique_id().to_string();
        let (_, after) = self.path.split_at(before.len() + nowhere.len());
        let nowhere = Self { path: format!("{before}{nowhere}{after}"), ..self.clone() };
        let mut problems = vec![];
        for question in [self, &nowhere] {
            let request = question.request(api).bearer_auth(&asker.access_token);
            let problem = api.send(request).await.and_then(|answer| answer.json::<Problem>());
            let Problem { status, code, title, detail, .. } = match problem {
                Ok(problem) => problem,
                Err(failure) => return Some(format!("{}: {failure}", question.name())),
            };
            problems.push((status, code, title, detail));
        }
        let is_same = problems[0] == problems[1];
        (!is_same)
            .then(|| format!("{} tells a stranger that it is there: {problems:?}", self.name()))
    }

    fn name(&self) -> String {
        format!("{} {}", self.row.method, self.row.path)
    }
}

/// Why the answer is not as the cell says.
fn judge(answer: &Answer, cell: &Cell) -> Result<(), String> {
    let told = |status: u16, code: Option<&str>| match code {
        Some(code) => format!("{status} {code}"),
        None => status.to_string(),
    };
    let code = answer.json::<Problem>().ok().map(|problem| problem.code);
    let is_as_said = answer.status == cell.status
        && cell.code.as_ref().is_none_or(|expected| code.as_ref() == Some(expected));
    if !is_as_said {
        let got = told(answer.status, code.as_deref());
        let expected = told(cell.status, cell.code.as_deref());
        return Err(format!("{got}, and routes.txt says {expected}"));
    }
    if answer.status == 401 && answer.header("www-authenticate").is_none() {
        return Err("401 without www-authenticate".to_owned());
    }
    Ok(())
}
