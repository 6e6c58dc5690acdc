//! What became of every message, and whether the devices agree with Postgres.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use tokio_postgres::Client as Postgres;
use uuid::Uuid;

use super::crowd::{Crowd, Phone};
use crate::{Failure, Result, System};

/// Every count that must be zero is named so.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    pub posted: usize,
    pub stored: usize,
    /// Told to the sender as final.
    pub rejected: usize,
    /// Told to the sender as set aside.
    pub quarantined: usize,
    /// Must be zero: neither stored nor refused.
    pub lost: usize,
    /// Must be zero: stored twice, or shown twice.
    pub doubled: usize,
    /// Must be zero: stored in another order than posted on one device.
    pub order_violations: usize,
    /// Must be zero: a device that shows something else than Postgres holds.
    pub differing_screens: usize,
    /// Must be zero: a mark that is above the last number, or a read above delivered.
    pub wrong_marks: usize,
    /// Must be zero: open sockets that no push can reach.
    pub deaf_sockets: usize,
    /// Changes of messages (edits, deletions, reactions) that took a number.
    pub changes: usize,
    /// From accepted to stored, in the conversation that nothing was done to.
    pub longest_innocent_delay: Duration,
    /// From the end of the faults until everything agreed.
    pub healed_after: Duration,
    /// How often each fault was let loose.
    pub faults: BTreeMap<String, usize>,
    /// The first few things that are wrong, in words.
    pub findings: Vec<String>,
}

const FINDINGS_MOST: usize = 20;

/// The highest number of every conversation.
pub(super) async fn last_numbers(system: &System) -> Result<BTreeMap<Uuid, i64>> {
    let database = system.database().connect().await?;
    let rows = ask(&database, "SELECT id, last_seq FROM conversations").await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

async fn ask(database: &Postgres, sql: &str) -> Result<Vec<tokio_postgres::Row>> {
    database.query(sql, &[]).await.map_err(|e| Failure::cannot("look at the truth", e))
}

/// A message as both sides can be compared by.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    seq: i64,
    rev: i64,
    client_id: Uuid,
    text: Option<String>,
    is_deleted: bool,
}

impl Verdict {
    pub fn is_clean(&self) -> bool {
        self.lost
            + self.doubled
            + self.order_violations
            + self.differing_screens
            + self.wrong_marks
            + self.deaf_sockets
            == 0
            && self.findings.is_empty()
    }

    pub(super) async fn on(
        system: &System,
        crowd: &Crowd,
        faults: BTreeMap<String, usize>,
        healed_after: Duration,
    ) -> Result<Self> {
        let database = system.database().connect().await?;
        let mut verdict = Self { posted: crowd.posted(), faults, healed_after, ..Self::default() };
        let truth = truth(&database).await?;
        for phone in &crowd.phones {
            verdict.judge_ends(phone, &truth);
            verdict.judge_screens(phone, &truth);
        }
        let own = "SELECT count(*) - count(DISTINCT (conversation_id, sender_id, client_id)),
            count(*) FILTER (WHERE rev > seq) FROM messages";
        let row = &ask(&database, own).await?[0];
        verdict.doubled += count(row.get(0));
        verdict.changes = count(row.get(1));
        let marks = "SELECT count(*) FROM members JOIN conversations c ON c.id = conversation_id
            WHERE read_seq > delivered_seq OR delivered_seq > last_seq";
        verdict.wrong_marks = count(ask(&database, marks).await?[0].get(0));
        let delay = "SELECT coalesce(extract(epoch FROM max(stored_at - created_at)), 0)::float8
            FROM messages WHERE conversation_id = $1 AND kind = 'text'";
        let longest = database.query_one(delay, &[&crowd.innocent]).await;
        let longest = longest.map_err(|e| Failure::cannot("look at the truth", e))?;
        verdict.longest_innocent_delay = Duration::from_secs_f64(longest.get::<_, f64>(0).max(0.0));
        verdict.deaf_sockets = super::storm::deaf_sockets(system).await?;
        if verdict.deaf_sockets > 0 {
            verdict.find(format!("{} open sockets are deaf", verdict.deaf_sockets));
        }
        Ok(verdict)
    }

    fn find(&mut self, what: String) {
        if self.findings.len() < FINDINGS_MOST {
            self.findings.push(what);
        }
    }

    /// What was posted on this device is stored or refused, once, in its order.
    fn judge_ends(&mut self, phone: &Phone, truth: &BTreeMap<Uuid, Vec<Row>>) {
        let mut last: BTreeMap<Uuid, i64> = BTreeMap::new();
        for (conversation, client_id) in &phone.posted {
            let rows = truth.get(conversation).map_or(&[][..], Vec::as_slice);
            let refusals = phone.device.look(|state| state.refusals(*conversation));
            match rows.iter().find(|row| row.client_id == *client_id) {
                Some(row) => {
                    self.stored += 1;
                    let before = last.insert(*conversation, row.seq).unwrap_or(0);
                    if before > row.seq {
                        self.order_violations += 1;
                        let seq = row.seq;
                        self.find(format!("{conversation}: {seq} was posted after {before}"));
                    }
                }
                None => match refusals.get(client_id).map(String::as_str) {
                    Some("quarantined") => self.quarantined += 1,
                    Some(_) => self.rejected += 1,
                    None => {
                        self.lost += 1;
                        self.find(format!("{conversation}: {client_id} has no end"));
                    }
                },
            }
        }
    }

    /// What this device shows is what Postgres holds.
    fn judge_screens(&mut self, phone: &Phone, truth: &BTreeMap<Uuid, Vec<Row>>) {
        for conversation in &phone.conversations {
            let shown: Vec<Row> = phone.device.transcript(*conversation).iter().map(seen).collect();
            let unique: BTreeSet<i64> = shown.iter().map(|row| row.seq).collect();
            self.doubled += shown.len() - unique.len();
            let rows = truth.get(conversation).map_or(&[][..], Vec::as_slice);
            if shown != rows {
                self.differing_screens += 1;
                let odd = shown.iter().zip(rows).find(|(one, other)| one != other);
                let (has, holds) = (shown.len(), rows.len());
                let name = &phone.device.client().account().username;
                self.find(format!(
                    "{name} shows {has} messages of {conversation}, Postgres holds {holds}; the \
                     first that differs: {odd:?}"
                ));
            }
        }
    }
}

fn count(sum: i64) -> usize {
    usize::try_from(sum).unwrap_or(usize::MAX)
}

fn seen(message: &protocol::value::Message) -> Row {
    Row {
        seq: message.seq,
        rev: message.rev,
        client_id: message.client_id,
        text: message.text.clone(),
        is_deleted: message.deleted_at.is_some(),
    }
}

async fn truth(database: &Postgres) -> Result<BTreeMap<Uuid, Vec<Row>>> {
    let all = "SELECT conversation_id, seq, rev, client_id, text, deleted_at IS NOT NULL
        FROM messages ORDER BY conversation_id, seq";
    let mut truth: BTreeMap<Uuid, Vec<Row>> = BTreeMap::new();
    for row in ask(database, all).await? {
        truth.entry(row.get(0)).or_default().push(Row {
            seq: row.get(1),
            rev: row.get(2),
            client_id: row.get(3),
            text: row.get(4),
            is_deleted: row.get(5),
        });
    }
    Ok(truth)
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |what: &str, value: String| writeln!(f, "| {what:<44} | {value:>10} |");
        line("posted", self.posted.to_string())?;
        line("stored", self.stored.to_string())?;
        line("rejected", self.rejected.to_string())?;
        line("quarantined", self.quarantined.to_string())?;
        line("lost", self.lost.to_string())?;
        line("doubled", self.doubled.to_string())?;
        line("order violations", self.order_violations.to_string())?;
        line("screens that differ from Postgres", self.differing_screens.to_string())?;
        line("wrong marks", self.wrong_marks.to_string())?;
        line("deaf sockets", self.deaf_sockets.to_string())?;
        line("messages that were changed", self.changes.to_string())?;
        let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
        line("longest delay of an innocent conversation", seconds(self.longest_innocent_delay))?;
        line("healed after", seconds(self.healed_after))?;
        line("faults", self.faults.values().sum::<usize>().to_string())?;
        let kinds = self.faults.iter().map(|(fault, times)| format!("{fault} {times}"));
        writeln!(f, "faults: {}", kinds.collect::<Vec<_>>().join(", "))?;
        self.findings.iter().try_for_each(|finding| writeln!(f, "WRONG: {finding}"))
    }
}
