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
    ACCOUNT = "accounts/account";
    UPDATE_USER = "accounts/update_user";

    INSERT_SESSION = "sessions/insert";
    SESSION_HOLDER = "sessions/holder";
    LOCK_BY_TOKEN = "sessions/lock_by_token";
    EXCHANGE_TOKEN = "sessions/exchange_token";
    REVOKE_SESSION = "sessions/revoke";
    ACTIVE_SESSION = "sessions/active";
    SESSIONS = "sessions/list";
    SESSION = "sessions/find";
    REVOKE_ONE_SESSION = "sessions/revoke_one";
    REVOKE_OTHER_SESSIONS = "sessions/revoke_others";
    KNOWS_DEVICE = "sessions/knows_device";

    ISSUE_MAIL_TOKEN = "proofs/issue_mail_token";
    VERIFY_EMAIL = "proofs/verify_email";
    LOCK_CREDENTIALS = "proofs/lock_account";
    LOCK_BY_MAIL_TOKEN = "proofs/lock_by_token";
    RESET_OWNER = "proofs/reset_owner";
    RESET_PASSWORD = "proofs/reset_password";
    PASSWORD_HASH = "proofs/password_hash";
    CHANGE_PASSWORD = "proofs/change_password";
    REHASH_PASSWORD = "proofs/rehash";

    TWO_FACTOR = "two_factor/state";
    BEGIN_TWO_FACTOR = "two_factor/begin";
    CONFIRM_TWO_FACTOR = "two_factor/confirm";
    DISABLE_TWO_FACTOR = "two_factor/disable";
    SPEND_STEP = "two_factor/spend_step";
    SPEND_RECOVERY_CODE = "two_factor/spend_recovery_code";

    LOCK_ACCOUNT = "erasure/lock_account";
    ERASE_ACCOUNT = "erasure/account";
    FORGET_SESSIONS = "erasure/forget_sessions";
    MEMBERSHIPS = "erasure/memberships";
    ERASE_TRACES = "erasure/traces";
    RESIDUE = "erasure/residue";

    EXPORT_PROFILE = "export/profile";
    EXPORT_SESSIONS = "export/sessions";
    EXPORT_CONTACTS = "export/contacts";
    EXPORT_BLOCKS = "export/blocks";
    EXPORT_CONVERSATIONS = "export/conversations";
    EXPORT_MESSAGES = "export/messages";
    EXPORT_RECEIPTS = "export/receipts";
    EXPORT_REACTIONS = "export/reactions";
    EXPORT_INVITES = "export/invites";

    INSERT_DIRECT = "conversations/insert_direct";
    INSERT_GROUP = "conversations/insert_group";
    OPENED = "conversations/opened";
    LIST = "conversations/list";
    GET = "conversations/get";
    MEMBERS = "conversations/members";
    BEHIND = "conversations/behind";

    LOCK_BY_INVITE = "groups/lock_by_invite";
    GROUP_STANDING = "groups/standing";
    WRITE_GROUP = "groups/write";
    HIDE_CONVERSATION = "groups/hide";
    PREFER = "groups/prefer";

    INVITE_STANDING = "invites/standing";
    INSERT_INVITE = "invites/insert";
    INVITES = "invites/list";
    REVOKE_INVITE = "invites/revoke";
    PREVIEW_INVITE = "invites/preview";

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
    SEARCH_PEOPLE = "people/search";

    LOCK_PEOPLE = "contacts/lock_people";
    LOCK_BY_REQUEST = "contacts/lock_by_request";
    ASK_CONTACT = "contacts/ask";
    ACCEPT_CONTACT = "contacts/accept";
    DECLINE_CONTACT = "contacts/decline";
    REMOVE_CONTACT = "contacts/remove";
    CONTACT_REQUESTS = "contacts/requests";
    CONTACTS = "contacts/list";

    BLOCK = "blocks/insert";
    UNBLOCK = "blocks/delete";
    BLOCKED = "blocks/list";

    CHANGED_SINCE = "sync/changed_since";

    STRAGGLERS = "upkeep/stragglers";
    UNCONFIRMED_COPIES = "upkeep/unconfirmed_copies";
    OWED_COPIES = "upkeep/owed_copies";
    CONFIRM_COPIES = "upkeep/confirm_copies";
    FORGET_TRACES = "upkeep/forget_traces";
    FORGET_ENDED = "upkeep/forget_ended";

    RECORD_PUSHES = "traces/record_pushes";
    TRACE = "traces/trace";
}
