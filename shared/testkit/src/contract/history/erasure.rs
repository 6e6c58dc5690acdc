//! `Erasure`.

use domain::{
    ContactRequestId, ConversationId, EmailAddress, EventType, Role, Seq, UserId, limits,
};
use service::port::{
    ContactAsked, ContactError, Erased, GroupChanged, MailPurpose, MembershipCopy, NewMailToken,
    Rotation, TwoFactor,
};
use service::{Identity, Window};
use uuid::Uuid;

use super::ending::erase_all;
use super::scene::*;
use super::{HistoryFixture, HistoryPorts};

fn email(name: &str) -> EmailAddress {
    EmailAddress::parse(&format!("{name}@example.org")).expect("an address")
}

async fn leave_all(ports: &HistoryPorts, user: UserId) -> Vec<GroupChanged> {
    erase_all(&*ports.erasure, user, at(40)).await.expect("erases").1
}

async fn erase(ports: &HistoryPorts, user: UserId) -> Erased {
    erase_all(&*ports.erasure, user, at(40)).await.expect("erases").0
}

/// What the job does once the sockets of these sessions are ended.
async fn forget(ports: &HistoryPorts, erased: &Erased) {
    ports.erasure.forget_sessions(&erased.sessions).await.expect("forgets");
}

async fn residue(ports: &HistoryPorts, user: UserId, name: &str) -> Vec<(&'static str, u64)> {
    ports.erasure.residue(user, &email(name)).await.expect("looks")
}

async fn befriend(ports: &HistoryPorts, one: UserId, other: UserId) {
    for (number, from, to) in [(1, one, other), (2, other, one)] {
        let id = ContactRequestId(Uuid::from_u128(number ^ other.0.as_u128()));
        ports.contacts.ask(id, from, to, at(1)).await.expect("asks");
    }
}

/// Somebody with one of everything.
async fn bob_in_full(fixture: &dyn HistoryFixture) -> HistoryPorts {
    let ports = three_people(fixture).await;
    let people = crowd(&ports, 3).await;
    befriend(&ports, BOB, CLEO).await;
    for (number, from, to) in [(5, BOB, ADA), (6, people[0], BOB)] {
        let id = ContactRequestId(Uuid::from_u128(number));
        let asked = ports.contacts.ask(id, from, to, at(1)).await.expect("asks");
        assert!(matches!(asked, ContactAsked::Asked(_)));
    }
    ports.blocks.block(BOB, people[1], at(1)).await.expect("blocks");
    ports.blocks.block(people[2], BOB, at(1)).await.expect("blocks");
    for (number, purpose) in [(1, MailPurpose::VerifyEmail), (2, MailPurpose::ResetPassword)] {
        let (digest, expires_at) = (digest(0xE000 + number), at(9_999));
        let token = NewMailToken { digest, user_id: BOB, purpose, expires_at };
        ports.mail_tokens.issue(token).await.expect("issues");
    }
    ports.factors.begin(BOB, "sealed").await.expect("begins");
    ports.factors.confirm(BOB, "sealed", 1, &[digest(1)]).await.expect("confirms");
    let group = open_group(&ports, 1, &[BOB, CLEO]).await.conversation.id;
    let direct = open_direct(&ports, ADA, BOB).await.conversation.id;
    append(&ports, &[says(group, BOB, 1), says(direct, BOB, 1)]).await;
    has_read(&ports, group, BOB, 2).await;
    ports
}

pub async fn nothing_personal_is_left(fixture: &dyn HistoryFixture) {
    let ports = bob_in_full(fixture).await;
    assert_ne!(residue(&ports, BOB, "bob").await, []);
    let erased = erase(&ports, BOB).await;
    assert_eq!(residue(&ports, BOB, "bob").await, [("sessions", 1)]);
    forget(&ports, &erased).await;
    assert_eq!(residue(&ports, BOB, "bob").await, []);
    let session = Identity { user_id: BOB, session_id: session_id(1) };
    assert_eq!(erased.sessions, [session]);
    assert!(erased.rows.iter().any(|(_, count)| *count > 0), "{erased:?}");
    let shown = ports.users.user(BOB).await.expect("reads").expect("a deleted user");
    assert_eq!((shown.display_name.as_str(), shown.bio.as_str()), ("Deleted user", ""));
    assert_eq!((shown.avatar_url, shown.email_verified), (None, false));
    assert!(!shown.username.as_str().contains("bob") && shown.email != email("bob"));
    assert_eq!(ports.factors.state(BOB).await.expect("reads"), TwoFactor::Off);
    for other in [ADA, CLEO] {
        let contacts = ports.contacts.contacts(other, page(None, 10)).await.expect("lists").0;
        let requests = ports.contacts.requests(other, page(None, 10)).await.expect("lists").0;
        assert_eq!((contacts.len(), requests.len()), (0, 0));
        assert_ne!(residue(&ports, other, "other").await, [], "others have everything");
    }
}

pub async fn who_is_erased_signs_in_no_more(fixture: &dyn HistoryFixture) {
    let ports = bob_in_full(fixture).await;
    erase(&ports, BOB).await;
    for login in ["bob", "bob@example.org"] {
        assert!(ports.users.credentials(login).await.expect("reads").is_none());
    }
    let shown = ports.users.user(BOB).await.expect("reads").expect("a deleted user");
    for login in [shown.username.as_str(), shown.email.as_str()] {
        assert!(ports.users.credentials(login).await.expect("reads").is_none(), "{login}");
    }
    assert_eq!(ports.passwords.hash_of(BOB).await.expect("reads"), None);
    assert_eq!(ports.users.account(BOB).await.expect("reads"), None);
    let reopened = ports.sessions.open(new_session(BOB, 30), "hash of bob").await;
    assert!(!reopened.expect("answers"));
    assert_eq!(ports.sessions.holder(&digest(1), at(41)).await.expect("reads"), None);
    let owner = ports.mail_tokens.reset_owner(&digest(0xE002), at(41)).await;
    assert_eq!(owner.expect("reads"), None);
    let identity = Identity { user_id: BOB, session_id: session_id(1) };
    assert!(!ports.sessions.is_active(identity).await.expect("reads"));
    let rotated = ports.sessions.rotate(&digest(1), token(20), at(41)).await.expect("answers");
    assert_eq!(rotated, Rotation::Refused);
    let reset = ports.mail_tokens.reset_password(&digest(0xE002), "hash", at(41)).await;
    assert_eq!(reset.expect("answers"), None);
    assert_eq!(ports.directory.list(BOB, at(41)).await.expect("lists"), []);
}

pub async fn an_account_ends_before_its_conversations_are_left(fixture: &dyn HistoryFixture) {
    let ports = bob_in_full(fixture).await;
    let group = conversation_id(1);
    for _ in 0..2 {
        let ended = ports.erasure.end_account(BOB, at(40)).await.expect("ends").sessions;
        assert_eq!(ended, [Identity { user_id: BOB, session_id: session_id(1) }]);
    }
    assert_eq!(ports.users.account(BOB).await.expect("reads"), None);
    assert!(ports.users.credentials("bob").await.expect("reads").is_none());
    assert_eq!(conversation(&ports, ADA, group).await.member_count, 3, "it takes a moment");
    let erased = erase(&ports, BOB).await;
    assert_eq!(erased.sessions, [Identity { user_id: BOB, session_id: session_id(1) }]);
    assert_eq!(conversation(&ports, ADA, group).await.member_count, 2);
    forget(&ports, &erased).await;
    assert_eq!(residue(&ports, BOB, "bob").await, []);
}

pub async fn names_of_the_erased_are_free_again(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    forget(&ports, &erase(&ports, BOB).await).await;
    let again = ports.users.register(new_user(NOBODY, "bob"), new_session(NOBODY, 9)).await;
    assert_eq!(again.expect("registers").id, NOBODY);
    assert_eq!(residue(&ports, BOB, "bob").await, [], "the address is somebody else's now");
}

pub async fn messages_of_the_erased_stay(fixture: &dyn HistoryFixture) {
    let ports = bob_in_full(fixture).await;
    let (group, direct) = (conversation_id(1), domain::direct_conversation_id(ADA, BOB));
    erase(&ports, BOB).await;
    for id in [group, direct] {
        let page = ports.messages.page(ADA, id, Window::Newest, 10).await.expect("reads");
        let items = page.expect("a member").items;
        let said = items.iter().filter_map(|message| message.text.as_ref());
        assert_eq!(said.map(|text| text.as_str()).collect::<Vec<_>>(), ["message 1"]);
        assert!(items.iter().any(|message| message.sender_id == BOB));
        assert_eq!(ports.conversations.get(BOB, id).await.expect("reads"), None);
        assert_eq!(seqs(&append(&ports, &[says(id, BOB, 2)]).await), [None]);
    }
    let page = ports.messages.page(ADA, group, Window::Newest, 1).await.expect("reads");
    let last = page.expect("a member").items.remove(0);
    let event = last.event.expect("an event");
    assert_eq!((event.event_type, event.user_ids), (EventType::MemberLeft, vec![BOB]));
    assert_eq!(conversation(&ports, ADA, group).await.member_count, 2);
    fixture.age(limits::COPY_REPAIR_AFTER * 2).await;
    let copies = ports.upkeep.unconfirmed_copies(100).await.expect("reads");
    for id in [group, direct] {
        let of_bob = |copy: &&service::port::MembershipCopy| {
            (copy.user_id, copy.conversation_id) == (BOB, id)
        };
        let copy = copies.iter().find(of_bob).expect("a copy to write");
        assert!(!copy.is_active && copy.version > Seq(1), "{copy:?}");
    }
}

pub async fn a_group_finds_another_owner(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let with_admin = open_group(&ports, 1, &[BOB, CLEO]).await.conversation.id;
    give_role(&ports, with_admin, CLEO, Role::Admin).await;
    let without = open_group(&ports, 2, &[CLEO]).await.conversation.id;
    let shared = open_group(&ports, 3, &[BOB, CLEO]).await.conversation.id;
    give_role(&ports, shared, BOB, Role::Owner).await;
    erase(&ports, ADA).await;
    for (id, owner) in [(with_admin, CLEO), (without, CLEO), (shared, BOB)] {
        let members = ports.conversations.members(CLEO, id, page(None, 10)).await.expect("reads");
        let members = members.expect("a member").0;
        let owners = members.iter().filter(|member| member.role == Role::Owner);
        assert_eq!(owners.map(|member| member.user_id).collect::<Vec<_>>(), [owner]);
        assert!(members.iter().all(|member| member.user_id != ADA));
    }
}

pub async fn who_stays_can_be_told_of_each_conversation_that_was_left(
    fixture: &dyn HistoryFixture,
) {
    let ports = three_people(fixture).await;
    let group = open_group(&ports, 1, &[BOB, CLEO]).await.conversation.id;
    let alone = open_group(&ports, 2, &[]).await.conversation.id;
    let direct = open_direct(&ports, ADA, BOB).await.conversation.id;
    let changes = leave_all(&ports, ADA).await;
    let mut left: Vec<_> = changes.iter().map(|change| change.conversation.id).collect();
    let mut expected = vec![group, alone, direct];
    left.sort_unstable();
    expected.sort_unstable();
    assert_eq!(left, expected);
    for change in &changes {
        let conversation_id = change.conversation.id;
        let gone = vec![(EventType::MemberLeft, vec![ADA])];
        let heir = [vec![(EventType::RoleChanged, vec![BOB])], gone.clone()].concat();
        let (told, stay) = match conversation_id {
            id if id == group => (heir, vec![BOB, CLEO]),
            id if id == direct => (gone, vec![BOB]),
            _ => (gone, vec![]),
        };
        let event = |message: &domain::Message| {
            let event = message.event.clone().expect("an event");
            (event.event_type, event.user_ids)
        };
        assert_eq!(change.messages.iter().map(event).collect::<Vec<_>>(), told);
        let recipients = change.recipients.iter().map(|recipient| recipient.user_id);
        assert_eq!(recipients.collect::<Vec<_>>(), stay);
        let version = change.messages.last().expect("a message").seq;
        assert_eq!(change.conversation.last_seq, version);
        assert_eq!(change.conversation.member_count as usize, stay.len());
        let copy = MembershipCopy { conversation_id, user_id: ADA, is_active: false, version };
        assert_eq!((&change.gone, &change.copies), (&vec![ADA], &vec![copy]));
    }
}

pub async fn what_is_told_of_an_end_is_owed_no_more(fixture: &dyn HistoryFixture) {
    let ports = bob_in_full(fixture).await;
    let changes = leave_all(&ports, BOB).await;
    assert_eq!(changes.len(), 2);
    fixture.age(limits::COPY_REPAIR_AFTER * 2).await;
    let owed = async || {
        let copies = ports.upkeep.unconfirmed_copies(100).await.expect("reads");
        copies.iter().filter(|copy| copy.user_id == BOB).count()
    };
    assert_eq!(owed().await, 2, "until somebody confirms");
    let copies: Vec<_> = changes.iter().flat_map(|change| change.copies.clone()).collect();
    ports.upkeep.confirm_copies(&copies).await.expect("confirms");
    assert_eq!(owed().await, 0);
    assert_eq!(leave_all(&ports, BOB).await, [], "nothing is told twice");
}

pub async fn conversations_are_left_a_few_at_a_time(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let ids: Vec<ConversationId> = (1..=4).map(conversation_id).collect();
    for number in 1..=4 {
        open_group(&ports, number, &[BOB]).await;
    }
    ports.erasure.end_account(BOB, at(40)).await.expect("ends");
    let mut left = vec![];
    for (most, found, is_last) in [(1, 1, false), (3, 3, false), (3, 0, true)] {
        let round = ports.erasure.leave_some(BOB, most, at(40)).await.expect("leaves");
        assert_eq!((round.changes.len(), round.is_last), (found, is_last));
        left.extend(round.changes.into_iter().map(|change| change.conversation.id));
        let mut still_in = 0;
        for id in &ids {
            still_in += conversation(&ports, ADA, *id).await.member_count - 1;
        }
        assert_eq!(still_in as usize, ids.len() - left.len(), "what is answered is left, no more");
    }
    left.sort_unstable();
    assert_eq!(left, ids);
}

pub async fn the_last_member_may_go(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[]).await.conversation.id;
    ada_says(&ports, id, [1]).await;
    forget(&ports, &erase(&ports, ADA).await).await;
    assert_eq!(ports.conversations.get(ADA, id).await.expect("reads"), None);
    assert_eq!(residue(&ports, ADA, "ada").await, []);
}

pub async fn an_erasure_repeated_changes_nothing(fixture: &dyn HistoryFixture) {
    let ports = bob_in_full(fixture).await;
    erase(&ports, BOB).await;
    let before = conversation(&ports, ADA, conversation_id(1)).await;
    let shown = ports.users.user(BOB).await.expect("reads");
    forget(&ports, &erase(&ports, BOB).await).await;
    assert_eq!(erase(&ports, BOB).await.sessions, []);
    assert_eq!(ports.users.user(BOB).await.expect("reads"), shown);
    assert_eq!(conversation(&ports, ADA, conversation_id(1)).await, before);
    assert_eq!(erase(&ports, NOBODY).await.sessions, [], "nobody is fine");
    assert_eq!(residue(&ports, NOBODY, "nobody").await, []);
}

pub async fn two_erasures_at_once_both_succeed(fixture: &dyn HistoryFixture) {
    let ports = bob_in_full(fixture).await;
    let (one, other) = (fixture.process(), fixture.process());
    let (first, second) = tokio::join!(erase(&one, BOB), erase(&other, BOB));
    let session = Identity { user_id: BOB, session_id: session_id(1) };
    assert!([&first, &second].iter().any(|erased| erased.sessions == [session]));
    forget(&ports, &first).await;
    forget(&ports, &second).await;
    assert_eq!(residue(&ports, BOB, "bob").await, []);
    let (items, _) = feed(&*ports.messages, ADA, conversation_id(1), Seq(0), 100).await;
    let left = |message: &&domain::Message| {
        let event = message.event.as_ref();
        event.is_some_and(|event| event.event_type == EventType::MemberLeft)
    };
    assert_eq!(items.iter().filter(left).count(), 1);
}

pub async fn the_erased_are_neither_found_nor_asked(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    erase(&ports, BOB).await;
    for prefix in ["bo", "de", "deleted"] {
        let found = ports.blocks.search(ADA, prefix, page(None, 10)).await.expect("finds").0;
        assert_eq!(found, [], "{prefix}");
    }
    let id = ContactRequestId(Uuid::from_u128(1));
    let asked = ports.contacts.ask(id, ADA, BOB, at(50)).await;
    assert!(matches!(asked, Err(ContactError::UnknownUser)), "{asked:?}");
    assert!(ports.conversations.open_direct(direct(ADA, BOB)).await.is_err());
    let id = open_group(&ports, 1, &[]).await.conversation.id;
    let added = try_group(&ports, ADA, id, service::port::GroupChange::Add(vec![BOB])).await;
    assert_eq!(refusal(added), Refused::Unknown(vec![BOB]));
}

pub async fn sessions_of_the_erased_are_told_until_they_are_forgotten(
    fixture: &dyn HistoryFixture,
) {
    let ports = three_people(fixture).await;
    for number in [10, 11] {
        open_session(&ports, new_session(BOB, number)).await;
    }
    ports.sessions.revoke(session_id(11), at(2)).await.expect("revokes");
    let of_bob = |number| Identity { user_id: BOB, session_id: session_id(number) };
    for _ in 0..2 {
        let mut ended = erase(&ports, BOB).await.sessions;
        ended.sort_by_key(|identity| identity.session_id);
        assert_eq!(ended, [of_bob(1), of_bob(10)], "those that were active");
        assert!(!ports.sessions.is_active(of_bob(10)).await.expect("reads"));
    }
    let of_ada = Identity { user_id: ADA, session_id: session_id(0) };
    ports.erasure.forget_sessions(&[of_bob(10), of_ada]).await.expect("forgets");
    assert!(ports.sessions.is_active(of_ada).await.expect("reads"), "hers has not ended");
    assert_eq!(erase(&ports, BOB).await.sessions, [of_bob(1)]);
    ports.erasure.forget_sessions(&[]).await.expect("forgets nothing");
}
