//! Whatever happens on the way, the end is the server's history, and each message shown once.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use protocol::body::ChangeList;
use protocol::frame::{ClientFrame, MessageAccepted, Messages, Said};
use protocol::value::Message;
use uuid::Uuid;

use super::super::{Action, Answer, Ask, AskError, Event, Settings, State};
use super::{ME, ROOM, entry, frame, message, own, page};

/// One room on a server, and a bad way to it.
struct World {
    state: State,
    now: u64,
    rows: BTreeMap<i64, Message>,
    last: i64,
    shown: BTreeSet<i64>,
    cursor: i64,
    posted: Vec<Uuid>,
    open: BTreeSet<u64>,
    /// Said by the server, and not heard yet: when, on which socket, what.
    under_way: Vec<(u64, u64, Said, Option<Uuid>)>,
    dice: Dice,
    is_healed: bool,
}

/// Numbers of a seed; the test prints the seed when it fails.
struct Dice(super::super::chance::Chance);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0.next() % sides
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let settings = Settings { seed, ..Settings::default() };
        let mut state = State::new(ME, settings);
        state.connect(0);
        let dice = Dice(super::super::chance::Chance::new(seed.wrapping_mul(31)));
        let (rows, shown, open) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        let under_way = Vec::new();
        Self {
            state,
            now: 0,
            rows,
            last: 0,
            shown,
            cursor: 0,
            posted: Vec::new(),
            open,
            under_way,
            dice,
            is_healed: false,
        }
    }

    /// Lost, or said once or twice, sooner or later, to every open socket.
    fn say(&mut self, said: &Said, in_reply_to: Option<Uuid>, sockets: &[u64]) {
        for socket in sockets {
            let copies = if self.is_healed { 1 } else { [0, 1, 1, 1, 2][self.dice_index(5)] };
            for _ in 0..copies {
                let delay = if self.is_healed { 1 } else { self.dice.below(900) };
                self.under_way.push((self.now + delay, *socket, said.clone(), in_reply_to));
            }
        }
    }

    fn dice_index(&mut self, sides: u64) -> usize {
        usize::try_from(self.dice.below(sides)).unwrap()
    }

    fn push(&mut self, message: Message) {
        let (after, through) = (message.rev - 1, message.rev);
        let messages = vec![message];
        let said = Said::MessageNew(Messages { conversation_id: ROOM, after, through, messages });
        let sockets: Vec<u64> = self.open.iter().copied().collect();
        self.say(&said, None, &sockets);
    }

    fn store(&mut self, message: impl FnOnce(i64) -> Message) {
        self.last += 1;
        let message = message(self.last);
        self.rows.insert(message.seq, message.clone());
        self.push(message);
    }

    /// Somebody says something, edits something, or the network shows its worst side.
    fn something_happens(&mut self) {
        match self.dice.below(10) {
            0..=3 => self.store(message),
            4..=5 => {
                let id = Uuid::from_u128((self.posted.len() as u128 + 1) << 64);
                self.state.post_text(ROOM, id, "mine", self.now);
                self.posted.push(id);
            }
            6..=7 => {
                let seqs: Vec<i64> = self.rows.keys().copied().collect();
                if !seqs.is_empty() {
                    let at = self.dice_index(seqs.len() as u64);
                    let row = self.rows[&seqs[at]].clone();
                    let text = Some(format!("edited at {}", self.now));
                    self.store(|rev| Message { rev, text, ..row });
                }
            }
            8 => {
                for socket in std::mem::take(&mut self.open) {
                    self.state.closed(socket, self.now);
                }
            }
            _ => {
                let said = Said::Bye(protocol::frame::Bye {
                    reason: "socket_is_old".into(),
                    reconnect_after_ms: self.dice.below(500),
                });
                let sockets: Vec<u64> = self.open.iter().copied().collect();
                self.say(&said, None, &sockets);
            }
        }
    }

    fn act(&mut self) {
        for action in self.state.due(self.now) {
            let is_lucky = self.is_healed || self.dice.below(4) > 0;
            match action {
                Action::OpenSocket { socket } if is_lucky => {
                    self.open.insert(socket);
                    self.state.opened(socket, self.now);
                }
                Action::OpenSocket { socket } => self.state.closed(socket, self.now),
                Action::CloseSocket { socket } => {
                    self.open.remove(&socket);
                }
                Action::Say { socket, frame } if is_lucky => self.take(socket, &frame),
                Action::Say { .. } => {}
                Action::Ask { request, ask } => {
                    let answer = if is_lucky { self.answer(&ask) } else { Err(AskError::Failed) };
                    self.state.answered(request, answer, self.now);
                }
            }
        }
        let wake = self.state.next_wake(self.now);
        assert!(wake.is_none_or(|at| at >= self.now));
        assert!(self.state.cursor(ROOM) >= self.cursor, "the cursor went back");
        self.cursor = self.state.cursor(ROOM);
        for event in self.state.take_events() {
            if let Event::Shown { seq, .. } = event {
                assert!(self.shown.insert(seq), "{seq} was shown twice");
            }
        }
    }

    fn answer(&self, ask: &Ask) -> Result<Answer, AskError> {
        match ask {
            Ask::Sync { .. } => Ok(page(vec![entry(ROOM, self.last)])),
            Ask::Changes { after, .. } => {
                let mut items: Vec<_> =
                    self.rows.values().filter(|row| row.rev > *after).cloned().collect();
                items.sort_by_key(|row| row.rev);
                let has_more = items.len() > 5;
                items.truncate(5);
                let through = if has_more { items[4].rev } else { self.last };
                Ok(Answer::Changes(ChangeList { items, through, last_seq: self.last, has_more }))
            }
            Ask::Receipts { .. } => Err(AskError::Failed),
        }
    }

    /// A frame reaches the server.
    fn take(&mut self, socket: u64, said: &ClientFrame) {
        if said.frame_type != "message.send" {
            return;
        }
        let messages = said.data["messages"].as_array().unwrap().clone();
        let ids = messages.iter().map(|m| m["client_id"].as_str().unwrap().parse().unwrap());
        let client_ids: Vec<Uuid> = ids.collect();
        for id in &client_ids {
            match self.rows.values().find(|row| row.client_id == *id).cloned() {
                Some(known) => self.push(known),
                None => self.store(|seq| own(seq, *id)),
            }
        }
        let accepted = MessageAccepted { conversation_id: ROOM, client_ids };
        self.say(&Said::MessageAccepted(accepted), Some(said.id), &[socket]);
    }

    fn pass(&mut self, time: u64) {
        let until = self.now + time;
        while self.now < until {
            self.now += 50;
            let now = self.now;
            let due: Vec<_> = self.under_way.extract_if(.., |said| said.0 <= now).collect();
            for (_, socket, said, in_reply_to) in due {
                if self.open.contains(&socket) {
                    self.state.heard(socket, frame(said, in_reply_to), self.now);
                }
            }
            self.act();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn lost_swapped_and_doubled_frames_end_in_the_history_of_the_server(seed in any::<u64>()) {
        let mut world = World::new(seed);
        for _ in 0..40 {
            world.something_happens();
            let pause = world.dice.below(2_000);
            world.pass(pause);
        }
        world.is_healed = true;
        world.pass(120_000);
        // Whatever was lost last is repaired by the next heartbeat; here, by a word of the server.
        world.store(message);
        world.pass(2_000);
        let history: Vec<_> = world.rows.values().cloned().collect();
        prop_assert_eq!(world.state.transcript(ROOM), history.as_slice());
        prop_assert_eq!(world.state.cursor(ROOM), world.last);
        prop_assert_eq!(world.state.unsettled(), 0);
        let mine = history.iter().filter(|row| row.sender_id == ME).map(|row| row.client_id);
        prop_assert_eq!(mine.collect::<Vec<_>>(), world.posted, "lost, or in another order");
    }
}

#[test]
fn the_same_input_gives_the_same_output() {
    let run = || {
        let mut world = World::new(42);
        for _ in 0..40 {
            world.something_happens();
            world.pass(700);
        }
        format!("{:?}", world.state)
    };
    assert_eq!(run(), run());
}
