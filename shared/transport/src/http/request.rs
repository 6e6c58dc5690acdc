//! One HTTP request, read carefully.

use std::collections::BTreeMap;
use std::str::FromStr;

use domain::{
    ContactRequestId, ConversationId, Emoji, Invalid, InviteId, Seq, SessionId, UserId, limits,
};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use service::{Caller, Error, Page, Window};

use crate::Rejection;
use crate::rejection::read_json;

/// A token of ours has 43 characters.
const TOKEN_MAX_BYTES: usize = 256;

/// What the front door knows of a request.
#[derive(Debug, Default)]
pub struct Request {
    pub(crate) path: BTreeMap<String, String>,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    /// The text after `Bearer `.
    pub(crate) bearer: Option<String>,
    pub(crate) caller: Option<Caller>,
    pub(crate) source_ip: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) request_id: String,
}

impl Request {
    /// Who is asking; 401 when no valid access token came with the request.
    pub fn caller(&self) -> Result<Caller, Rejection> {
        Ok(self.caller.ok_or_else(Error::unauthenticated)?)
    }

    /// The client's address as the gateway saw it.
    pub fn address(&self) -> Option<String> {
        self.source_ip.clone()
    }

    /// What the client calls itself, cut to the length of a device's name.
    pub fn user_agent(&self) -> Option<String> {
        let clean = |agent: &String| {
            let visible = agent.chars().filter(|c| !c.is_control());
            visible.take(limits::DEVICE_NAME_MAX_CHARACTERS).collect::<String>()
        };
        self.user_agent.as_ref().map(clean).filter(|name| !name.is_empty())
    }

    /// 400 not JSON, 413 too large, 422 of the wrong shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Rejection> {
        if self.body.len() > limits::BODY_MAX_BYTES {
            return Err(Rejection::TooLarge { max_bytes: limits::BODY_MAX_BYTES });
        }
        read_json(&self.body)
    }

    /// A text that is no id names no conversation: 404 as for any other unknown one.
    pub fn conversation_id(&self) -> Result<ConversationId, Rejection> {
        Ok(self.id("conversation_id").ok_or_else(Error::conversation_not_found)?)
    }

    /// As [`Self::conversation_id`].
    pub fn user_id(&self) -> Result<UserId, Rejection> {
        Ok(self.id("user_id").ok_or_else(Error::user_not_found)?)
    }

    /// As [`Self::conversation_id`], for a member: `me` is the caller.
    pub fn member_id(&self) -> Result<UserId, Rejection> {
        let is_me = self.path.get("user_id").is_some_and(|raw| raw == "me");
        if is_me { Ok(self.caller()?.user_id()) } else { self.user_id() }
    }

    /// As [`Self::conversation_id`].
    pub fn session_id(&self) -> Result<SessionId, Rejection> {
        let detail = "you have no such session";
        let unknown = || Error::NotFound { code: "session_not_found", detail };
        Ok(self.id("session_id").ok_or_else(unknown)?)
    }

    /// As [`Self::conversation_id`].
    pub fn contact_request_id(&self) -> Result<ContactRequestId, Rejection> {
        let detail = "there is no such request that waits for you";
        let unknown = || Error::NotFound { code: "contact_request_not_found", detail };
        Ok(self.id("request_id").ok_or_else(unknown)?)
    }

    /// As [`Self::conversation_id`].
    pub fn invite_id(&self) -> Result<InviteId, Rejection> {
        Ok(self.id("invite_id").ok_or_else(invite_not_found)?)
    }

    /// The token of an invite, as it came; only its digest can tell whether it is one of ours.
    pub fn invite_token(&self) -> Result<&str, Rejection> {
        let token = self.path.get("token").map(String::as_str);
        let token = token.filter(|token| (1..=TOKEN_MAX_BYTES).contains(&token.len()));
        Ok(token.ok_or_else(invite_not_found)?)
    }

    /// `?query=`, empty when absent.
    pub fn search(&self) -> &str {
        self.query.get("query").map_or("", String::as_str)
    }

    /// The message that the path names, 1 or more; 422 `invalid_seq` for what is no number.
    pub fn message_seq(&self) -> Result<Seq, Rejection> {
        let raw = self.path.get("seq").map_or("", String::as_str);
        let is_plain = raw.bytes().all(|byte| byte.is_ascii_digit());
        let number = raw.parse().ok().filter(|number| is_plain && *number >= 1);
        number.map(Seq).ok_or_else(|| {
            let detail = "must be the number of a message: a whole number, 1 or more";
            Rejection::field("seq", Invalid::new("invalid_seq", detail))
        })
    }

    /// The emoji that the path names, as it is or percent-encoded: gateways differ in whether they
    /// decode a path. 422 `invalid_emoji` for what is none.
    pub fn emoji(&self) -> Result<Emoji, Rejection> {
        let raw = self.path.get("emoji").map_or("", String::as_str);
        let parsed = Emoji::parse(raw).or_else(|invalid| {
            let decoded = percent_decode_str(raw).decode_utf8();
            decoded.map_or(Err(invalid), |decoded| Emoji::parse(&decoded))
        });
        parsed.map_err(|invalid| Rejection::field("emoji", invalid))
    }

    /// `?user_ids=a,b`, none when absent.
    pub fn people(&self) -> Result<Vec<UserId>, Rejection> {
        let list = self.query.get("user_ids").map_or("", String::as_str);
        let ids = list.split(',').map(str::trim).filter(|id| !id.is_empty());
        let ids: Result<_, Invalid> = ids.map(UserId::from_str).collect();
        ids.map_err(|invalid| Rejection::field("user_ids", invalid))
    }

    fn id<T: FromStr>(&self, name: &str) -> Option<T> {
        self.path.get(name)?.parse().ok()
    }

    /// `?limit=`, 1 to 200, 50 when absent.
    pub fn limit(&self) -> Result<u32, Rejection> {
        let Some(raw) = self.query.get("limit") else {
            return Ok(limits::PAGE_DEFAULT);
        };
        match raw.parse() {
            Ok(limit) if (1..=limits::PAGE_MAX).contains(&limit) => Ok(limit),
            _ => Err(Rejection::field("limit", Invalid::new("invalid_limit", "must be 1 to 200"))),
        }
    }

    /// `?cursor=&limit=`
    pub fn page(&self) -> Result<Page, Rejection> {
        Ok(Page { cursor: self.query.get("cursor").cloned(), limit: self.limit()? })
    }

    /// `?cursor=` alone, for who decides themselves how much is a part.
    pub fn cursor(&self) -> Option<&str> {
        self.query.get("cursor").map(String::as_str)
    }

    /// `?before=` or `?after=` or `?around=`, at most one of them.
    pub fn window(&self) -> Result<Window, Rejection> {
        let named = ["before", "after", "around"];
        let given: Vec<_> = named.into_iter().filter(|n| self.query.contains_key(*n)).collect();
        match given[..] {
            [] => Ok(Window::Newest),
            ["before"] => Ok(Window::Before(self.seq("before")?)),
            ["after"] => Ok(Window::After(self.seq("after")?)),
            ["around"] => Ok(Window::Around(self.seq("around")?)),
            _ => {
                let detail = "only one of before, after and around may be given";
                Err(Rejection::field(given[0], Invalid::new("invalid_window", detail)))
            }
        }
    }

    /// A number of a message in the query; 0 when absent.
    pub fn seq(&self, name: &str) -> Result<Seq, Rejection> {
        let Some(raw) = self.query.get(name) else {
            return Ok(Seq::ZERO);
        };
        let not_a_number = |_| Invalid::new("invalid_seq", "must be a whole number, 0 or more");
        let parsed = raw.parse::<i64>().map_err(not_a_number).and_then(Seq::parse);
        parsed.map_err(|invalid| Rejection::field(name, invalid))
    }
}

fn invite_not_found() -> Error {
    Error::NotFound { code: "invite_not_found", detail: "there is no such invite" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_query(pairs: &[(&str, &str)]) -> Request {
        let query = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Request { query, ..Request::default() }
    }

    fn code(rejection: Rejection) -> &'static str {
        match rejection {
            Rejection::Service(Error::Invalid(fields)) => fields[0].code,
            Rejection::Service(Error::NotFound { code, .. }) => code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_limit_is_1_to_200_and_50_when_absent() {
        assert_eq!(with_query(&[]).limit().unwrap(), 50);
        assert_eq!(with_query(&[("limit", "200")]).limit().unwrap(), 200);
        for raw in ["", "0", "201", "-1", "1e2", "99999999999999999999"] {
            let refused = with_query(&[("limit", raw)]).limit().unwrap_err();
            assert_eq!(code(refused), "invalid_limit", "{raw:?}");
        }
    }

    #[test]
    fn a_window_has_at_most_one_edge() {
        assert_eq!(with_query(&[]).window().unwrap(), Window::Newest);
        assert_eq!(with_query(&[("before", "7")]).window().unwrap(), Window::Before(Seq(7)));
        let both = with_query(&[("before", "7"), ("after", "1")]).window().unwrap_err();
        assert_eq!(code(both), "invalid_window");
        let bad = with_query(&[("after", "-1")]).window().unwrap_err();
        assert_eq!(code(bad), "invalid_seq");
    }

    #[test]
    fn a_hostile_id_in_the_path_names_nothing() {
        for raw in ["", "1", "../../etc/passwd", "00000000-0000-0000-0000-00000000000g", "'--"] {
            let path = [("conversation_id", raw), ("user_id", raw)];
            let path = path.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let request = Request { path: path.into(), ..Request::default() };
            let refused = request.conversation_id().unwrap_err();
            assert_eq!(code(refused), "conversation_not_found", "{raw:?}");
            assert_eq!(code(request.user_id().unwrap_err()), "user_not_found", "{raw:?}");
        }
    }

    fn with_path(name: &str, value: &str) -> Request {
        let path = [(name.to_owned(), value.to_owned())].into();
        Request { path, ..Request::default() }
    }

    #[test]
    fn a_message_is_named_by_its_number() {
        assert_eq!(with_path("seq", "1").message_seq().unwrap(), Seq(1));
        assert_eq!(with_path("seq", "9223372036854775807").message_seq().unwrap(), Seq(i64::MAX));
        let hostile =
            ["", "0", "-1", "+1", " 1", "1.0", "0x1", "1e2", "9223372036854775808", "%31", "me"];
        for raw in hostile {
            assert_eq!(code(with_path("seq", raw).message_seq().unwrap_err()), "invalid_seq");
        }
        assert_eq!(code(Request::default().message_seq().unwrap_err()), "invalid_seq");
    }

    #[test]
    fn an_emoji_in_the_path_may_be_encoded_or_not() {
        for raw in ["👍", "%F0%9F%91%8D", "%f0%9f%91%8d", "👨\u{200d}👩\u{200d}👧"] {
            assert!(with_path("emoji", raw).emoji().is_ok(), "{raw:?}");
        }
        assert_eq!(with_path("emoji", "%F0%9F%91%8D").emoji().unwrap().as_str(), "👍");
    }

    #[test]
    fn what_is_no_emoji_is_refused_however_it_is_encoded() {
        let long = "👍%F0%9F%91%8D".repeat(10_000);
        // Bad encodings, half a character, a zero byte, two of them, one encoded twice.
        let hostile = [
            "",
            "a",
            "%",
            "%F",
            "%zz",
            "%F0%9F",
            "%00",
            "%2F",
            "..%2F..",
            "👍👍",
            "%F0%9F%91%8D👍",
            "%25F0%259F%2591%258D",
            "%EF%BF%BE",
            long.as_str(),
        ];
        for raw in hostile {
            let refused = with_path("emoji", raw).emoji().unwrap_err();
            assert_eq!(code(refused), "invalid_emoji", "{:?}", &raw[..raw.len().min(40)]);
        }
        assert_eq!(code(Request::default().emoji().unwrap_err()), "invalid_emoji");
    }

    #[test]
    fn people_are_named_with_commas_between() {
        let id = "01935b80-1000-7c00-9a00-00000000c001";
        let of = |list: &str| with_query(&[("user_ids", list)]).people();
        assert_eq!(of(&format!("{id}, {id},")).unwrap().len(), 2);
        assert_eq!(of("").unwrap(), []);
        assert_eq!(with_query(&[]).people().unwrap(), []);
        for list in ["me", &format!("{id};{id}"), &format!("{id}, '--"), "\u{0}"] {
            assert_eq!(code(of(list).unwrap_err()), "invalid_uuid", "{list:?}");
        }
    }

    #[test]
    fn a_body_that_is_too_large_is_not_even_read() {
        let body = vec![b' '; limits::BODY_MAX_BYTES + 1];
        let request = Request { body, ..Request::default() };
        let refused = request.json::<protocol::body::Login>().err().unwrap();
        assert!(matches!(refused, Rejection::TooLarge { .. }));
    }

    #[test]
    fn syntax_and_shape_are_told_apart() {
        let of = |text: &str| Request { body: text.into(), ..Request::default() };
        for text in ["", "{", "nope", "{\"login\":}", "\u{feff}{}"] {
            let refused = of(text).json::<protocol::body::Login>().err().unwrap();
            assert!(matches!(refused, Rejection::NotJson(_)), "{text:?}");
        }
        for text in ["[]", "1", "null", "{\"login\":5}", "{\"login\":{}}"] {
            let refused = of(text).json::<protocol::body::Login>().err().unwrap();
            assert_eq!(code(refused), "invalid_type", "{text:?}");
        }
    }

    #[test]
    fn what_is_no_id_names_nothing() {
        for hostile in ["", "me", "1", "../me", "00000000-0000-0000-0000-00000000000g"] {
            let of = |name| with_path(name, hostile);
            assert_eq!(code(of("session_id").session_id().unwrap_err()), "session_not_found");
            assert_eq!(code(of("invite_id").invite_id().unwrap_err()), "invite_not_found");
            let request = of("request_id").contact_request_id().unwrap_err();
            assert_eq!(code(request), "contact_request_not_found");
        }
        let long = "x".repeat(TOKEN_MAX_BYTES + 1);
        for token in ["", &long] {
            let refused = with_path("token", token).invite_token().unwrap_err();
            assert_eq!(code(refused), "invite_not_found");
        }
    }

    #[test]
    fn me_among_the_members_is_the_caller_and_nobody_without_a_token() {
        let id = uuid::Uuid::from_u128;
        let caller = Caller::verified(UserId(id(1)), SessionId(id(2)));
        let request = Request { caller: Some(caller), ..with_path("user_id", "me") };
        assert_eq!(request.member_id().unwrap(), UserId(id(1)));
        assert!(with_path("user_id", "me").member_id().is_err());
        let other = with_path("user_id", &id(3).to_string());
        assert_eq!(other.member_id().unwrap(), UserId(id(3)));
    }
}
