//! The people of a campaign, and what they do.

use std::collections::BTreeMap;

use protocol::value::Message;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::HEARTBEAT;
use crate::{Client, Device, Result, State, System};

/// One running app, and what was posted on it.
pub struct Phone {
    pub device: Device,
    pub conversations: Vec<Uuid>,
    /// In the order of posting: conversation, client id.
    pub posted: Vec<(Uuid, Uuid)>,
}

/// Everybody, their conversations and their phones.
pub struct Crowd {
    pub phones: Vec<Phone>,
    /// A pair in whose conversation nothing is poisoned and nobody goes offline.
    pub innocent: Uuid,
    /// A pair in whose conversation some messages cannot be stored.
    pub sick: Uuid,
    poison: String,
}

impl Crowd {
    /// A group of all, a direct conversation of each with the next, a sick and an innocent pair;
    /// every third person has two phones.
    pub async fn gather(
        system: &System,
        people: usize,
        chance: &mut fastrand::Rng,
    ) -> Result<Self> {
        let api = system.api()?;
        let mut clients = Vec::new();
        for _ in 0..people.max(4) {
            clients.push(Client::register(&api, "chaos").await?);
        }
        let ids: Vec<Uuid> = clients.iter().map(Client::id).collect();
        let group = clients[0].open_group("Everybody", &ids[1..]).await?.id;
        let mut rooms: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
        rooms.insert(group, ids.clone());
        for (index, client) in clients.iter().enumerate().skip(2) {
            let other = ids[(index + 1) % ids.len()];
            let direct = client.open_direct(other).await?.id;
            rooms.insert(direct, vec![client.id(), other]);
        }
        let sick = clients[0].open_group("Sick", &ids[1..2]).await?.id;
        let innocent = clients[0].open_group("Innocent", &ids[1..2]).await?.id;
        rooms.insert(sick, ids[..2].to_vec());
        rooms.insert(innocent, ids[..2].to_vec());
        let mut phones = Vec::new();
        for (index, client) in clients.iter().enumerate() {
            let of_one = rooms.iter().filter(|(_, members)| members.contains(&client.id()));
            let conversations: Vec<Uuid> = of_one.map(|(id, _)| *id).collect();
            for _ in 0..=usize::from(index % 3 == 2) {
                let session = client.another_device().await?;
                let seed = chance.u64(..);
                let device = Device::start_with(&session, &conversations, seed, HEARTBEAT).await?;
                phones.push(Phone {
                    device,
                    conversations: conversations.clone(),
                    posted: Vec::new(),
                });
            }
        }
        let poison = poison(system).await?;
        Ok(Self { phones, innocent, sick, poison })
    }

    /// One thing that one person does.
    pub async fn act(&mut self, chance: &mut fastrand::Rng) {
        let at = chance.usize(..self.phones.len());
        let is_steady = self.phones[at].conversations.contains(&self.innocent);
        let phone = &mut self.phones[at];
        let conversation = phone.conversations[chance.usize(..phone.conversations.len())];
        match chance.u8(..100) {
            0..70 => {
                let is_poisoned = conversation == self.sick && chance.u8(..8) == 0;
                let number = phone.posted.len();
                let text = if is_poisoned { self.poison.clone() } else { format!("no. {number}") };
                let client_id = phone.device.post(conversation, &text);
                phone.posted.push((conversation, client_id));
            }
            70..80 => {
                let shown = phone.device.transcript(conversation);
                if let Some(last) = shown.last() {
                    phone.device.mark_read(conversation, last.seq);
                }
            }
            80..92 => self.revise(at, conversation, chance).await,
            92..95 => phone.device.cut_socket(),
            95..97 if !is_steady => phone.device.go_offline(),
            _ => phone.device.go_online(),
        }
    }

    /// Edits or deletes an own message, or reacts to any. What fails, fails: it was not accepted.
    async fn revise(&self, at: usize, conversation: Uuid, chance: &mut fastrand::Rng) {
        let device = &self.phones[at].device;
        let shown = device.transcript(conversation);
        let mine = |message: &&Message| {
            message.sender_id == device.client().id()
                && message.kind == "text"
                && message.deleted_at.is_none()
        };
        let path = |seq: i64| format!("/v1/conversations/{conversation}/messages/{seq}");
        let client = device.client().clone();
        let request = match (chance.u8(..4), shown.iter().rev().find(mine), shown.last()) {
            (0, Some(own), _) => client.request(Method::DELETE, &path(own.seq)),
            (1 | 2, Some(own), _) => client
                .request(Method::PATCH, &path(own.seq))
                .json(&json!({ "text": format!("edited {}", chance.u16(..)) })),
            (_, _, Some(last)) => {
                client.request(Method::PUT, &format!("{}/reactions/%F0%9F%91%8D", path(last.seq)))
            }
            _ => return,
        };
        // Beside everything else: in a stalled database it would hold up the whole campaign.
        tokio::spawn(request.timeout(std::time::Duration::from_secs(15)).send());
    }

    pub fn everybody_online(&self) {
        self.phones.iter().for_each(|phone| phone.device.go_online());
    }

    pub fn posted(&self) -> usize {
        self.phones.iter().map(|phone| phone.posted.len()).sum()
    }

    pub fn unsettled(&self) -> usize {
        self.phones.iter().map(|phone| phone.device.look(State::unsettled)).sum()
    }

    /// Every message has its end, and every device stands where Postgres stands.
    pub async fn is_settled(&self, system: &System) -> Result<bool> {
        if self.unsettled() > 0 {
            return Ok(false);
        }
        let ends = super::verdict::last_numbers(system).await?;
        Ok(self.phones.iter().all(|phone| {
            let end = |id: &Uuid| ends.get(id).copied().unwrap_or(0);
            phone.device.look(|state| {
                state.is_online()
                    && phone.conversations.iter().all(|id| state.cursor(*id) >= end(id))
            })
        }))
    }
}

/// From now on, Postgres fails in an unknown way on a message of this text.
async fn poison(system: &System) -> Result<String> {
    let text = crate::unique_name("poison").replace('-', "_");
    let database = system.database().connect().await?;
    let trigger = format!(
        "CREATE FUNCTION {text}() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN RAISE EXCEPTION 'a bug that only this message meets'; END $$;
         CREATE TRIGGER {text} BEFORE INSERT ON messages FOR EACH ROW
           WHEN (NEW.text = '{text}') EXECUTE FUNCTION {text}()"
    );
    let made = database.batch_execute(&trigger).await;
    made.map_err(|e| crate::Failure::cannot("make a poison", e))?;
    Ok(text)
}
