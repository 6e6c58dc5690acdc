//! `SyncFeed`.

use std::ops::Bound;
use std::time::Duration;

use async_trait::async_trait;
use domain::{ConversationId, Timestamp, UserId, limits};
use service::SyncPage;
use service::port::{PageError, SyncError, SyncFeed};

use super::conversations::entry;
use super::{FakeHistory, Room};

/// Where a device stands in the feed.
struct Position {
    /// `None` for who has nothing yet.
    since: Option<Timestamp>,
    /// While paging: where the feed goes on afterwards, and the last conversation told.
    paging: Option<(Timestamp, ConversationId)>,
}

#[async_trait]
impl SyncFeed for FakeHistory {
    async fn changed_since(
        &self,
        user: UserId,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<SyncPage, SyncError> {
        let now = self.clock.now();
        let state = self.reach().map_err(PageError::from)?;
        let position = match cursor {
            Some(raw) => Position::read(raw).ok_or(PageError::InvalidCursor)?,
            None => Position { since: None, paging: None },
        };
        let since = position.since;
        let oldest = now.minus(limits::SYNC_CURSOR_LIFETIME);
        if since.is_some_and(|since| since < oldest || since > now) {
            return Err(SyncError::Expired);
        }
        let next_since = position.paging.map_or(now.minus(limits::SYNC_OVERLAP), |(at, _)| at);
        let from = position.paging.map_or(Bound::Unbounded, |(_, last)| Bound::Excluded(last));
        let mut rooms = state.rooms.range((from, Bound::Unbounded));
        let mut page = SyncPage {
            conversations: Vec::new(),
            removed: Vec::new(),
            next_cursor: String::new(),
            has_more: false,
        };
        let mut last = None;
        while let Some((id, room)) = rooms.find(|(_, room)| room.is_news(user, since)) {
            if page.conversations.len() + page.removed.len() == limit as usize {
                page.has_more = true;
                break;
            }
            match room.seat_of(user).filter(|seat| !room.is_hidden(seat)) {
                Some(seat) => page.conversations.push(entry(user, room, seat)),
                None => page.removed.push(*id),
            }
            last = Some(*id);
        }
        let paging = last.filter(|_| page.has_more).map(|last| (next_since, last));
        let since = if paging.is_some() { since } else { Some(next_since) };
        page.next_cursor = Position { since, paging }.write();
        Ok(page)
    }
}

impl FakeHistory {
    /// A cursor as the feed gave it this long ago, after the last page.
    pub fn sync_cursor_from(&self, ago: Duration) -> String {
        let since = Some(self.clock.now().minus(limits::SYNC_OVERLAP).minus(ago));
        Position { since, paging: None }.write()
    }
}

impl Room {
    /// Without a time everything that they are in.
    fn is_news(&self, user: UserId, since: Option<Timestamp>) -> bool {
        let Some(seat) = self.seats.get(&user) else { return false };
        let is_shown = seat.is_active && !self.is_hidden(seat);
        let Some(since) = since else { return is_shown };
        seat.changed_at >= since || (is_shown && self.touched_at >= since)
    }
}

impl Position {
    fn write(&self) -> String {
        let since = self.since.map_or(String::from("all"), |at| at.unix_ms().to_string());
        match self.paging {
            Some((next_since, last)) => format!("{since}_{}_{last}", next_since.unix_ms()),
            None => since,
        }
    }

    fn read(raw: &str) -> Option<Self> {
        let time = |raw: &str| Timestamp::from_unix_ms(raw.parse().ok()?);
        let mut parts = raw.split('_');
        let since = match parts.next()? {
            "all" => None,
            raw => Some(time(raw)?),
        };
        let paging = match (parts.next(), parts.next(), parts.next()) {
            (Some(next_since), Some(last), None) => {
                Some((time(next_since)?, ConversationId(last.parse().ok()?)))
            }
            (None, ..) if since.is_some() => None,
            _ => return None,
        };
        Some(Self { since, paging })
    }
}
