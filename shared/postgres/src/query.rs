//! Every statement, as it stands in `queries/`.

macro_rules! queries {
    ($($(#[$doc:meta])* $name:ident = $path:literal;)+) => {$(
        $(#[$doc])*
        pub(crate) const $name: &str = include_str!(concat!("../queries/", $path, ".sql"));
    )+};
}

queries! {
    INSERT_USER = "accounts/insert_user";
    USERNAME_EXISTS = "accounts/username_exists";
    CREDENTIALS_BY_USERNAME = "accounts/credentials_by_username";
    CREDENTIALS_BY_EMAIL = "accounts/credentials_by_email";
    USER = "accounts/user";
    UPDATE_USER = "accounts/update_user";

    INSERT_SESSION = "sessions/insert";
    LOCK_BY_TOKEN = "sessions/lock_by_token";
    EXCHANGE_TOKEN = "sessions/exchange_token";
    REVOKE_SESSION = "sessions/revoke";
    ACTIVE_SESSION = "sessions/active";

    INSERT_DIRECT = "conversations/insert_direct";
    INSERT_GROUP = "conversations/insert_group";
    OPENED = "conversations/opened";
    LIST = "conversations/list";
    GET = "conversations/get";
    MEMBERS = "conversations/members";
    BEHIND = "conversations/behind";

    LOCK_CONVERSATIONS = "messages/lock_conversations";
    APPEND = "messages/append";
    MESSAGE = "messages/message";
    PAGE = "messages/page";
    CHANGES = "messages/changes";

    CHANGE_TARGET = "changes/target";
    WRITE_CHANGE = "changes/write";
    REACTORS = "changes/reactors";

    RAISE_MARKS = "receipts/raise";
    STANDING_MARKS = "receipts/standing";
    MARKS = "receipts/marks";

    AMONG = "people/among";
    PEERS = "people/peers";

    CHANGED_SINCE = "sync/changed_since";

    STRAGGLERS = "upkeep/stragglers";
    UNCONFIRMED_COPIES = "upkeep/unconfirmed_copies";
    CONFIRM_COPIES = "upkeep/confirm_copies";
    FORGET_TRACES = "upkeep/forget_traces";

    RECORD_PUSHES = "traces/record_pushes";
    TRACE = "traces/trace";
}
