//! `GroupStore`: who is in.

use domain::{ConversationId, EventType, GroupRefusal, Message, Role, Seq, UserId, limits};
use service::port::{GroupChange, GroupChanged, GroupError, MembershipCopy};
use service::{Recipient, Window};

use super::scene::*;
use super::{HistoryFixture, HistoryPorts};

fn told(changed: &GroupChanged) -> &Message {
    assert_eq!(changed.messages.len(), 1, "{changed:?}");
    &changed.messages[0]
}

fn in_any_order(mut users: Vec<UserId>) -> Vec<UserId> {
    users.sort();
    users
}

fn recipients(changed: &GroupChanged) -> Vec<UserId> {
    in_any_order(changed.recipients.iter().map(|one| one.user_id).collect())
}

fn copies(changed: &GroupChanged) -> Vec<(UserId, bool, i64)> {
    let copy = |one: &MembershipCopy| (one.user_id, one.is_active, one.version.0);
    let mut copies: Vec<_> = changed.copies.iter().map(copy).collect();
    copies.sort();
    copies
}

async fn seen_by(ports: &HistoryPorts, user: UserId, id: ConversationId) -> Vec<i64> {
    let page = ports.messages.page(user, id, Window::Newest, 100).await.expect("reads");
    page.expect("a member").items.iter().map(|message| message.seq.0).collect()
}

async fn roles(ports: &HistoryPorts, id: ConversationId, as_user: UserId) -> Vec<(UserId, Role)> {
    let members = ports.conversations.members(as_user, id, page(None, 100)).await.expect("reads");
    let members = members.expect("a member").0.into_iter();
    let mut roles: Vec<_> = members.map(|member| (member.user_id, member.role)).collect();
    roles.sort_by_key(|(user, _)| *user);
    roles
}

fn role(user_id: UserId, role: Role) -> GroupChange {
    GroupChange::SetRole { user_id, role }
}

pub async fn who_is_added_sees_what_comes_from_their_joining_on(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[]).await.conversation.id;
    ada_says(&ports, id, 1..=3).await;
    let changed = change_group(&ports, ADA, id, GroupChange::Add(vec![CLEO, BOB])).await;
    let message = told(&changed);
    let event = message.event.as_ref().expect("an event");
    assert_eq!((event.event_type, event.actor_id), (EventType::MembersAdded, ADA));
    assert_eq!(event.user_ids, [CLEO, BOB]);
    assert_eq!((message.seq, message.rev, message.sender_id), (Seq(5), Seq(5), ADA));
    assert_eq!(message.created_at, at(30));
    let conversation = &changed.conversation;
    assert_eq!((conversation.last_seq, conversation.member_count), (Seq(5), 3));
    assert_eq!(recipients(&changed), [ADA, BOB, CLEO]);
    let bob = Recipient { user_id: BOB, joined_seq: Seq(4) };
    assert!(changed.recipients.contains(&bob), "{:?}", changed.recipients);
    assert_eq!(copies(&changed), [(BOB, true, 5), (CLEO, true, 5)]);
    assert_eq!(changed.gone, []);
    assert_eq!(seen_by(&ports, BOB, id).await, [5]);
    let my = listed(&ports, BOB, id).await.expect("it is in the list").my;
    assert_eq!((my.role, my.joined_seq), (Role::Member, Seq(4)));
    assert_eq!((my.delivered, my.read), (Seq(5), Seq(5)));
    assert_eq!(conversation, &super::scene::conversation(&ports, BOB, id).await);
}

pub async fn who_is_added_to_a_group_that_shares_its_history_sees_all_of_it(
    fixture: &dyn HistoryFixture,
) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[]).await.conversation.id;
    ada_says(&ports, id, [1]).await;
    let shared = service::port::GroupEdit { shares_history: Some(true), ..Default::default() };
    change_group(&ports, ADA, id, GroupChange::Edit(shared)).await;
    change_group(&ports, ADA, id, GroupChange::Add(vec![BOB])).await;
    assert_eq!(seen_by(&ports, BOB, id).await, [1, 2, 3, 4]);
    let entry = listed(&ports, BOB, id).await.expect("it is in the list");
    assert_eq!((entry.my.joined_seq, entry.my.read, entry.unread_count), (Seq(0), Seq(4), 0));
}

pub async fn who_is_in_already_stays_as_they_are(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    give_role(&ports, id, BOB, Role::Admin).await;
    let changed = change_group(&ports, ADA, id, GroupChange::Add(vec![BOB, ADA])).await;
    assert_eq!((changed.messages.len(), changed.copies.len(), changed.gone.len()), (0, 0, 0));
    assert_eq!(changed.conversation.last_seq, Seq(2));
    let changed = change_group(&ports, ADA, id, GroupChange::Add(vec![BOB, CLEO])).await;
    assert_eq!(told(&changed).event.as_ref().expect("an event").user_ids, [CLEO]);
    assert_eq!(copies(&changed), [(CLEO, true, 3)]);
    let expected = [(ADA, Role::Owner), (BOB, Role::Admin), (CLEO, Role::Member)];
    assert_eq!(roles(&ports, id, ADA).await, expected);
}

pub async fn who_was_removed_is_out_at_once(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB, CLEO]).await.conversation.id;
    let changed = change_group(&ports, ADA, id, GroupChange::Remove(BOB)).await;
    let event = told(&changed).event.clone().expect("an event");
    assert_eq!((event.event_type, event.actor_id), (EventType::MemberRemoved, ADA));
    assert_eq!((event.user_ids, changed.gone.clone()), (vec![BOB], vec![BOB]));
    assert_eq!(recipients(&changed), [ADA, CLEO]);
    assert_eq!(copies(&changed), [(BOB, false, 2)]);
    assert_eq!(changed.conversation.member_count, 2);
    assert_eq!(ports.conversations.get(BOB, id).await.expect("reads"), None);
    assert_eq!(listed(&ports, BOB, id).await, None);
    assert_eq!(seqs(&append(&ports, &[says(id, BOB, 1)]).await), [None]);
    let again = try_group(&ports, ADA, id, GroupChange::Remove(BOB)).await;
    assert_eq!(refusal(again), Refused::NoSuchMember);
}

pub async fn who_comes_again_begins_anew(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    give_role(&ports, id, BOB, Role::Admin).await;
    change_group(&ports, ADA, id, GroupChange::Remove(BOB)).await;
    ada_says(&ports, id, [1]).await;
    let changed = change_group(&ports, ADA, id, GroupChange::Add(vec![BOB])).await;
    assert_eq!(copies(&changed), [(BOB, true, 5)]);
    let my = listed(&ports, BOB, id).await.expect("it is in the list").my;
    assert_eq!((my.role, my.joined_seq, my.read), (Role::Member, Seq(4), Seq(5)));
    assert_eq!(seen_by(&ports, BOB, id).await, [5]);
}

pub async fn who_leaves_is_told_of_by_themselves(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    let changed = change_group(&ports, BOB, id, GroupChange::Leave).await;
    let event = told(&changed).event.clone().expect("an event");
    assert_eq!((event.event_type, event.actor_id), (EventType::MemberLeft, BOB));
    assert_eq!((event.user_ids, changed.gone.clone()), (vec![BOB], vec![BOB]));
    assert_eq!((recipients(&changed), copies(&changed)), (vec![ADA], vec![(BOB, false, 2)]));
    let again = try_group(&ports, BOB, id, GroupChange::Leave).await;
    assert_eq!(refusal(again), Refused::NotAMember);
}

pub async fn a_role_is_given_and_told(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    let changed = change_group(&ports, ADA, id, role(BOB, Role::Admin)).await;
    let event = told(&changed).event.clone().expect("an event");
    assert_eq!((event.event_type, event.actor_id), (EventType::RoleChanged, ADA));
    assert_eq!((event.user_ids, event.role), (vec![BOB], Some(Role::Admin)));
    assert_eq!((recipients(&changed), changed.gone.len()), (vec![ADA, BOB], 0));
    let again = change_group(&ports, ADA, id, role(BOB, Role::Admin)).await;
    assert_eq!((again.messages.len(), again.conversation.last_seq), (0, Seq(2)));
    assert_eq!(roles(&ports, id, BOB).await, [(ADA, Role::Owner), (BOB, Role::Admin)]);
    // What was told is what one reads later.
    let page = ports.messages.page(BOB, id, Window::Newest, 1).await.expect("reads");
    assert_eq!(page.expect("a member").items, changed.messages);
}

pub async fn a_group_is_handed_over(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    change_group(&ports, ADA, id, role(BOB, Role::Owner)).await;
    change_group(&ports, ADA, id, role(ADA, Role::Member)).await;
    assert_eq!(roles(&ports, id, BOB).await, [(ADA, Role::Member), (BOB, Role::Owner)]);
    change_group(&ports, ADA, id, GroupChange::Leave).await;
    assert_eq!(roles(&ports, id, BOB).await, [(BOB, Role::Owner)]);
}

pub async fn each_role_does_what_it_may(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let people = crowd(&ports, 2).await;
    let id = open_group(&ports, 1, &[BOB, CLEO, people[0]]).await.conversation.id;
    give_role(&ports, id, BOB, Role::Admin).await;
    give_role(&ports, id, people[0], Role::Admin).await;
    let refused = [
        (CLEO, GroupChange::Edit(Default::default())),
        (CLEO, GroupChange::Add(vec![people[1]])),
        (CLEO, GroupChange::Remove(BOB)),
        (CLEO, role(CLEO, Role::Owner)),
        (CLEO, GroupChange::Delete),
        (BOB, GroupChange::Remove(ADA)),
        (BOB, GroupChange::Remove(people[0])),
        (BOB, role(CLEO, Role::Admin)),
        (BOB, role(BOB, Role::Owner)),
        (BOB, GroupChange::Delete),
    ];
    let before = conversation(&ports, ADA, id).await;
    for (actor, change) in refused {
        let outcome = try_group(&ports, actor, id, change.clone()).await;
        assert_eq!(refusal(outcome), Refused::NotAllowed, "{change:?}");
    }
    assert_eq!(conversation(&ports, ADA, id).await, before);
    for (actor, change) in [
        (BOB, GroupChange::Add(vec![people[1]])),
        (BOB, GroupChange::Remove(CLEO)),
        (ADA, GroupChange::Remove(people[0])),
    ] {
        change_group(&ports, actor, id, change).await;
    }
    let expected = [(ADA, Role::Owner), (BOB, Role::Admin), (people[1], Role::Member)];
    assert_eq!(roles(&ports, id, ADA).await, expected);
}

pub async fn an_owner_is_always_left(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    for change in [GroupChange::Leave, role(ADA, Role::Member), role(ADA, Role::Admin)] {
        let outcome = try_group(&ports, ADA, id, change).await;
        assert_eq!(refusal(outcome), Refused::LastOwner);
    }
    assert_eq!(roles(&ports, id, ADA).await, [(ADA, Role::Owner), (BOB, Role::Member)]);
}

async fn two_owners_do(fixture: &dyn HistoryFixture, changes: [GroupChange; 2]) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB, CLEO]).await.conversation.id;
    give_role(&ports, id, BOB, Role::Owner).await;
    let (one, other) = (fixture.process(), fixture.process());
    let [first, second] = changes;
    let (first, second) =
        tokio::join!(try_group(&one, ADA, id, first), try_group(&other, BOB, id, second));
    assert_eq!(usize::from(first.is_ok()) + usize::from(second.is_ok()), 1);
    for outcome in [first, second] {
        let is_expected = matches!(
            outcome,
            Ok(_)
                | Err(GroupError::NotAMember
                    | GroupError::NoSuchMember
                    | GroupError::Refused(GroupRefusal::NotAllowed | GroupRefusal::LastOwner))
        );
        assert!(is_expected, "{outcome:?}");
    }
    let roles = roles(&ports, id, CLEO).await;
    assert_eq!(roles.iter().filter(|(_, role)| *role == Role::Owner).count(), 1, "{roles:?}");
}

pub async fn two_owners_who_leave_at_once_leave_one(fixture: &dyn HistoryFixture) {
    two_owners_do(fixture, [GroupChange::Leave, GroupChange::Leave]).await;
}

pub async fn two_owners_who_demote_each_other_leave_one(fixture: &dyn HistoryFixture) {
    two_owners_do(fixture, [role(BOB, Role::Member), role(ADA, Role::Member)]).await;
}

pub async fn strangers_and_blocked_people_are_not_added(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[]).await.conversation.id;
    let outcome = try_group(&ports, ADA, id, GroupChange::Add(vec![BOB, NOBODY])).await;
    assert_eq!(refusal(outcome), Refused::Unknown(vec![NOBODY]));
    ports.blocks.block(BOB, ADA, at(1)).await.expect("blocks");
    let outcome = try_group(&ports, ADA, id, GroupChange::Add(vec![CLEO, BOB])).await;
    assert_eq!(refusal(outcome), Refused::Blocked);
    assert_eq!(roles(&ports, id, ADA).await, [(ADA, Role::Owner)]);
    ports.blocks.unblock(BOB, ADA).await.expect("unblocks");
    ports.blocks.block(BOB, CLEO, at(1)).await.expect("blocks");
    // A block between two whom somebody else brings together does not matter.
    change_group(&ports, ADA, id, GroupChange::Add(vec![CLEO, BOB])).await;
}

pub async fn a_group_takes_only_so_many(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let most = u32::try_from(limits::MEMBERS_PER_GROUP).expect("a small number");
    let people = crowd(&ports, most).await;
    let id = open_group(&ports, 1, &people[..people.len() - 2]).await.conversation.id;
    let outcome = try_group(&ports, ADA, id, GroupChange::Add(vec![BOB, CLEO])).await;
    assert_eq!(refusal(outcome), Refused::Full);
    change_group(&ports, ADA, id, GroupChange::Add(vec![BOB])).await;
    let outcome = try_group(&ports, ADA, id, GroupChange::Add(vec![CLEO])).await;
    assert_eq!(refusal(outcome), Refused::Full);
    change_group(&ports, ADA, id, GroupChange::Add(vec![BOB, people[0]])).await;
}

pub async fn who_is_no_member_changes_nothing_of_a_group(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    change_group(&ports, ADA, id, GroupChange::Remove(BOB)).await;
    let changes = || {
        [
            GroupChange::Edit(Default::default()),
            GroupChange::Add(vec![NOBODY]),
            GroupChange::Remove(ADA),
            GroupChange::Leave,
            role(ADA, Role::Member),
            GroupChange::Delete,
        ]
    };
    for (actor, id) in [(BOB, id), (CLEO, id), (NOBODY, id), (ADA, conversation_id(99))] {
        for change in changes() {
            let outcome = try_group(&ports, actor, id, change).await;
            assert_eq!(refusal(outcome), Refused::NotAMember);
        }
    }
    for change in [GroupChange::Remove(CLEO), role(NOBODY, Role::Admin)] {
        let outcome = try_group(&ports, ADA, id, change).await;
        assert_eq!(refusal(outcome), Refused::NoSuchMember);
    }
}

pub async fn a_direct_conversation_takes_nobody_in_and_lets_nobody_out(
    fixture: &dyn HistoryFixture,
) {
    let ports = three_people(fixture).await;
    let id = open_direct(&ports, ADA, BOB).await.conversation.id;
    for change in [
        GroupChange::Edit(Default::default()),
        GroupChange::Add(vec![CLEO]),
        GroupChange::Remove(BOB),
        GroupChange::Leave,
        role(BOB, Role::Owner),
        GroupChange::Delete,
    ] {
        let outcome = try_group(&ports, ADA, id, change).await;
        assert_eq!(refusal(outcome), Refused::NotAllowed);
    }
    assert_eq!(conversation(&ports, BOB, id).await.member_count, 2);
}

pub async fn a_change_of_membership_leaves_copies_to_write(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let created = open_group(&ports, 1, &[BOB]).await;
    let id = created.conversation.id;
    let copy = |user_id, is_active, version| MembershipCopy {
        conversation_id: id,
        user_id,
        is_active,
        version: Seq(version),
    };
    ports.upkeep.confirm_copies(&[copy(ADA, true, 1), copy(BOB, true, 1)]).await.expect("writes");
    let removed = change_group(&ports, ADA, id, GroupChange::Remove(BOB)).await;
    let added = change_group(&ports, ADA, id, GroupChange::Add(vec![CLEO])).await;
    fixture.age(limits::COPY_REPAIR_AFTER * 2).await;
    let waiting = || async {
        let mut copies = ports.upkeep.unconfirmed_copies(10).await.expect("reads");
        copies.sort_by_key(|copy| copy.user_id);
        copies
    };
    assert_eq!(waiting().await, [copy(BOB, false, 2), copy(CLEO, true, 3)]);
    ports.upkeep.confirm_copies(&removed.copies).await.expect("confirms");
    assert_eq!(waiting().await, added.copies);
    ports.upkeep.confirm_copies(&added.copies).await.expect("confirms");
    assert_eq!(waiting().await, []);
}

pub async fn members_changed_at_once_are_numbered_without_a_gap(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let people = crowd(&ports, 8).await;
    let id = open_group(&ports, 1, &people).await.conversation.id;
    let mut steps = tokio::task::JoinSet::new();
    for (number, person) in (1..).zip(people.clone()) {
        let (one, other) = (fixture.process(), fixture.process());
        steps.spawn(async move {
            change_group(&one, person, id, GroupChange::Leave).await;
        });
        steps.spawn(async move {
            append(&other, &[says(id, ADA, number)]).await;
        });
    }
    steps.join_all().await;
    assert_eq!(seen_by(&ports, ADA, id).await, (1..=17).collect::<Vec<_>>());
    assert_eq!(roles(&ports, id, ADA).await, [(ADA, Role::Owner)]);
}
