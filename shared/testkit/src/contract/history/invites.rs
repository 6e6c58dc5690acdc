//! `InviteStore`, and joining by an invite.

use domain::{ConversationId, EventType, Role, Seq, UserId, limits};
use service::port::{
    GroupChange, GroupChanged, GroupError, Invite, InvitePreview, InviteRefusal, NewInvite,
};

use super::scene::*;
use super::{HistoryFixture, HistoryPorts};

async fn make(ports: &HistoryPorts, invite: &NewInvite) -> Invite {
    ports.invites.create(invite.clone()).await.expect("makes an invite")
}

async fn join(
    ports: &HistoryPorts,
    user: UserId,
    invite: &NewInvite,
) -> Result<GroupChanged, GroupError> {
    let change = GroupChange::Join { digest: invite.digest.clone() };
    try_group(ports, user, conversation_id(0), change).await
}

async fn preview(
    ports: &HistoryPorts,
    user: UserId,
    invite: &NewInvite,
) -> Result<InvitePreview, GroupError> {
    ports.invites.preview(user, &invite.digest, at(30)).await
}

async fn list(ports: &HistoryPorts, id: ConversationId) -> Vec<Invite> {
    ports.invites.list(ADA, id, at(30)).await.expect("lists")
}

pub async fn an_invite_is_listed_as_it_was_made(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[]).await.conversation.id;
    let other = open_group(&ports, 2, &[]).await.conversation.id;
    let new = new_invite(id, 1, Some(3));
    let made = make(&ports, &new).await;
    assert_eq!((made.id, made.creator_id, made.uses), (new.id, ADA, 0));
    assert_eq!((made.max_uses, made.expires_at), (Some(3), at(1_000)));
    assert_eq!((made.created_at, made.revoked_at), (at(20), None));
    let later = NewInvite { created_at: at(21), ..new_invite(id, 2, None) };
    let later = make(&ports, &later).await;
    assert_eq!(later.max_uses, None);
    assert_eq!(list(&ports, id).await, [later, made]);
    assert_eq!(list(&ports, other).await, []);
}

pub async fn only_leaders_have_to_do_with_invites(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    let direct = open_direct(&ports, ADA, BOB).await.conversation.id;
    let new = new_invite(id, 1, None);
    make(&ports, &new).await;
    let asked = [
        (BOB, id, Refused::NotAllowed),
        (CLEO, id, Refused::NotAMember),
        (ADA, conversation_id(99), Refused::NotAMember),
        (ADA, direct, Refused::NotAllowed),
    ];
    for (creator_id, conversation_id, expected) in asked {
        let wish = NewInvite { creator_id, ..new_invite(conversation_id, 2, None) };
        assert_eq!(refusal(ports.invites.create(wish).await), expected);
        assert_eq!(
            refusal(ports.invites.list(creator_id, conversation_id, at(30)).await),
            expected
        );
        let revoked = ports.invites.revoke(creator_id, conversation_id, new.id, at(30)).await;
        assert_eq!(refusal(revoked), expected);
    }
    give_role(&ports, id, BOB, Role::Admin).await;
    let wish = NewInvite { creator_id: BOB, ..new_invite(id, 2, None) };
    make(&ports, &wish).await;
    ports.invites.revoke(BOB, id, new.id, at(30)).await.expect("an admin revokes");
    assert_eq!(list(&ports, id).await.len(), 1);
}

pub async fn who_accepts_is_in_and_counted(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[]).await.conversation.id;
    ada_says(&ports, id, [1]).await;
    let new = new_invite(id, 1, Some(2));
    make(&ports, &new).await;
    let joined = join(&ports, BOB, &new).await.expect("joins");
    assert_eq!((joined.conversation.id, joined.conversation.member_count), (id, 2));
    assert_eq!(joined.messages.len(), 1);
    let event = joined.messages[0].event.clone().expect("an event");
    assert_eq!((event.event_type, event.actor_id), (EventType::MemberJoined, BOB));
    assert_eq!((event.user_ids, joined.messages[0].seq), (vec![BOB], Seq(3)));
    assert_eq!((joined.copies.len(), joined.copies[0].is_active), (1, true));
    let my = listed(&ports, BOB, id).await.expect("it is in the list").my;
    assert_eq!((my.role, my.joined_seq, my.read), (Role::Member, Seq(2), Seq(3)));
    assert_eq!(list(&ports, id).await[0].uses, 1);
    // A block does not matter: they come by themselves.
    ports.blocks.block(ADA, CLEO, at(1)).await.expect("blocks");
    join(&ports, CLEO, &new).await.expect("joins");
    assert_eq!(list(&ports, id).await[0].uses, 2);
}

pub async fn who_is_in_already_uses_nothing(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[]).await.conversation.id;
    let new = new_invite(id, 1, Some(1));
    make(&ports, &new).await;
    let owner = join(&ports, ADA, &new).await.expect("is in");
    assert_eq!((owner.messages.len(), owner.copies.len()), (0, 0));
    join(&ports, BOB, &new).await.expect("joins");
    // A repeat whose answer was lost.
    let again = join(&ports, BOB, &new).await.expect("is in");
    assert_eq!((again.messages.len(), again.conversation.member_count), (0, 2));
    assert_eq!(list(&ports, id).await[0].uses, 1);
    assert_eq!(listed(&ports, ADA, id).await.expect("listed").my.role, Role::Owner);
}

pub async fn of_two_who_take_the_last_use_at_once_one_is_in(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[]).await.conversation.id;
    let new = new_invite(id, 1, Some(1));
    make(&ports, &new).await;
    let (one, other) = (fixture.process(), fixture.process());
    let (first, second) = tokio::join!(join(&one, BOB, &new), join(&other, CLEO, &new));
    assert_eq!(usize::from(first.is_ok()) + usize::from(second.is_ok()), 1);
    let refused = if first.is_ok() { second } else { first };
    assert_eq!(refusal(refused), Refused::Invite(InviteRefusal::UsedUp));
    assert_eq!(conversation(&ports, ADA, id).await.member_count, 2);
    assert_eq!(list(&ports, id).await[0].uses, 1);
}

pub async fn an_invite_opens_nothing_when_it_is_over(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[]).await.conversation.id;
    let expired = NewInvite { expires_at: at(30), ..new_invite(id, 1, None) };
    let used_up = new_invite(id, 2, Some(1));
    let unknown = new_invite(id, 3, None);
    for invite in [&expired, &used_up] {
        make(&ports, invite).await;
    }
    join(&ports, CLEO, &used_up).await.expect("joins");
    let cases = [
        (&expired, InviteRefusal::Expired),
        (&used_up, InviteRefusal::UsedUp),
        (&unknown, InviteRefusal::Unknown),
    ];
    for (invite, why) in cases {
        assert_eq!(refusal(join(&ports, BOB, invite).await), Refused::Invite(why));
        assert_eq!(refusal(preview(&ports, BOB, invite).await), Refused::Invite(why));
    }
    for digest in ["", "\u{0}", "' OR 1=1 --", &"f".repeat(100_000)] {
        let invite = NewInvite { digest: digest.to_owned(), ..unknown.clone() };
        let why = Refused::Invite(InviteRefusal::Unknown);
        assert_eq!(refusal(join(&ports, BOB, &invite).await), why);
        assert_eq!(refusal(preview(&ports, BOB, &invite).await), why);
    }
    assert_eq!(conversation(&ports, ADA, id).await.member_count, 2);
    assert_eq!(list(&ports, id).await.len(), 2, "what is over is still listed");
}

pub async fn a_revoked_invite_is_not_listed_and_opens_nothing(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[]).await.conversation.id;
    let other = open_group(&ports, 2, &[]).await.conversation.id;
    let new = NewInvite { expires_at: at(25), ..new_invite(id, 1, None) };
    make(&ports, &new).await;
    let elsewhere = ports.invites.revoke(ADA, other, new.id, at(30)).await;
    assert_eq!(refusal(elsewhere), Refused::Invite(InviteRefusal::Unknown));
    for _ in 0..2 {
        ports.invites.revoke(ADA, id, new.id, at(30)).await.expect("revokes");
    }
    assert_eq!(list(&ports, id).await, []);
    // It has expired too; that it was taken back comes first.
    let why = Refused::Invite(InviteRefusal::Revoked);
    assert_eq!(refusal(join(&ports, BOB, &new).await), why);
    let lasting = new_invite(id, 2, None);
    make(&ports, &lasting).await;
    change_group(&ports, ADA, id, GroupChange::Delete).await;
    assert_eq!(refusal(join(&ports, BOB, &lasting).await), why, "the group is gone");
    assert_eq!(refusal(preview(&ports, BOB, &lasting).await), why, "the group is gone");
}

pub async fn a_preview_shows_what_one_would_join(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    let new = new_invite(id, 1, Some(1));
    make(&ports, &new).await;
    for (user, is_member) in [(CLEO, false), (BOB, true), (NOBODY, false)] {
        let shown = preview(&ports, user, &new).await.expect("shows");
        assert_eq!((shown.conversation_id, shown.title.as_str()), (id, "Group 1"));
        assert_eq!((shown.member_count, shown.is_member), (2, is_member));
        assert_eq!((shown.description, shown.avatar_url), (None, None));
    }
    assert_eq!(list(&ports, id).await[0].uses, 0, "looking uses nothing");
}

pub async fn a_group_has_only_so_many_open_invites(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[]).await.conversation.id;
    let most = u32::try_from(limits::INVITES_PER_GROUP).expect("a small number");
    let short = NewInvite { expires_at: at(21), ..new_invite(id, 0, None) };
    make(&ports, &short).await;
    for number in 1..most {
        make(&ports, &new_invite(id, number, None)).await;
    }
    let full = ports.invites.create(new_invite(id, most, None)).await;
    assert_eq!(refusal(full), Refused::TooManyInvites);
    // One that expired makes room.
    let later = NewInvite { created_at: at(22), ..new_invite(id, most, None) };
    make(&ports, &later).await;
    let listed = list(&ports, id).await;
    assert_eq!((listed.len(), listed[0].id), (limits::INVITES_PER_GROUP, later.id));
    let full = NewInvite { created_at: at(23), ..new_invite(id, most + 1, None) };
    assert_eq!(refusal(ports.invites.create(full.clone()).await), Refused::TooManyInvites);
    ports.invites.revoke(ADA, id, later.id, at(23)).await.expect("revokes");
    make(&ports, &full).await;
}

pub async fn who_was_removed_may_come_back_by_an_invite_of_somebody_else(
    fixture: &dyn HistoryFixture,
) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    let elsewhere = open_group(&ports, 2, &[BOB]).await.conversation.id;
    for id in [id, elsewhere] {
        give_role(&ports, id, BOB, Role::Admin).await;
    }
    let new = new_invite(id, 1, None);
    let own = NewInvite { creator_id: BOB, ..new_invite(id, 2, None) };
    let other = NewInvite { creator_id: BOB, ..new_invite(elsewhere, 3, None) };
    for invite in [&new, &own, &other] {
        make(&ports, invite).await;
    }
    let removed = change_group(&ports, ADA, id, GroupChange::Remove(BOB)).await;
    for user in [BOB, CLEO] {
        let why = Refused::Invite(InviteRefusal::Revoked);
        assert_eq!(refusal(join(&ports, user, &own).await), why);
    }
    preview(&ports, CLEO, &other).await.expect("those of other groups stay");
    let joined = join(&ports, BOB, &new).await.expect("joins");
    assert!(joined.copies[0].version > removed.copies[0].version);
    assert_eq!(conversation(&ports, BOB, id).await.member_count, 2);
}

pub async fn open_invites_are_listed_before_those_that_are_over(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    give_role(&ports, id, BOB, Role::Admin).await;
    let lasting = NewInvite { creator_id: BOB, ..new_invite(id, 0, None) };
    let once = new_invite(id, 1, Some(1));
    for invite in [&lasting, &once] {
        make(&ports, invite).await;
    }
    join(&ports, CLEO, &once).await.expect("joins");
    let most = u32::try_from(limits::INVITES_PER_GROUP).expect("a small number");
    for number in 2..most + 2 {
        let (created_at, expires_at) = (at(21 + u64::from(number)), at(22 + u64::from(number)));
        make(&ports, &NewInvite { created_at, expires_at, ..new_invite(id, number, None) }).await;
    }
    let listed = ports.invites.list(ADA, id, at(500)).await.expect("lists");
    assert_eq!((listed.len(), listed[0].id), (limits::INVITES_PER_GROUP, lasting.id));
    assert_eq!(listed[1].id, new_invite(id, most + 1, None).id, "then the newest");
    // Who leaves by themselves leaves their invites open.
    change_group(&ports, BOB, id, GroupChange::Leave).await;
    preview(&ports, BOB, &lasting).await.expect("it is open");
}
