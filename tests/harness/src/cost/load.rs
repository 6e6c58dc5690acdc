//! Messages as a bench sends them, to be counted.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::try_join_all;
use protocol::frame::Said;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{Receipt, Usage};
use crate::{Api, Client, Failure, Heard, Result, Socket, WAIT, text_draft, unique_id};

/// Who is there and how much they say.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub members: usize,
    /// Of the members; each has one socket. All of them talk.
    pub online: usize,
    /// Of each who talks.
    pub messages_each: usize,
    /// Such conversations at the same time.
    pub conversations: usize,
}

impl Load {
    /// Ten pairs, both talking.
    pub fn one_to_one(messages_each: usize) -> Self {
        Self { members: 2, online: 2, messages_each, conversations: 10 }
    }

    /// One group of 50 of whom 20 are online.
    pub fn group_of_fifty(messages_each: usize) -> Self {
        Self { members: 50, online: 20, messages_each, conversations: 1 }
    }

    pub fn messages(&self) -> usize {
        self.conversations * self.online * self.messages_each
    }

    /// Sends them all, waits until everybody online has all of them, and answers the bill.
    ///
    /// # Errors
    /// A message is refused or does not come in time.
    pub async fn run(&self, api: &Api) -> Result<Receipt> {
        let rooms = (0..self.conversations).map(|_| self.room(api));
        let mut talkers = Vec::new();
        for room in rooms {
            talkers.extend(room.await?);
        }
        // What opening caused must not be part of the bill.
        sleep(SETTLING).await;
        Usage::begin(api).await?;
        try_join_all(talkers.into_iter().map(Talker::talk)).await?;
        sleep(SETTLING).await;
        Ok(Receipt::of(&Usage::of(api).await?, self.messages()))
    }

    async fn room(&self, api: &Api) -> Result<Vec<Talker>> {
        let mut clients = Vec::new();
        for _ in 0..self.members {
            clients.push(Client::register(api, "talker").await?);
        }
        let first = &clients[0];
        let conversation = if self.members == 2 {
            first.open_direct(clients[1].id()).await?.id
        } else {
            let others: Vec<Uuid> = clients[1..].iter().map(Client::id).collect();
            first.open_group("A group", &others).await?.id
        };
        let mut talkers = Vec::new();
        for client in clients.iter().take(self.online) {
            talkers.push(Talker {
                socket: client.socket().await?,
                conversation,
                to_say: self.messages_each,
                to_hear: self.online * self.messages_each,
                heard: BTreeSet::new(),
            });
        }
        Ok(talkers)
    }
}

/// Until workers and log lines are through.
const SETTLING: Duration = Duration::from_secs(2);
/// For all of one run.
const PATIENCE: Duration = Duration::from_secs(180);

struct Talker {
    socket: Socket,
    conversation: Uuid,
    to_say: usize,
    to_hear: usize,
    /// Numbers: a push that was slow comes twice.
    heard: BTreeSet<i64>,
}

impl Talker {
    /// Says the next message as soon as the last one is accepted.
    async fn talk(mut self) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        self.say().await?;
        while self.heard.len() < self.to_hear {
            if Instant::now() > until {
                let missing = self.to_hear - self.heard.len();
                return Err(Failure::new(format!("{missing} messages did not come in time")));
            }
            let Ok(heard) = self.socket.hear(Instant::now() + WAIT).await else { continue };
            let Heard::Frame(frame) = heard else {
                return Err(Failure::new(format!("a socket said {heard:?} in the middle")));
            };
            match frame.said {
                Said::MessageAccepted(_) if self.to_say > 0 => self.say().await?,
                Said::MessageNew(new) => {
                    let news = new.messages.iter().filter(|message| message.kind == "text");
                    self.heard.extend(news.map(|message| message.seq));
                }
                Said::Error(error) => {
                    return Err(Failure::new(format!("refused: {} {}", error.code, error.detail)));
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn say(&mut self) -> Result<()> {
        self.to_say -= 1;
        let draft = text_draft(unique_id(), "a message of usual length");
        self.socket.send(self.conversation, &[draft]).await.map(|_| ())
    }
}
