//! What the others hear when an account has ended.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::{ConnectionId, ConversationId, EmailAddress, Timestamp, UserId, limits};
use service::port::{Erased, Erasure, Failure, FanOutJob, LeftConversations, SendGate, Upkeep};
use service::{Caller, Erasures, Event, Identity};
use testkit::history::FakeHistory;
use testkit::world::World;

use crate::steps::fan_out;

/// More than are left before the first are told.
const MANY: usize = 60;

struct Scene {
    world: World,
    ada: Caller,
    bob: Caller,
    cleo: Caller,
}

async fn scene() -> Scene {
    let world = World::new();
    let ada = world.person("ada").await;
    let (bob, cleo) = (world.person("bob").await, world.person("cleo").await);
    Scene { world, ada, bob, cleo }
}

impl Scene {
    /// The job of Ada's end, as if the process that asked for it had ended right after that.
    async fn end_by(&self, erasures: Erasures) -> Result<(), Failure> {
        let email = EmailAddress::parse("ada@example.org").unwrap();
        erasures.run(self.ada.user_id(), &email).await
    }

    async fn end(&self) {
        self.end_by(self.world.erasures()).await.unwrap();
    }

    async fn direct(&self) -> ConversationId {
        let opened = self.world.openings().open_direct(self.ada, self.bob.user_id()).await;
        self.world.queues.drain_fan_out();
        opened.unwrap().conversation.id
    }

    /// Groups of Bob's, with Ada.
    async fn many_groups(&self) {
        for _ in 0..MANY {
            self.world.clock.advance(Duration::from_secs(60));
            self.world.group(self.bob, &[self.ada]).await;
        }
    }

    async fn may_send(&self, id: ConversationId) -> bool {
        self.world.live.is_member(self.ada.user_id(), id).await.unwrap()
    }

    /// What waits to be told: how often each conversation, and to whom.
    fn waiting(&self) -> BTreeMap<ConversationId, Vec<UserId>> {
        let mut told: BTreeMap<ConversationId, Vec<UserId>> = BTreeMap::new();
        for job in self.world.queues.drain_fan_out() {
            let FanOutJob::ToMembers { event, recipients, .. } = job else { panic!("{job:?}") };
            let Event::MessagesNew { conversation_id, .. } = event else { continue };
            let users = recipients.into_iter().map(|recipient| recipient.user_id);
            told.entry(conversation_id).or_default().extend(users);
        }
        told
    }

    fn heard(&self, socket: &ConnectionId) -> BTreeMap<ConversationId, Vec<String>> {
        let mut heard: BTreeMap<ConversationId, Vec<String>> = BTreeMap::new();
        for event in self.world.pusher.heard_by(socket) {
            let (id, words) = words(&event);
            heard.entry(id).or_default().push(words);
        }
        heard
    }
}

/// One event in a few words, and where it happened.
fn words(event: &Event) -> (ConversationId, String) {
    match event {
        Event::ConversationChanged { conversation } => {
            (conversation.id, format!("{} members", conversation.member_count))
        }
        Event::MessagesNew { conversation_id, messages, .. } => {
            let event = |message: &domain::Message| {
                let event = message.event.as_ref().unwrap();
                event.event_type.as_str().to_owned()
            };
            (*conversation_id, messages.iter().map(event).collect::<Vec<_>>().join(", "))
        }
        Event::Nudge { conversation_id, last_seq } => {
            (*conversation_id, format!("nudge to {last_seq}"))
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_others_hear_at_once_who_has_gone_and_who_owns_it_now() {
    let scene = scene().await;
    let group = scene.world.group(scene.ada, &[scene.bob, scene.cleo]).await;
    let direct = scene.direct().await;
    let alone = scene.world.group(scene.ada, &[]).await;
    let bob = scene.world.socket(scene.bob, "bob").await;
    let cleo = scene.world.socket(scene.cleo, "cleo").await;
    scene.end().await;
    for id in [group, direct, alone] {
        assert!(!scene.may_send(id).await, "no copy is owed");
    }
    fan_out(&scene.world).await;
    let of_group = vec!["2 members".to_owned(), "role_changed, member_left".to_owned()];
    let of_direct = vec!["1 members".to_owned(), "member_left".to_owned()];
    let expected = BTreeMap::from([(group, of_group.clone()), (direct, of_direct)]);
    assert_eq!(scene.heard(&bob), expected);
    assert_eq!(scene.heard(&cleo), BTreeMap::from([(group, of_group)]));
}

#[tokio::test]
async fn who_has_gone_hears_goodbye_and_nothing_else() {
    let scene = scene().await;
    scene.world.group(scene.ada, &[scene.bob]).await;
    scene.direct().await;
    let ada = scene.world.socket(scene.ada, "ada").await;
    scene.end().await;
    fan_out(&scene.world).await;
    let heard = scene.world.pusher.heard_by(&ada);
    assert!(matches!(heard[..], [Event::Bye { .. }]), "{heard:?}");
    assert!(scene.world.pusher.is_disconnected(&ada));
}

#[tokio::test]
async fn each_of_many_conversations_is_told_once_and_not_again_by_a_repetition() {
    let scene = scene().await;
    scene.many_groups().await;
    scene.end().await;
    let told = scene.waiting();
    assert_eq!(told.len(), MANY);
    assert!(told.values().all(|users| users[..] == [scene.bob.user_id()]), "{told:?}");
    scene.end().await;
    assert_eq!(scene.world.queues.drain_fan_out(), []);
    scene.world.clock.advance(limits::COPY_REPAIR_AFTER * 2);
    assert_eq!(scene.world.history.unconfirmed_copies(MANY).await.unwrap(), []);
}

/// The end of an account whose time is over at the second round of leaving.
struct CutShort(Arc<FakeHistory>, AtomicUsize);

#[async_trait]
impl Erasure for CutShort {
    async fn end_account(&self, user: UserId, now: Timestamp) -> Result<Erased, Failure> {
        self.0.end_account(user, now).await
    }

    async fn leave_some(
        &self,
        user: UserId,
        most: usize,
        now: Timestamp,
    ) -> Result<LeftConversations, Failure> {
        if self.1.fetch_add(1, Ordering::SeqCst) == 1 {
            return Err(Failure::unavailable("postgres", "a test took it down"));
        }
        self.0.leave_some(user, most, now).await
    }

    async fn empty_memberships(&self, user: UserId) -> Result<Vec<(&'static str, u64)>, Failure> {
        self.0.empty_memberships(user).await
    }

    async fn forget_sessions(&self, ended: &[Identity]) -> Result<(), Failure> {
        self.0.forget_sessions(ended).await
    }

    async fn residue(
        &self,
        user: UserId,
        email: &EmailAddress,
    ) -> Result<Vec<(&'static str, u64)>, Failure> {
        self.0.residue(user, email).await
    }
}

#[tokio::test]
async fn a_job_that_is_cut_short_has_told_what_it_left_and_goes_on_with_the_others() {
    let scene = scene().await;
    scene.many_groups().await;
    let cut_short = Arc::new(CutShort(scene.world.history.clone(), AtomicUsize::new(0)));
    let job = Erasures { erasure: cut_short, ..scene.world.erasures() };
    assert!(scene.end_by(job.clone()).await.is_err(), "it comes round again");
    let first = scene.waiting();
    assert!(!first.is_empty() && first.len() < MANY, "{}", first.len());
    scene.end_by(job).await.unwrap();
    let second = scene.waiting();
    assert_eq!(first.len() + second.len(), MANY);
    assert!(second.keys().all(|id| !first.contains_key(id)), "each once");
}

#[tokio::test]
async fn an_end_that_cannot_be_told_is_one_all_the_same_and_told_by_the_sweep() {
    let scene = scene().await;
    let group = scene.world.group(scene.bob, &[scene.ada]).await;
    let bob = scene.world.socket(scene.bob, "bob").await;
    scene.world.queues.set_down(true);
    scene.end().await;
    scene.world.queues.set_down(false);
    assert_eq!(scene.world.queues.drain_fan_out(), []);
    let seen = scene.world.conversations().get(scene.bob, group).await.unwrap();
    assert_eq!(seen.member_count, 1);
    scene.world.clock.advance(limits::NUDGE_AFTER * 2);
    scene.world.sweep().run().await.unwrap();
    fan_out(&scene.world).await;
    let nudged = vec![format!("nudge to {}", seen.last_seq)];
    assert_eq!(scene.heard(&bob), BTreeMap::from([(group, nudged)]));
    assert_eq!(scene.world.history.unconfirmed_copies(10).await.unwrap(), [], "and owed no more");
}
