//! `Export`.

use async_trait::async_trait;
use domain::UserId;
use service::port::{Export, ExportPart, ExportRecord, PageError};

use super::{FakeHistory, State};

const SECTIONS: [&str; 9] = [
    "profile",
    "sessions",
    "contacts",
    "blocks",
    "conversations",
    "messages",
    "receipts",
    "reactions",
    "invites",
];
const RECORDS_PER_PART: usize = 200;

#[async_trait]
impl Export for FakeHistory {
    async fn part(&self, user: UserId, cursor: Option<&str>) -> Result<ExportPart, PageError> {
        let state = self.reach()?;
        let (section, from) = cursor.map_or(Some((0, 0)), read).ok_or(PageError::InvalidCursor)?;
        let name = SECTIONS.get(section).ok_or(PageError::InvalidCursor)?;
        let mut records: Vec<_> = state.section(user, name).into_iter().skip(from).collect();
        let has_more = records.len() > RECORDS_PER_PART;
        records.truncate(RECORDS_PER_PART);
        let next_cursor = match has_more {
            true => Some(format!("{section}_{}", from + RECORDS_PER_PART)),
            false => (section + 1 < SECTIONS.len()).then(|| format!("{}_0", section + 1)),
        };
        Ok(ExportPart { section: name, records, next_cursor })
    }
}

fn read(raw: &str) -> Option<(usize, usize)> {
    let (section, from) = raw.split_once('_')?;
    Some((section.parse().ok()?, from.parse().ok()?))
}

fn record(pairs: &[(&'static str, &dyn ToString)]) -> ExportRecord {
    pairs.iter().map(|(name, value)| (*name, Some(value.to_string()))).collect()
}

impl State {
    fn section(&self, user: UserId, name: &str) -> Vec<ExportRecord> {
        let pairs = |pairs: &std::collections::BTreeSet<(UserId, UserId)>| {
            let theirs = pairs.iter().filter(|(one, _)| *one == user);
            theirs.map(|(_, other)| record(&[("user_id", other)])).collect()
        };
        let rooms = || self.rooms.values().filter_map(|room| Some((room, room.seat_of(user)?)));
        match name {
            "profile" => {
                let profile = self.account(user).map(|account| {
                    let (name, email) = (account.user.username.as_str(), &account.user.email);
                    record(&[("id", &user), ("username", &name), ("email", &email.as_str())])
                });
                profile.into_iter().collect()
            }
            "sessions" => {
                let theirs = self.sessions.iter().filter(|(_, one)| one.user_id == user);
                theirs.map(|(id, _)| record(&[("id", id)])).collect()
            }
            "contacts" => pairs(&self.contacts),
            "blocks" => pairs(&self.blocks),
            "conversations" => {
                rooms().map(|(room, _)| record(&[("id", &room.conversation.id)])).collect()
            }
            "messages" => {
                let all = self.rooms.values().flat_map(|room| &room.messages);
                let own = all.filter(|message| message.sender_id == user);
                own.map(|message| {
                    let text = message.text.as_ref().map(|text| text.as_str().to_owned());
                    let mut told = record(&[("seq", &message.seq)]);
                    told.push(("text", text));
                    told
                })
                .collect()
            }
            "reactions" => self.reactions_of(user),
            "invites" => {
                let made = self.invites.values().filter(|kept| kept.shown.creator_id == user);
                made.map(|kept| record(&[("id", &kept.shown.id)])).collect()
            }
            _ => rooms()
                .map(|(room, seat)| {
                    let id = &room.conversation.id;
                    record(&[("conversation_id", id), ("read", &seat.marks.read)])
                })
                .collect(),
        }
    }

    fn reactions_of(&self, user: UserId) -> Vec<ExportRecord> {
        let of_room = |room: &super::Room| {
            let id = room.conversation.id;
            let theirs =
                room.reactors.iter().filter(|(_, all)| all.values().any(|one| *one == user));
            let told = theirs.map(|((seq, emoji), _)| {
                record(&[("conversation_id", &id), ("seq", seq), ("emoji", emoji)])
            });
            told.collect::<Vec<_>>()
        };
        self.rooms.values().flat_map(of_room).collect()
    }
}
