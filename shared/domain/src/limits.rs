//! Every limit of Confab on one page, each with its reason.

use std::time::Duration;

/// Long enough to be told apart, short enough for a line in a list.
pub const USERNAME_CHARACTERS: std::ops::RangeInclusive<usize> = 3..=32;
/// The longest address that SMTP can carry (RFC 5321, 4.5.3.1.3).
pub const EMAIL_MAX_BYTES: usize = 254;
/// At least what NIST SP 800-63B asks for; the upper end bounds the work of hashing.
pub const PASSWORD_CHARACTERS: std::ops::RangeInclusive<usize> = 8..=256;
/// A line on a phone.
pub const DISPLAY_NAME_CHARACTERS: std::ops::RangeInclusive<usize> = 1..=64;
/// A few lines of text about oneself.
pub const BIO_MAX_CHARACTERS: usize = 512;
/// A line at the top of a conversation.
pub const TITLE_CHARACTERS: std::ops::RangeInclusive<usize> = 1..=128;
/// A paragraph about what a group is for.
pub const DESCRIPTION_CHARACTERS: std::ops::RangeInclusive<usize> = 1..=1_024;
/// What browsers and caches take.
pub const URL_MAX_BYTES: usize = 2_048;
/// The name of a device as a person would say it.
pub const DEVICE_NAME_MAX_CHARACTERS: usize = 64;

/// One message must fit one frame with its envelope.
pub const MESSAGE_TEXT_BYTES: std::ops::RangeInclusive<usize> = 1..=8_000;
/// Messages of one frame: what one SQS job and one transaction carry at once.
pub const MESSAGES_PER_FRAME: usize = 10;
/// API Gateway bills and limits in units of 32 KB; the rest is for the envelope.
pub const FRAME_MAX_BYTES: usize = 30_720;
/// People named in one message.
pub const MENTIONS_PER_MESSAGE: usize = 50;
/// Files of one message.
pub const ATTACHMENTS_PER_MESSAGE: usize = 10;

/// Bytes of one reaction; the longest family of four with skin tones has 41.
pub const EMOJI_MAX_BYTES: usize = 64;
/// Different emoji on one message: what a line below it can show.
pub const EMOJI_PER_MESSAGE: usize = 20;
/// People named under one emoji; all of them have a list of their own.
pub const USERS_PER_REACTION: usize = 20;

/// Members of one group: what one fan-out reaches in seconds.
pub const MEMBERS_PER_GROUP: usize = 1_000;
/// Open sockets of one user; the eleventh ends the oldest with `bye`.
pub const SOCKETS_PER_USER: usize = 10;

/// Sessions of one user that have not ended; one more ends the one that was not used for the
/// longest time. Who signs in again and again so does not make ending them all take for ever.
pub const SESSIONS_PER_USER: usize = 100;
const _: () = assert!(SESSIONS_PER_USER <= PAGE_MAX as usize, "all are listed");

/// Messages a user may send in a second, after the burst is spent.
pub const MESSAGES_PER_SECOND: u32 = 5;
/// Messages a user may send at once.
pub const MESSAGES_BURST: u32 = 20;

/// What is looked for when one looks for people: less finds half of them.
pub const SEARCH_CHARACTERS: std::ops::RangeInclusive<usize> = 2..=64;
/// Sign-ins of one address, and of one account, in a minute.
pub const LOGINS_PER_MINUTE: u32 = 10;
/// Accounts that one address makes in an hour.
pub const REGISTRATIONS_PER_HOUR: u32 = 20;
/// Mails that one address or one account asks for in an hour.
pub const MAILS_PER_HOUR: u32 = 5;
/// Tickets that one user takes in a minute: ten sockets that all reconnect, and some.
pub const TICKETS_PER_MINUTE: u32 = 60;
/// Invites that one user makes in an hour, and tries that they have to guess one.
pub const INVITES_PER_HOUR: u32 = 60;
/// Conversations that one user opens in an hour. Repeats count: they are told to members again.
pub const CONVERSATIONS_PER_HOUR: u32 = 120;
/// So many people named at an opening count as one opening more: six crowds an hour.
pub const NAMED_PER_OPENING: usize = 50;
/// Contact requests that one user sends in an hour.
pub const CONTACT_REQUESTS_PER_HOUR: u32 = 60;
/// Searches for people by one user in a minute: somebody who types, and no walk along everybody.
pub const SEARCHES_PER_MINUTE: u32 = 60;
/// Display names that one search looks at; who types another letter sees the others.
pub const NAMES_PER_SEARCH: usize = 1_000;
/// Parts of exports that one user takes in a minute: 24,000 messages.
pub const EXPORT_PARTS_PER_MINUTE: u32 = 120;
/// A verification mail may lie in an inbox over a weekend.
pub const EMAIL_TOKEN_LIFETIME: Duration = Duration::from_secs(3 * 24 * 3600);
/// A reset is asked for by somebody who waits for it.
pub const PASSWORD_TOKEN_LIFETIME: Duration = Duration::from_secs(3600);
/// One-time codes count in steps of this; one step early or late is a slow clock.
pub const TOTP_STEP: Duration = Duration::from_secs(30);
/// Codes that one account tries in an hour. Of a million, three are right at a time: who knows the
/// password guesses one in two years, and not in three weeks as at ten a minute.
pub const CODES_PER_HOUR: u32 = 30;
/// Codes for who has lost the device that makes the others.
pub const RECOVERY_CODES: usize = 10;
/// Invites of one group that are open at the same time.
pub const INVITES_PER_GROUP: usize = 100;
/// An invite lives a week when its maker does not say, and at most a year.
pub const INVITE_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);
pub const INVITE_LIFETIME_MAX: Duration = Duration::from_secs(365 * 24 * 3600);
/// Contact requests that wait from one person, and for one person.
pub const CONTACT_REQUESTS_WAITING: usize = 1_000;
/// People whom one person knows, and those whom they have blocked.
pub const CONTACTS_PER_USER: usize = 5_000;
pub const BLOCKS_PER_USER: usize = 5_000;
/// Statuses that a user sets and screens that they watch in a second, after the burst is spent.
pub const SIGNALS_PER_SECOND: u32 = 5;
/// Those at once: ten sockets that open together say their status, and their screens are watched.
pub const SIGNALS_BURST: u32 = 50;

/// One typing frame of a user goes on in this time; others are dropped.
pub const TYPING_INTERVAL: Duration = Duration::from_secs(3);
/// How long "is typing" is shown without another frame: two intervals, so that one may be lost.
pub const TYPING_LIFETIME: Duration = Duration::from_secs(6);
/// Members whose sockets are looked for when somebody types: one BatchGetItem.
pub const TYPING_MEMBERS: usize = 100;
/// Members who are told that somebody types.
pub const TYPING_AUDIENCE: usize = 20;

/// People that one frame watches, or one request asks for.
pub const PRESENCES_PER_REQUEST: usize = 50;
/// A watch ends by itself; a client renews it for what is on its screen.
pub const WATCH_LIFETIME: Duration = Duration::from_secs(90);
/// Sockets that are told of one person's presence.
pub const WATCHERS_PER_USER: usize = 1_000;
/// A person whose last socket ended is offline after this: a reconnect takes less.
pub const OFFLINE_GRACE: Duration = Duration::from_secs(15);

/// Receipts of one batch: one UPDATE (SQS gives a standard queue's worker at most 10,000).
pub const RECEIPTS_PER_BATCH: usize = 100;
/// Authors who are told of one receipt: those of the newest messages that it covers.
pub const RECEIPT_AUTHORS: usize = 50;
/// Of who was away for a year, the authors of so many of the newest messages are looked for: a
/// receipt must not read a whole history.
pub const RECEIPT_MESSAGES: usize = 1_000;

/// The feed of changes begins this long before the database's time: no commit can land behind
/// it, since the database ends statements and idle transactions after ten seconds.
pub const SYNC_OVERLAP: Duration = Duration::from_secs(30);
/// A device that was away for longer begins with everything.
pub const SYNC_CURSOR_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

/// A member is behind when nothing was delivered for this long after a change.
pub const NUDGE_AFTER: Duration = Duration::from_secs(20);
/// Nobody is nudged for what is older than this: the next heartbeat told it.
pub const NUDGE_UNTIL: Duration = Duration::from_secs(600);
/// Nudges of a member while nothing more is delivered to them: who is offline costs no more.
pub const NUDGES_IN_VAIN: u32 = 3;
/// Members that one sweep nudges, and membership copies that it repairs.
pub const SWEEP_BATCH: usize = 1_000;
/// Traces that one statement forgets: well within the ten seconds of a statement.
pub const TRACES_PER_ROUND: usize = 20_000;
/// Such rounds of one sweep: 3,000 notes a second are forgotten as fast as they are left.
pub const TRACE_ROUNDS_PER_SWEEP: usize = 10;
/// A copy that is not written after this long is repaired by the sweep.
pub const COPY_REPAIR_AFTER: Duration = Duration::from_secs(20);
/// How long it is known when a message was pushed, delivered and read.
pub const TRACE_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);

/// A session that was revoked, or not used, for this long is forgotten, and an invite or a token
/// that is over: much longer than a refresh token lives, whose reuse must be noticed.
pub const ENDED_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);
const _: () = assert!(ENDED_LIFETIME.as_secs() > 2 * REFRESH_TOKEN_LIFETIME.as_secs());
/// Of each of these, as many as one statement forgets: a session used all week leaves some 700
/// tokens, which go with it.
pub const ENDED_PER_ROUND: usize = 200;
/// Such rounds of one sweep.
pub const ENDED_ROUNDS_PER_SWEEP: usize = 5;

/// The highest count of unread messages: it means that many or more, as no screen shows more.
pub const UNREAD_MOST: u32 = 1_000;
/// Messages beyond one's mark that are looked at to count them: who is away for a year, or wrote
/// most of it themselves, must not make a list read whole histories.
pub const UNREAD_LOOKED_AT: u32 = 5_000;
/// Items of a list when the client does not say.
pub const PAGE_DEFAULT: u32 = 50;
/// Items of a list at the most.
pub const PAGE_MAX: u32 = 200;
/// Messages of one answer, as Lambda writes them; it answers at most 6 MB.
pub const ANSWER_ITEMS_MAX_BYTES: usize = 4_194_304;
/// Conversations of one answer: with the largest last message each, they stay below 6 MB.
pub const CONVERSATIONS_PER_ANSWER: u32 = 100;
/// Cursors that one heartbeat carries.
pub const CURSORS_PER_HEARTBEAT: usize = 200;

/// An access token is not looked up on every call, so it must be short-lived.
pub const ACCESS_TOKEN_LIFETIME: Duration = Duration::from_secs(15 * 60);
/// A device that was away for a week signs in again.
pub const REFRESH_TOKEN_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);
/// A spent refresh token may be used again this long: its answer may have been lost.
pub const REFRESH_SIBLING_WINDOW: Duration = Duration::from_secs(10);
/// A ticket lives only from the request to the upgrade.
pub const TICKET_LIFETIME: Duration = Duration::from_secs(30);
/// Public keys are fetched again for an unknown `kid` at most this often: after a new key, nobody
/// is turned away for longer.
pub const KEY_REFETCH_INTERVAL: Duration = Duration::from_secs(5);
/// Known public keys are fetched again when they are this old: a key whose secret leaked must not
/// live as long as a process does.
pub const KEY_CACHE_LIFETIME: Duration = Duration::from_secs(60);

/// What a client is asked to keep: well within API Gateway's ten idle minutes.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(240);
/// A connection without a heartbeat for 2.2 intervals counts as gone.
pub const CONNECTION_LEASE: Duration = Duration::from_secs(528);
/// API Gateway ends a socket after two hours; the row may outlive it by one.
pub const CONNECTION_RECORD_LIFETIME: Duration = Duration::from_secs(3 * 3600);
/// A socket this old is asked to make way for the next, well before the two hours are over.
pub const BYE_AFTER: Duration = Duration::from_secs(105 * 60);
/// The next socket is opened within this part of [`BYE_AFTER`], so that not all come at once.
pub const RECONNECT_SPREAD: u32 = 105;
/// During `$connect` the row exists before the socket is open; pruning then leaves it deaf.
pub const PRUNE_MIN_AGE: Duration = Duration::from_secs(10);

/// Connections that a worker pushes to itself; more become jobs.
pub const INLINE_PUSH_CONNECTIONS: usize = 25;
/// The time that all inline pushes of one batch share.
pub const INLINE_PUSH_BUDGET: Duration = Duration::from_millis(500);
/// Connections that one fan-out job reaches.
pub const CONNECTIONS_PER_JOB: usize = 100;
/// Users whose connections one fan-out job looks up.
pub const USERS_PER_JOB: usize = 100;
/// Pushes under way at once from one process.
pub const CONCURRENT_PUSHES: usize = 32;

/// Jobs of one batch of the persist lane (the most that SQS FIFO gives).
pub const PERSIST_BATCH: usize = 10;
/// A job is put aside after this many receives that ended in an unknown error.
pub const RECEIVES_BEFORE_QUARANTINE: u32 = 5;
/// What one group that failed before may take, alone, of the worker's five seconds.
pub const SUSPECT_DEADLINE: Duration = Duration::from_millis(1_500);
/// The first and the longest delay before a deferred group is tried again.
pub const DEFER_SECONDS: std::ops::RangeInclusive<u32> = 1..=5;
/// Times that a unique-key race is tried again at once.
pub const UNIQUE_RACE_RETRIES: u32 = 3;
/// A database that does not answer `SELECT 1` within this is not well.
pub const PING_TIMEOUT: Duration = Duration::from_millis(500);
/// A request body: a group of 1,000 members by id fits, with room to spare.
pub const BODY_MAX_BYTES: usize = 131_072;
/// The longest that Lambda lets an invocation run.
pub const INVOCATION_MAX: Duration = Duration::from_secs(15 * 60);
/// What a worker has when its host does not tell: the timeout of `persist-messages`.
pub const INVOCATION_ASSUMED: Duration = Duration::from_secs(5);
