//! A batch as groups: what one conversation wants written, in its order.

use domain::limits;

use super::PersistJob;
use crate::port::{Receipt, Submission};

#[derive(Debug)]
pub(super) struct Group {
    group_id: String,
    /// In the order of the lane.
    pub(super) jobs: Vec<PersistJob>,
}

impl Group {
    /// Groups in the order of their first job; a batch is small, so a scan finds them.
    pub(super) fn of_jobs(jobs: Vec<PersistJob>) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for job in jobs {
            match groups.iter_mut().find(|group| group.group_id == job.group_id) {
                Some(group) => group.jobs.push(job),
                None => groups.push(Self { group_id: job.group_id.clone(), jobs: vec![job] }),
            }
        }
        groups
    }

    /// Nothing of it failed before.
    pub(super) fn is_healthy(&self) -> bool {
        self.jobs.iter().all(|job| job.receive_count <= 1)
    }

    pub(super) fn take_unreadable(&mut self) -> Vec<PersistJob> {
        let jobs = std::mem::take(&mut self.jobs);
        let (readable, unreadable) = jobs.into_iter().partition(|job| job.submissions.is_ok());
        self.jobs = readable;
        unreadable
    }

    pub(super) fn submissions(&self) -> impl Iterator<Item = Submission> + '_ {
        self.jobs.iter().flat_map(|job| job.submissions.iter().flatten().cloned())
    }

    pub(super) fn receipts(&self) -> impl Iterator<Item = Receipt> + '_ {
        self.jobs.iter().map(|job| job.receipt.clone())
    }

    /// All of its jobs, each with the seconds until it comes again: the same for all, so that
    /// they come in their order.
    pub(super) fn deferred(&self) -> Vec<(Receipt, u32)> {
        let delay = self.jobs.first().map_or(*limits::DEFER_SECONDS.start(), delay_seconds);
        self.receipts().map(|receipt| (receipt, delay)).collect()
    }
}

/// Another one first with each receive: one that kills the process takes those behind it along,
/// and a queue may well put the same batch together again.
pub(super) fn in_turn(mut groups: Vec<Group>) -> Vec<Group> {
    let receives = groups.iter().flat_map(|group| &group.jobs).map(|job| job.receive_count).max();
    let turn = usize::try_from(receives.unwrap_or(0)).unwrap_or(0);
    let first = turn.checked_rem(groups.len()).unwrap_or(0);
    groups.rotate_left(first);
    groups
}

/// A second more after each receive, up to the longest delay.
pub(super) fn delay_seconds(job: &PersistJob) -> u32 {
    let (shortest, longest) = limits::DEFER_SECONDS.into_inner();
    job.receive_count.clamp(shortest, longest)
}
