//! Receipts: what was delivered and read, told to those who wrote it.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{ConnectionId, ConversationId, Seq, UserId};

use crate::port::{
    Failure, PushLog, PushRecord, RaisedMarks, ReceiptClaim, ReceiptQueue, ReceiptStore, RecordJob,
    SendGate, Standing,
};
use crate::{Announcement, Caller, Delivery, Error, Event, Hangup, MemberMarks, Recipient};

/// How far somebody has got, as their device claims it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub delivered: Option<Seq>,
    pub read: Option<Seq>,
}

/// The way of a receipt into the queue. No database is touched here, and no bucket limits it: its
/// write would cost more than what it saves, since a batch merges the receipts of one person, and
/// only marks that rise, of which there are no more than messages, are told to anybody.
#[derive(Clone)]
pub struct Receipts {
    pub gate: Arc<dyn SendGate>,
    pub queue: Arc<dyn ReceiptQueue>,
}

impl Receipts {
    /// Over HTTP; 404 for who is not a member.
    pub async fn claim(
        &self,
        caller: Caller,
        conversation_id: ConversationId,
        progress: Progress,
    ) -> Result<(), Error> {
        if !self.gate.is_member(caller.user_id(), conversation_id).await? {
            return Err(Error::conversation_not_found());
        }
        self.enqueue(caller.user_id(), conversation_id, progress).await
    }

    async fn enqueue(
        &self,
        user_id: UserId,
        conversation_id: ConversationId,
        progress: Progress,
    ) -> Result<(), Error> {
        let Progress { delivered, read } = progress;
        let claim = ReceiptClaim { conversation_id, user_id, delivered, read };
        Ok(self.queue.enqueue(claim).await?)
    }
}

/// The same from a socket, where the connection says who claims.
#[derive(Clone)]
pub struct SocketReceipts {
    pub receipts: Receipts,
    pub hangup: Hangup,
}

impl SocketReceipts {
    pub async fn claim(
        &self,
        connection_id: &ConnectionId,
        conversation_id: ConversationId,
        progress: Progress,
    ) -> Result<(), Error> {
        let gate = &self.receipts.gate;
        let Standing { connection, is_member } =
            gate.of_connection(connection_id, conversation_id).await?;
        let Some(connection) = connection else {
            return Err(self.hangup.turn_away(connection_id).await);
        };
        if !is_member {
            return Err(Error::conversation_not_found());
        }
        self.receipts.enqueue(connection.identity.user_id, conversation_id, progress).await
    }
}

/// The worker behind `receipts-to-record`: one UPDATE a batch, then the authors are told.
#[derive(Clone)]
pub struct ReceiptBook {
    pub store: Arc<dyn ReceiptStore>,
    pub push_log: Arc<dyn PushLog>,
    pub delivery: Delivery,
}

impl ReceiptBook {
    /// An error sends the whole batch round again, to [`Self::record_again`].
    pub async fn record(&self, jobs: Vec<RecordJob>) -> Result<(), Failure> {
        let (claims, pushes) = parted(jobs);
        if !claims.is_empty() {
            let raised = self.store.raise(&claims).await?;
            self.delivery.announce(announcements(raised)).await?;
        }
        self.note(&pushes).await
    }

    /// A batch that came before. Its marks may have been raised and the authors not been told, so
    /// they are told where the marks are, risen now or not.
    pub async fn record_again(&self, jobs: Vec<RecordJob>) -> Result<(), Failure> {
        let (claims, pushes) = parted(jobs);
        if !claims.is_empty() {
            self.store.raise(&claims).await?;
            let standing = self.store.standing(&claims).await?;
            self.delivery.announce(announcements(standing)).await?;
        }
        self.note(&pushes).await
    }

    /// Last: what fails after it would have them noted twice.
    async fn note(&self, pushes: &[PushRecord]) -> Result<(), Failure> {
        if pushes.is_empty() { Ok(()) } else { self.push_log.record(pushes).await }
    }
}

fn parted(jobs: Vec<RecordJob>) -> (Vec<ReceiptClaim>, Vec<PushRecord>) {
    let (mut claims, mut pushes) = (Vec::new(), Vec::new());
    for job in jobs {
        match job {
            RecordJob::Receipt(claim) => claims.push(claim),
            RecordJob::Push(push) => pushes.push(push),
        }
    }
    (claims, pushes)
}

/// Looks at the marks of the members.
#[derive(Clone)]
pub struct ReceiptMarks {
    pub store: Arc<dyn ReceiptStore>,
}

impl ReceiptMarks {
    /// 404 for who is not a member.
    pub async fn of_members(
        &self,
        caller: Caller,
        conversation_id: ConversationId,
    ) -> Result<Vec<MemberMarks>, Error> {
        let found = self.store.marks(caller.user_id(), conversation_id).await?;
        found.ok_or_else(Error::conversation_not_found)
    }
}

/// One frame for each author and conversation, with the marks of all who read what they wrote;
/// authors with the same news share an announcement.
fn announcements(raised: Vec<RaisedMarks>) -> Vec<Announcement> {
    let mut news: BTreeMap<(ConversationId, UserId), Vec<MemberMarks>> = BTreeMap::new();
    for RaisedMarks { conversation_id, shown, authors, .. } in raised {
        for author in authors {
            news.entry((conversation_id, author.user_id)).or_default().push(shown);
        }
    }
    let mut shared: Vec<(ConversationId, Vec<MemberMarks>, Vec<Recipient>)> = Vec::new();
    for ((id, user_id), marks) in news {
        let author = Recipient { user_id, joined_seq: Seq::ZERO };
        match shared.iter_mut().find(|(known, same, _)| *known == id && *same == marks) {
            Some((_, _, authors)) => authors.push(author),
            None => shared.push((id, marks, vec![author])),
        }
    }
    let told = |(conversation_id, marks, authors)| {
        Announcement::new(Event::ReceiptUpdated { conversation_id, marks }, authors)
    };
    shared.into_iter().map(told).collect()
}
