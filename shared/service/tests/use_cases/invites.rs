//! Invites: tokens that are kept as digests, that end, and that cannot be guessed.

use std::time::Duration;

use domain::{ConversationId, limits};
use service::port::{Clock, Entropy, Erasure, GroupChange};
use service::{Caller, Error, Event, InviteTerms, MadeInvite};
use testkit::world::World;

use crate::steps::{code, fan_out};

async fn scene() -> (World, Caller, Caller, ConversationId) {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let id = world.group(ada, &[]).await;
    (world, ada, bob, id)
}

async fn make(world: &World, who: Caller, id: ConversationId, terms: InviteTerms) -> MadeInvite {
    world.invites().create(who, id, terms).await.unwrap()
}

#[tokio::test]
async fn who_accepts_is_in_and_everybody_hears_of_it() {
    let (world, ada, bob, id) = scene().await;
    let socket = world.socket(ada, "ada").await;
    let made = make(&world, ada, id, InviteTerms::default()).await;
    let preview = world.invites().preview(bob, &made.token).await.unwrap();
    assert_eq!((preview.conversation_id, preview.member_count), (id, 1));
    assert!(!preview.is_member);
    let joined = world.admissions().accept(bob, &made.token).await.unwrap();
    assert_eq!((joined.id, joined.member_count), (id, 2));
    fan_out(&world).await;
    let heard = world.pusher.heard_by(&socket);
    assert!(
        matches!(heard[..], [Event::ConversationChanged { .. }, Event::MessagesNew { .. }]),
        "{heard:?}"
    );
    assert!(world.invites().preview(bob, &made.token).await.unwrap().is_member);
}

#[tokio::test]
async fn a_token_is_kept_as_a_digest_and_the_digest_opens_nothing() {
    let (world, ada, bob, id) = scene().await;
    let made = make(&world, ada, id, InviteTerms::default()).await;
    let listed = world.invite_book().list(ada, id).await.unwrap();
    assert!(!format!("{listed:?}").contains(&made.token));
    let digest = world.entropy.digest(&made.token);
    for token in [digest.as_str(), "", "nonsense", "\u{0}", &"x".repeat(100_000)] {
        let error = world.admissions().accept(bob, token).await.unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
        assert_eq!(code(&error), "invite_not_found");
    }
}

#[tokio::test]
async fn an_invite_that_is_over_is_gone_and_says_why() {
    let (world, ada, bob, id) = scene().await;
    let (cleo, short) = (world.person("cleo").await, Some(Duration::from_secs(60)));
    let once = InviteTerms { max_uses: Some(1), expires_in: None };
    let used_up = make(&world, ada, id, once).await;
    world.admissions().accept(cleo, &used_up.token).await.unwrap();
    let revoked = make(&world, ada, id, InviteTerms::default()).await;
    world.invite_book().revoke(ada, id, revoked.invite.id).await.unwrap();
    let expired = make(&world, ada, id, InviteTerms { max_uses: None, expires_in: short }).await;
    world.clock.advance(Duration::from_secs(60));
    let cases =
        [(used_up, "invite_used_up"), (revoked, "invite_revoked"), (expired, "invite_expired")];
    for (made, expected) in cases {
        for error in [
            world.admissions().accept(bob, &made.token).await.unwrap_err(),
            world.invites().preview(bob, &made.token).await.unwrap_err(),
        ] {
            assert!(matches!(error, Error::Gone { .. }), "{error:?}");
            assert_eq!(code(&error), expected);
        }
    }
    assert_eq!(world.history.active_members(id).len(), 2);
}

#[tokio::test]
async fn who_repeats_an_accept_whose_answer_was_lost_is_in() {
    let (world, ada, bob, id) = scene().await;
    let once = InviteTerms { max_uses: Some(1), expires_in: None };
    let made = make(&world, ada, id, once).await;
    for _ in 0..2 {
        assert_eq!(world.admissions().accept(bob, &made.token).await.unwrap().member_count, 2);
    }
    assert_eq!(world.invite_book().list(ada, id).await.unwrap()[0].uses, 1);
}

#[tokio::test]
async fn an_invite_lives_a_week_unless_its_maker_says_and_never_longer_than_a_year() {
    let (world, ada, _, id) = scene().await;
    let now = testkit::ambient::at_ms(0);
    let day = Duration::from_secs(24 * 3_600);
    for (wish, expected) in [(None, day * 7), (Some(day), day), (Some(day * 4_000), day * 365)] {
        let terms = InviteTerms { max_uses: None, expires_in: wish };
        let made = make(&world, ada, id, terms).await;
        assert_eq!(made.invite.expires_at, now.plus(expected));
    }
}

#[tokio::test]
async fn invites_are_for_leaders() {
    let (world, ada, bob, id) = scene().await;
    let made = make(&world, ada, id, InviteTerms::default()).await;
    world.admissions().accept(bob, &made.token).await.unwrap();
    let error = world.invites().create(bob, id, InviteTerms::default()).await.unwrap_err();
    assert_eq!(code(&error), "not_allowed");
    let error = world.invite_book().list(bob, id).await.unwrap_err();
    assert_eq!(code(&error), "not_allowed");
    let error = world.invite_book().revoke(bob, id, made.invite.id).await.unwrap_err();
    assert_eq!(code(&error), "not_allowed");
    world.groups().change(ada, id, GroupChange::Remove(bob.user_id())).await.unwrap();
    let error = world.invite_book().list(bob, id).await.unwrap_err();
    assert_eq!(code(&error), "conversation_not_found");
}

#[tokio::test]
async fn nobody_guesses_or_makes_invites_without_end() {
    let (world, ada, bob, id) = scene().await;
    for _ in 0..limits::INVITES_PER_HOUR {
        // Slowly enough for the limit of messages, which joining counts for as well.
        world.clock.advance(Duration::from_millis(200));
        let error = world.admissions().accept(bob, "a guess").await.unwrap_err();
        assert_eq!(code(&error), "invite_not_found");
        let made = make(&world, ada, id, InviteTerms::default()).await;
        world.invite_book().revoke(ada, id, made.invite.id).await.unwrap();
    }
    for error in [
        world.admissions().accept(bob, "a guess").await.unwrap_err(),
        world.invites().preview(bob, "a guess").await.unwrap_err(),
        world.invites().create(ada, id, InviteTerms::default()).await.unwrap_err(),
    ] {
        assert!(matches!(error, Error::TooMany { retry_after_ms: 1.. }), "{error:?}");
    }
    world.clock.advance(Duration::from_secs(3_600));
    make(&world, ada, id, InviteTerms::default()).await;
}

#[tokio::test]
async fn a_group_with_too_many_open_invites_makes_no_more() {
    let (world, ada, _, id) = scene().await;
    let forever = || InviteTerms { max_uses: None, expires_in: Some(limits::INVITE_LIFETIME_MAX) };
    for _ in 0..limits::INVITES_PER_GROUP {
        world.clock.advance(Duration::from_secs(60));
        make(&world, ada, id, forever()).await;
    }
    world.clock.advance(Duration::from_secs(60));
    let error = world.invites().create(ada, id, forever()).await.err().unwrap();
    assert!(matches!(error, Error::Conflict { .. }), "{error:?}");
    assert_eq!(code(&error), "too_many_invites");
}

#[tokio::test]
async fn who_has_ended_their_account_joins_nothing_with_a_token_that_is_still_out() {
    let (world, ada, bob, id) = scene().await;
    let made = make(&world, ada, id, InviteTerms::default()).await;
    world.history.end_account(bob.user_id(), world.clock.now()).await.unwrap();
    let error = world.admissions().accept(bob, &made.token).await.unwrap_err();
    assert_eq!(code(&error), "unauthenticated");
    assert_eq!(world.invite_book().list(ada, id).await.unwrap()[0].uses, 0);
}
