//! Who and what the promises speak of.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use domain::{
    Change, ClientId, Conversation, ConversationId, DisplayName, Draft, DraftParts, EmailAddress,
    Emoji, GroupRefusal, InviteId, Message, MessageText, Role, Seq, SessionId, Timestamp, Title,
    TraceId, UserId, Username, direct_conversation_id,
};
use service::port::{
    ChangeError, ChangeRequest, Changed, Commit, Created, GroupChange, GroupChanged, GroupError,
    GroupRequest, InviteRefusal, MessageStore, NewDirect, NewGroup, NewInvite, NewRefreshToken,
    NewSession, NewUser, RaisedMarks, ReceiptClaim, SettingsChange, Submission, UserChange,
    Verdict,
};
use service::{ConversationEntry, Page};
use uuid::Uuid;

use super::{HistoryFixture, HistoryPorts};

pub(super) const ADA: UserId = UserId(Uuid::from_u128(0xA));
pub(super) const BOB: UserId = UserId(Uuid::from_u128(0xB));
pub(super) const CLEO: UserId = UserId(Uuid::from_u128(0xC));
/// Never registered.
pub(super) const NOBODY: UserId = UserId(Uuid::from_u128(0xF));

/// A moment of the story, in seconds.
pub(super) fn at(seconds: u64) -> Timestamp {
    let start = Timestamp::from_unix_ms(1_770_000_000_000).expect("a time in range");
    start.plus(Duration::from_secs(seconds))
}

pub(super) fn new_user(id: UserId, name: &str) -> NewUser {
    NewUser {
        id,
        username: Username::parse(name).expect("a user name"),
        email: EmailAddress::parse(&format!("{name}@example.org")).expect("an address"),
        display_name: DisplayName::parse(&name.to_uppercase()).expect("a name"),
        password_hash: format!("hash of {name}"),
        created_at: at(0),
    }
}

pub(super) fn digest(number: u32) -> String {
    format!("{number:064x}")
}

/// With the refresh token of the same number, which expires after 1,000 s.
pub(super) fn new_session(user_id: UserId, number: u32) -> NewSession {
    NewSession {
        id: session_id(number),
        user_id,
        device_name: Some("a phone".into()),
        address: None,
        created_at: at(0),
        refresh: token(number),
    }
}

/// For who has the password that they have.
pub(super) async fn open_session(ports: &HistoryPorts, session: NewSession) {
    let hash = ports.passwords.hash_of(session.user_id).await.expect("reads").expect("somebody");
    assert!(ports.sessions.open(session, &hash).await.expect("opens"));
}

pub(super) fn session_id(number: u32) -> SessionId {
    SessionId(Uuid::from_u128(0x5E55_0000 + u128::from(number)))
}

pub(super) fn token(number: u32) -> NewRefreshToken {
    NewRefreshToken { digest: digest(number), expires_at: at(1_000) }
}

/// A process in a world where Ada, Bob and Cleo have accounts.
pub(super) async fn three_people(fixture: &dyn HistoryFixture) -> HistoryPorts {
    let ports = fixture.process();
    for (number, (id, name)) in [(ADA, "ada"), (BOB, "bob"), (CLEO, "cleo")].iter().enumerate() {
        let session = new_session(*id, u32::try_from(number).expect("a small number"));
        ports.users.register(new_user(*id, name), session).await.expect("registers");
    }
    ports
}

pub(super) fn direct(creator: UserId, other: UserId) -> NewDirect {
    NewDirect { id: direct_conversation_id(creator, other), creator, other, created_at: at(1) }
}

/// Ada's group; its id and its client_id have the same number.
pub(super) fn group(number: u128, member_ids: &[UserId]) -> NewGroup {
    NewGroup {
        id: conversation_id(number),
        client_id: client_id(number),
        creator: ADA,
        title: Title::parse(&format!("Group {number}")).expect("a title"),
        member_ids: member_ids.to_vec(),
        created_at: at(1),
    }
}

pub(super) fn conversation_id(number: u128) -> ConversationId {
    ConversationId(Uuid::from_u128(0xC0_0000 + number))
}

pub(super) fn client_id(number: u128) -> ClientId {
    ClientId(Uuid::from_u128(0x1D_0000 + number))
}

pub(super) async fn open_group(ports: &HistoryPorts, number: u128, others: &[UserId]) -> Created {
    ports.conversations.open_group(group(number, others)).await.expect("opens")
}

pub(super) async fn open_direct(ports: &HistoryPorts, one: UserId, other: UserId) -> Created {
    ports.conversations.open_direct(direct(one, other)).await.expect("opens")
}

pub(super) fn text(raw: &str) -> MessageText {
    MessageText::parse(raw).expect("a text")
}

/// Message `number` of a sender, accepted at 10 s.
pub(super) fn says(conversation: ConversationId, sender: UserId, number: u128) -> Submission {
    let draft = Draft::parse(DraftParts {
        client_id: client_id(number),
        kind: None,
        text: Some(text(&format!("message {number}"))),
        reply_to: None,
        attachment_ids: Vec::new(),
        mentions: Vec::new(),
        sent_at: None,
    });
    Submission {
        conversation_id: conversation,
        sender_id: sender,
        draft: draft.expect("a draft"),
        accepted_at: at(10),
        trace_id: TraceId(Uuid::from_u128(0x7_ACE0_0000 + number)),
    }
}

pub(super) async fn append(ports: &HistoryPorts, batch: &[Submission]) -> Commit {
    ports.messages.append(batch).await.expect("appends")
}

/// Ada's messages with these numbers, one batch.
pub(super) async fn ada_says(
    ports: &HistoryPorts,
    conversation: ConversationId,
    numbers: impl IntoIterator<Item = u128>,
) {
    let batch: Vec<_> = numbers.into_iter().map(|number| says(conversation, ADA, number)).collect();
    let commit = append(ports, &batch).await;
    assert!(commit.appended.iter().all(|one| matches!(one.verdict, Verdict::Stored(_))));
}

/// The numbers that a commit answered, `None` for a rejection.
pub(super) fn seqs(commit: &Commit) -> Vec<Option<i64>> {
    let seq = |verdict: &Verdict| match verdict {
        Verdict::Stored(message) | Verdict::Known(message) => Some(message.seq.0),
        Verdict::Rejected(_) => None,
    };
    commit.appended.iter().map(|one| seq(&one.verdict)).collect()
}

pub(super) fn stored(commit: &Commit, at: usize) -> Message {
    match &commit.appended[at].verdict {
        Verdict::Stored(message) => message.clone(),
        other => panic!("expected a stored message, got {other:?}"),
    }
}

pub(super) fn known(commit: &Commit, at: usize) -> Message {
    match &commit.appended[at].verdict {
        Verdict::Known(message) => message.clone(),
        other => panic!("expected a known message, got {other:?}"),
    }
}

pub(super) fn page(cursor: Option<String>, limit: u32) -> Page {
    Page { cursor, limit }
}

/// Everything that a member gets by following the feed from a cursor, in pages.
pub(super) async fn feed(
    messages: &dyn MessageStore,
    user: UserId,
    conversation: ConversationId,
    from: Seq,
    limit: u32,
) -> (Vec<Message>, Seq) {
    let (mut items, mut cursor) = (Vec::new(), from);
    for _ in 0..1_000 {
        let changes = messages.changes(user, conversation, cursor, limit).await.expect("changes");
        let changes = changes.expect("a member");
        assert!(changes.through >= cursor, "a cursor never goes back");
        items.extend(changes.items);
        cursor = changes.through;
        if !changes.has_more {
            return (items, cursor);
        }
    }
    panic!("the feed does not end");
}

pub(super) async fn conversation(
    ports: &HistoryPorts,
    user: UserId,
    id: ConversationId,
) -> Conversation {
    ports.conversations.get(user, id).await.expect("gets").expect("a member")
}

/// What this person wishes at 20 s.
pub(super) async fn change(
    ports: &HistoryPorts,
    user_id: UserId,
    conversation_id: ConversationId,
    seq: i64,
    change: Change,
) -> Result<Changed, ChangeError> {
    let request = ChangeRequest { conversation_id, seq: Seq(seq), user_id, change, at: at(20) };
    ports.changes.change(request).await
}

pub(super) async fn edit(
    ports: &HistoryPorts,
    user: UserId,
    id: ConversationId,
    seq: i64,
    raw: &str,
) -> Changed {
    let wish = Change::edit(text(raw), Vec::new()).expect("an edit");
    change(ports, user, id, seq, wish).await.expect("edits")
}

pub(super) async fn delete(
    ports: &HistoryPorts,
    user: UserId,
    id: ConversationId,
    seq: i64,
) -> Changed {
    change(ports, user, id, seq, Change::Delete).await.expect("deletes")
}

pub(super) fn emoji(raw: &str) -> Emoji {
    Emoji::parse(raw).expect("an emoji")
}

/// That everything up to this number was delivered.
pub(super) fn delivered(id: ConversationId, user_id: UserId, seq: i64) -> ReceiptClaim {
    ReceiptClaim { conversation_id: id, user_id, delivered: Some(Seq(seq)), read: None }
}

/// That everything up to this number was read.
pub(super) fn read(id: ConversationId, user_id: UserId, seq: i64) -> ReceiptClaim {
    ReceiptClaim { conversation_id: id, user_id, delivered: None, read: Some(Seq(seq)) }
}

pub(super) async fn raise(ports: &HistoryPorts, claims: &[ReceiptClaim]) -> Vec<RaisedMarks> {
    ports.receipts.raise(claims).await.expect("raises")
}

pub(super) async fn has_received(ports: &HistoryPorts, id: ConversationId, user: UserId, seq: i64) {
    raise(ports, &[delivered(id, user, seq)]).await;
}

pub(super) async fn has_read(ports: &HistoryPorts, id: ConversationId, user: UserId, seq: i64) {
    raise(ports, &[read(id, user, seq)]).await;
}

/// From now on they share, or do not share, these.
pub(super) async fn shares(
    ports: &HistoryPorts,
    user: UserId,
    share_receipts: bool,
    share_last_seen: bool,
) {
    let settings = SettingsChange {
        share_receipts: Some(share_receipts),
        share_last_seen: Some(share_last_seen),
    };
    let wish = UserChange { settings, ..UserChange::default() };
    ports.users.update(user, wish).await.expect("updates").expect("somebody");
}

/// So many more people with accounts.
pub(super) async fn crowd(ports: &HistoryPorts, size: u32) -> Vec<UserId> {
    let mut people = Vec::new();
    for number in 0..size {
        let id = UserId(Uuid::from_u128(0xCC_0000 + u128::from(number)));
        let session = new_session(id, 1_000 + number);
        let new = new_user(id, &format!("person{number:03}"));
        ports.users.register(new, session).await.expect("registers");
        people.push(id);
    }
    people
}

/// What this person does to a group at 30 s.
pub(super) async fn try_group(
    ports: &HistoryPorts,
    actor_id: UserId,
    conversation_id: ConversationId,
    change: GroupChange,
) -> Result<GroupChanged, GroupError> {
    static DRAWN: AtomicU32 = AtomicU32::new(0);
    let first = u128::from(DRAWN.fetch_add(4, Ordering::SeqCst));
    let message_ids =
        [0, 1, 2, 3].map(|part| ClientId(Uuid::from_u128(0x6E_0000_0000 + first + part)));
    let request = GroupRequest { conversation_id, actor_id, change, message_ids, at: at(30) };
    ports.groups.change(request).await
}

pub(super) async fn change_group(
    ports: &HistoryPorts,
    actor: UserId,
    id: ConversationId,
    change: GroupChange,
) -> GroupChanged {
    try_group(ports, actor, id, change).await.expect("changes")
}

pub(super) async fn give_role(ports: &HistoryPorts, id: ConversationId, user: UserId, role: Role) {
    change_group(ports, ADA, id, GroupChange::SetRole { user_id: user, role }).await;
}

/// Why a change of a group was refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    NotAMember,
    NoSuchMember,
    Unknown(Vec<UserId>),
    Blocked,
    Full,
    TooManyInvites,
    NotAllowed,
    LastOwner,
    Invite(InviteRefusal),
}

pub(super) fn refusal<T: std::fmt::Debug>(outcome: Result<T, GroupError>) -> Refused {
    match outcome.expect_err("it is refused") {
        GroupError::NotAMember => Refused::NotAMember,
        GroupError::NoSuchMember => Refused::NoSuchMember,
        GroupError::UnknownUsers(users) => Refused::Unknown(users),
        GroupError::Blocked => Refused::Blocked,
        GroupError::Full => Refused::Full,
        GroupError::TooManyInvites => Refused::TooManyInvites,
        GroupError::Refused(GroupRefusal::NotAllowed) => Refused::NotAllowed,
        GroupError::Refused(GroupRefusal::LastOwner) => Refused::LastOwner,
        GroupError::Invite(refusal) => Refused::Invite(refusal),
        GroupError::Failure(failure) => panic!("{failure:?}"),
    }
}

/// A conversation as it stands in their list, if it does.
pub(super) async fn listed(
    ports: &HistoryPorts,
    user: UserId,
    id: ConversationId,
) -> Option<ConversationEntry> {
    let (entries, _) = ports.conversations.list(user, page(None, 100)).await.expect("lists");
    entries.into_iter().find(|entry| entry.conversation.id == id)
}

/// Ada's invite with this number, made at 20 s, which expires at 1,000 s.
pub(super) fn new_invite(id: ConversationId, number: u32, max_uses: Option<u32>) -> NewInvite {
    NewInvite {
        id: InviteId(Uuid::from_u128(0x1417_0000 + u128::from(number))),
        conversation_id: id,
        creator_id: ADA,
        digest: digest(0x1417_0000 + number),
        max_uses,
        expires_at: at(1_000),
        created_at: at(20),
    }
}
