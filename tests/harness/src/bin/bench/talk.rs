//! Messages from socket to socket.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use harness::{Api, Client, Failure, Heard, Result, Socket, text_draft, unique_id};
use protocol::frame::Said;
use tokio::time::Instant;
use uuid::Uuid;

use crate::spread::{Spread, per_second};

/// What was sent and has to arrive.
type Sent = Arc<Mutex<HashMap<Uuid, Instant>>>;

/// Messages that were accepted are waited for this long after the last one was sent.
const DRAIN: Duration = Duration::from_secs(20);

const LIMITED: &str = "the system limits messages a second, so this would measure the limit: \
    measure without --url, or start the gateway with --parameter MessagesPerSecond=100000 and \
    --parameter MessagesBurst=100000";

/// When a sender says the next thing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// As soon as the last one is accepted: what the protocol allows.
    Accepted,
    /// When the last one is stored and pushed: one message in the whole system.
    Pushed,
    /// Never: only listens.
    Never,
}

struct Participant {
    me: Uuid,
    socket: Socket,
    conversation: Uuid,
    pace: Pace,
}

#[derive(Default)]
struct Heardings {
    sent: usize,
    own: usize,
    spread: Option<Spread>,
}

impl Participant {
    async fn of(client: &Client, conversation: Uuid, pace: Pace) -> Result<Self> {
        let socket = client.socket().await?;
        Ok(Self { me: client.id(), socket, conversation, pace })
    }

    async fn say(&mut self, sent: &Sent) -> Result<()> {
        let id = unique_id();
        sent.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Instant::now());
        self.socket.send(self.conversation, &[text_draft(id, "a message of usual length")]).await?;
        Ok(())
    }

    /// Talks until `until`, then listens until it has heard its own messages and a second passed.
    async fn talk(mut self, until: Instant, sent: Sent) -> Result<Heardings> {
        let mut heardings = Heardings::default();
        let mut spread = Spread::new();
        if self.pace != Pace::Never {
            self.say(&sent).await?;
            heardings.sent += 1;
        }
        loop {
            let now = Instant::now();
            let is_settled = heardings.own == heardings.sent && now > until + DRAIN / 20;
            if is_settled || now > until + DRAIN {
                break;
            }
            let Ok(heard) = self.socket.hear(now + Duration::from_millis(200)).await else {
                continue;
            };
            let Heard::Frame(frame) = heard else {
                return Err(Failure::new(format!("a socket said {heard:?} in the middle")));
            };
            let mut says_next = false;
            match frame.said {
                Said::MessageAccepted(_) => says_next = self.pace == Pace::Accepted,
                Said::MessageNew(new) => {
                    for message in new.messages {
                        let sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
                        let Some(at) = sent.get(&message.client_id) else { continue };
                        if message.sender_id == self.me {
                            heardings.own += 1;
                            says_next |= self.pace == Pace::Pushed;
                        } else {
                            spread.add(at.elapsed());
                        }
                    }
                }
                Said::Error(error) if error.retry_after_ms.is_some() => {
                    return Err(Failure::new(LIMITED));
                }
                Said::Error(error) => {
                    return Err(Failure::new(format!("refused: {} {}", error.code, error.detail)));
                }
                _ => {}
            }
            if says_next && Instant::now() < until {
                self.say(&sent).await?;
                heardings.sent += 1;
            }
        }
        heardings.spread = Some(spread);
        Ok(heardings)
    }
}

struct Outcome {
    stored: usize,
    took: Duration,
    spread: Spread,
}

async fn converse(participants: Vec<Participant>, duration: Duration) -> Result<Outcome> {
    let sent = Sent::default();
    let until = Instant::now() + duration;
    let talks = participants.into_iter().map(|p| tokio::spawn(p.talk(until, sent.clone())));
    let mut outcome = Outcome { stored: 0, took: duration, spread: Spread::new() };
    for ended in join_all(talks).await {
        let heardings = ended.map_err(|e| Failure::cannot("talk", e))??;
        if heardings.own != heardings.sent {
            let lost = heardings.sent - heardings.own;
            return Err(Failure::new(format!("{lost} messages did not come back in time")));
        }
        outcome.stored += heardings.own;
        heardings.spread.iter().for_each(|spread| outcome.spread.merge(spread));
    }
    Ok(outcome)
}

/// Answers the spread of one message at a time.
pub async fn one_to_one(api: &Api, duration: Duration) -> Result<Spread> {
    let mut alone = Vec::new();
    let mut crowd = Vec::new();
    for pair in 0..10 {
        let (ada, bob) = (Client::register(api, "ada").await?, Client::register(api, "bob").await?);
        let conversation = ada.open_direct(bob.id()).await?.id;
        if pair == 0 {
            alone.push(Participant::of(&ada, conversation, Pace::Pushed).await?);
            alone.push(Participant::of(&bob, conversation, Pace::Never).await?);
        }
        crowd.push(Participant::of(&ada, conversation, Pace::Accepted).await?);
        crowd.push(Participant::of(&bob, conversation, Pace::Accepted).await?);
    }
    let quiet = converse(alone, duration).await?;
    println!("  1:1, one message at a time         {}", quiet.spread);
    let Outcome { stored, took, spread } = converse(crowd, duration).await?;
    let rate = per_second(stored, took);
    println!("  1:1, ten pairs, all talking        {spread}; {rate:.0} messages/s");
    Ok(quiet.spread)
}

pub async fn group_of_20(api: &Api, duration: Duration) -> Result<()> {
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(Client::register(api, "member").await?);
    }
    let others: Vec<_> = clients[1..].iter().map(Client::id).collect();
    let group = clients[0].open_group("Twenty", &others).await?.id;
    for (what, is_quiet) in [("one message at a time", true), ("all talking", false)] {
        let mut participants = Vec::new();
        for (index, client) in clients.iter().enumerate() {
            let pace = match (is_quiet, index) {
                (true, 0) => Pace::Pushed,
                (true, _) => Pace::Never,
                (false, _) => Pace::Accepted,
            };
            participants.push(Participant::of(client, group, pace).await?);
        }
        let Outcome { stored, took, spread } = converse(participants, duration).await?;
        let rate = per_second(stored, took);
        let pushes = per_second(usize::try_from(spread.count()).unwrap_or(usize::MAX), took);
        println!(
            "  group of 20, {what:<22}{spread}; {rate:.0} messages/s, {pushes:.0} deliveries/s"
        );
    }
    Ok(())
}
