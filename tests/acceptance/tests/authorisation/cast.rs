//! Who asks, and the things that they ask for.

use std::collections::BTreeMap;

use acceptance::people::{draft, people};
use futures::future::join_all;
use harness::{Client, PASSWORD, System, WAIT, eventually, unique_id};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::expired;
use crate::table::Column;

/// Easily guessed by nobody, and another one.
const NEW_PASSWORD: &str = "staple battery horse correct 7";

pub struct Cast {
    pub other: Client,
    pub ex_member: Client,
    pub member: Client,
    pub admin: Client,
    pub owner: Client,
    /// A member of every group whom others do something to.
    pub bystander: Client,
    /// Another admin of every group.
    pub deputy: Client,
    /// In no group until somebody adds them.
    pub newcomer: Client,
    /// In no group, ever; blocked by everybody.
    pub outcast: Client,
    pub expired_token: String,
}

/// A group of the cast, and what is in it.
#[derive(Debug, Clone)]
pub struct Group {
    pub id: Uuid,
    /// What each wrote.
    seqs: BTreeMap<Uuid, i64>,
    invite: Value,
}

/// What the names in a row mean to one who asks.
#[derive(Debug, Clone)]
pub struct Things<'a> {
    pub group: &'a Group,
    pub elsewhere: &'a Group,
    /// Another one of the owner.
    pub session_id: Option<Uuid>,
    /// The owner was asked, by somebody new.
    pub request_id: Option<Uuid>,
}

impl Group {
    /// Of its invite.
    pub fn token(&self) -> &str {
        self.invite["token"].as_str().unwrap()
    }
}

impl Cast {
    pub async fn gather() -> Self {
        let names = [
            "other",
            "former",
            "member",
            "admin",
            "owner",
            "bystander",
            "deputy",
            "newcomer",
            "outcast",
        ];
        let [other, ex_member, member, admin, owner, bystander, deputy, newcomer, outcast] =
            people(names).await;
        let system = System::shared().await.unwrap();
        let [valid, expired_token] = expired::tokens(system, &owner).await;
        let request = owner.api().request(Method::GET, "/v1/users/me").bearer_auth(valid);
        owner.api().send(request).await.unwrap().expect_status(200).unwrap();
        Self {
            other,
            ex_member,
            member,
            admin,
            owner,
            bystander,
            deputy,
            newcomer,
            outcast,
            expired_token,
        }
    }

    /// Who asks in this column, if anybody is known behind it.
    pub fn asker(&self, column: Column) -> Option<&Client> {
        match column {
            Column::NoToken | Column::ExpiredToken => None,
            Column::Other => Some(&self.other),
            Column::ExMember => Some(&self.ex_member),
            Column::Member => Some(&self.member),
            Column::Admin => Some(&self.admin),
            Column::Owner => Some(&self.owner),
        }
    }

    /// A new group of the whole cast, in which everybody wrote once if it `has_messages`, who is
    /// out by now too.
    pub async fn group(&self, has_messages: bool) -> Group {
        let (owner, ex_member) = (&self.owner, &self.ex_member);
        let others = [ex_member, &self.member, &self.admin, &self.bystander, &self.deputy];
        let id = owner.open_group("A group", &others.map(Client::id)).await.unwrap().id;
        for admin in [&self.admin, &self.deputy] {
            let path = format!("/v1/conversations/{id}/members/{}", admin.id());
            let request = owner.request(Method::PATCH, &path).json(&json!({ "role": "admin" }));
            owner.api().send(request).await.unwrap().expect_status(200).unwrap();
        }
        let invites = format!("/v1/conversations/{id}/invites");
        let invite = owner.post(&invites, &json!({})).await.unwrap().expect(201).unwrap();
        let writers = others.into_iter().chain([owner]);
        let seqs =
            if has_messages { written(id, writers.collect()).await } else { BTreeMap::new() };
        let path = format!("/v1/conversations/{id}/members/{}", ex_member.id());
        let removed = owner.api().send(owner.request(Method::DELETE, &path)).await.unwrap();
        removed.expect_status(204).unwrap();
        Group { id, seqs, invite }
    }

    /// A session of the owner, other than the one that asks.
    pub async fn session(&self) -> Uuid {
        self.owner.another_device().await.unwrap().session_id
    }

    /// Somebody new would like to be a contact of the owner.
    pub async fn contact_request(&self) -> Uuid {
        let [suitor] = people(["suitor"]).await;
        let body = json!({ "user_id": self.owner.id() });
        let asked = suitor.post("/v1/contact-requests", &body).await.unwrap();
        let asked: protocol::body::AskedContact = asked.expect(201).unwrap();
        asked.request.id
    }

    /// What this name in a row means when this one asks.
    pub fn thing(&self, name: &str, asker: Uuid, things: &Things<'_>) -> String {
        let Things { group, elsewhere, session_id, request_id } = things;
        let bystander = self.bystander.id();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        match name {
            "conversation_id" => group.id.to_string(),
            "user_id" => bystander.to_string(),
            "user_id:self" => asker.to_string(),
            "user_id:me" => "me".to_owned(),
            "user_id:owner" => self.owner.id().to_string(),
            "user_id:deputy" => self.deputy.id().to_string(),
            "user_id:newcomer" => self.newcomer.id().to_string(),
            "user_id:outcast" => self.outcast.id().to_string(),
            "seq" => group.seqs[&bystander].to_string(),
            // Who never wrote tries somebody else's.
            "seq:own" => group.seqs.get(&asker).unwrap_or(&group.seqs[&bystander]).to_string(),
            "seq:system" => "1".to_owned(),
            // There may be messages with such numbers, but not in this group.
            "seq:elsewhere" => "1000".to_owned(),
            "emoji" => "👍".to_owned(),
            "invite_id" => text(&group.invite["id"]),
            "invite_id:elsewhere" => text(&elsewhere.invite["id"]),
            "token" => group.token().to_owned(),
            "token:unknown" => "no-such-token".to_owned(),
            "session_id" => session_id.unwrap().to_string(),
            "request_id" => request_id.unwrap().to_string(),
            "unique" => unique_id().to_string(),
            "password" => PASSWORD.to_owned(),
            "new_password" => NEW_PASSWORD.to_owned(),
            _ => panic!("cast.rs does not know the thing {name:?}"),
        }
    }
}

/// A message of each, and its number.
async fn written(id: Uuid, writers: Vec<&Client>) -> BTreeMap<Uuid, i64> {
    let said = writers.iter().map(|writer| async move {
        writer.send(id, &draft("I was here")).await.unwrap();
    });
    join_all(said).await;
    let all = || async {
        let history = writers[0].history(id).await.ok()?;
        let texts = history.iter().filter(|message| message.kind == "text");
        let seqs: BTreeMap<_, _> = texts.map(|message| (message.sender_id, message.seq)).collect();
        (seqs.len() == writers.len()).then_some(seqs)
    };
    eventually("all wrote", WAIT, all).await.unwrap()
}

/// The text with every name between these two replaced by what it means.
pub fn filled(text: &str, [open, close]: [char; 2], thing: impl Fn(&str) -> String) -> String {
    let mut parts = text.split(open);
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once(close).unwrap_or_else(|| panic!("open: {text}"));
        filled.push_str(&thing(name));
        filled.push_str(rest);
    }
    filled
}
