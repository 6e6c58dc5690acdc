//! `ContactStore` and `BlockStore`.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::{ContactRequestId, Timestamp, User, UserId, Username, limits};
use service::port::{
    BlockError, BlockStore, ContactAsked, ContactError, ContactStore, Failure, PageError,
};
use service::{ContactRequest, Page};

use super::conversations::{read_cursor, write_cursor};
use super::{FakeHistory, State};

impl State {
    fn connect(&mut self, request: ContactRequest) -> Result<(), ContactError> {
        let ContactRequest { id, from, to, .. } = request;
        let count = |user| self.contacts.iter().filter(|(one, _)| *one == user).count();
        if [from, to].into_iter().any(|user| count(user) >= limits::CONTACTS_PER_USER) {
            return Err(ContactError::Full);
        }
        self.requests.remove(&id);
        self.contacts.extend([(from, to), (to, from)]);
        Ok(())
    }

    fn part(&mut self, one: UserId, other: UserId) -> bool {
        self.contacts.remove(&(other, one));
        self.contacts.remove(&(one, other))
    }

    fn waiting(&self, from: UserId, to: UserId) -> Option<ContactRequest> {
        let of_them = |request: &&ContactRequest| request.from == from && request.to == to;
        self.requests.values().find(of_them).copied()
    }

    /// Those of the people after the cursor, by user name.
    fn people(
        &self,
        page: &Page,
        people: impl Iterator<Item = UserId>,
    ) -> Result<(Vec<User>, Option<String>), PageError> {
        let read = |raw: &String| Username::parse(raw).map_err(|_| PageError::InvalidCursor);
        let last = page.cursor.as_ref().map(read).transpose()?;
        let known = people.filter_map(|user| self.account(user)).map(|account| &account.user);
        let is_after =
            |user: &&User| last.as_ref().is_none_or(|last| user.username.as_str() > last.as_str());
        let mut users: Vec<User> = known.filter(is_after).cloned().collect();
        users.sort_by(|a, b| a.username.as_str().cmp(b.username.as_str()));
        let has_more = users.len() > page.limit as usize;
        users.truncate(page.limit as usize);
        let next = users.last().filter(|_| has_more);
        let next = next.map(|user| user.username.as_str().to_owned());
        Ok((users, next))
    }
}

#[async_trait]
impl ContactStore for FakeHistory {
    async fn ask(
        &self,
        id: ContactRequestId,
        from: UserId,
        to: UserId,
        now: Timestamp,
    ) -> Result<ContactAsked, ContactError> {
        let mut state = self.reach()?;
        if state.account(to).is_none() || state.account(from).is_none() {
            return Err(ContactError::UnknownUser);
        }
        if state.is_block_between(from, to) {
            return Err(ContactError::Blocked);
        }
        if state.contacts.contains(&(from, to)) {
            return Err(ContactError::AlreadyContacts);
        }
        if let Some(request) = state.waiting(to, from) {
            state.connect(request)?;
            return Ok(ContactAsked::Contacts(request));
        }
        if let Some(request) = state.waiting(from, to) {
            return Ok(ContactAsked::Waiting(request));
        }
        let most = limits::CONTACT_REQUESTS_WAITING;
        let waiting = state.requests.values();
        let count = |is_one: &dyn Fn(&ContactRequest) -> bool| {
            waiting.clone().filter(|request| is_one(request)).count()
        };
        if count(&|one| one.from == from) >= most || count(&|one| one.to == to) >= most {
            return Err(ContactError::Full);
        }
        let request = ContactRequest { id, from, to, created_at: now };
        state.requests.insert(id, request);
        Ok(ContactAsked::Asked(request))
    }

    async fn requests(
        &self,
        user: UserId,
        page: Page,
    ) -> Result<(Vec<ContactRequest>, Option<String>), PageError> {
        let state = self.reach()?;
        let last = page.cursor.as_deref().map(read_cursor).transpose()?;
        let place = |request: &ContactRequest| (request.created_at, request.id.0);
        let is_theirs = |request: &&ContactRequest| request.from == user || request.to == user;
        let is_after = |request: &&ContactRequest| last.is_none_or(|last| place(request) < last);
        let waiting = state.requests.values().filter(is_theirs).filter(is_after);
        let mut waiting: Vec<ContactRequest> = waiting.copied().collect();
        waiting.sort_by_key(|request| Reverse(place(request)));
        let has_more = waiting.len() > page.limit as usize;
        waiting.truncate(page.limit as usize);
        let next = waiting.last().filter(|_| has_more).map(|request| write_cursor(place(request)));
        Ok((waiting, next))
    }

    async fn accept(
        &self,
        user: UserId,
        id: ContactRequestId,
        _now: Timestamp,
    ) -> Result<Option<ContactRequest>, ContactError> {
        let mut state = self.reach()?;
        let request = state.requests.get(&id).filter(|request| request.to == user).copied();
        if let Some(request) = request {
            state.connect(request)?;
        }
        Ok(request)
    }

    async fn decline(
        &self,
        user: UserId,
        id: ContactRequestId,
    ) -> Result<Option<ContactRequest>, Failure> {
        let mut state = self.reach()?;
        let is_theirs = |request: &&ContactRequest| request.from == user || request.to == user;
        let request = state.requests.get(&id).filter(is_theirs).copied();
        if request.is_some() {
            state.requests.remove(&id);
        }
        Ok(request)
    }

    async fn contacts(
        &self,
        user: UserId,
        page: Page,
    ) -> Result<(Vec<User>, Option<String>), PageError> {
        let state = self.reach()?;
        let theirs = state.contacts.iter().filter(|(one, _)| *one == user);
        state.people(&page, theirs.map(|(_, other)| *other))
    }

    async fn remove(&self, user: UserId, other: UserId) -> Result<bool, Failure> {
        Ok(self.reach()?.part(user, other))
    }
}

#[async_trait]
impl BlockStore for FakeHistory {
    async fn block(&self, user: UserId, other: UserId, _now: Timestamp) -> Result<(), BlockError> {
        let mut state = self.reach()?;
        if state.account(other).is_none() {
            return Err(BlockError::UnknownUser);
        }
        let blocked = state.blocks.iter().filter(|(one, _)| *one == user).count();
        if blocked >= limits::BLOCKS_PER_USER && !state.blocks.contains(&(user, other)) {
            return Err(BlockError::Full);
        }
        state.blocks.insert((user, other));
        state.part(user, other);
        let pair = [user, other];
        state
            .requests
            .retain(|_, request| !(pair.contains(&request.from) && pair.contains(&request.to)));
        Ok(())
    }

    async fn unblock(&self, user: UserId, other: UserId) -> Result<(), Failure> {
        self.reach()?.blocks.remove(&(user, other));
        Ok(())
    }

    async fn blocked(
        &self,
        user: UserId,
        page: Page,
    ) -> Result<(Vec<User>, Option<String>), PageError> {
        let state = self.reach()?;
        let theirs = state.blocks.iter().filter(|(one, _)| *one == user);
        state.people(&page, theirs.map(|(_, other)| *other))
    }

    async fn search(
        &self,
        user: UserId,
        prefix: &str,
        page: Page,
    ) -> Result<(Vec<User>, Option<String>), PageError> {
        let state = self.reach()?;
        // Letter by letter, as Postgres does.
        let lower = |name: &str| name.chars().flat_map(char::to_lowercase).collect::<String>();
        let begins = |name: &str| lower(name).starts_with(prefix);
        let people = || state.users.values().filter(|one| !one.is_erased).map(|one| &one.user);
        let mut named: Vec<_> = people().filter(|one| begins(one.display_name.as_str())).collect();
        named.sort_by_key(|one| lower(one.display_name.as_str()));
        let named = named.into_iter().take(limits::NAMES_PER_SEARCH);
        let found = people().filter(|one| begins(one.username.as_str())).chain(named);
        let seen = found.map(|found| found.id).filter(|id| !state.is_block_between(user, *id));
        state.people(&page, seen.collect::<BTreeSet<_>>().into_iter())
    }
}
