//! Which function a method and a path belong to: the most specific route, as HTTP APIs choose it.

use std::collections::BTreeMap;

use http::Method;

use crate::front::inbound::decode_strictly;
use crate::model::HttpRoute;

/// The API's routes, parsed once.
pub(crate) struct Routes {
    routes: Vec<Route>,
}

struct Route {
    method: String,
    pattern: Vec<Segment>,
    function: String,
    key: String,
}

enum Segment {
    Exactly(String),
    /// `{user_id}`: one segment that is not empty.
    Any(String),
    /// `{proxy+}`: all the rest.
    Rest(String),
}

/// How good a match is; smaller is better. Per segment: 0 exact, 1 any, 2 rest; then the method:
/// 0 exact, 1 `ANY`.
type Rank = (Vec<u8>, u8);

/// A request's route.
pub(crate) struct Found {
    pub function: String,
    /// `GET /v1/users/{user_id}`
    pub route_key: String,
    pub parameters: BTreeMap<String, String>,
}

/// Why there is none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoRoute {
    /// Wrong percent-encoding, or not UTF-8 when decoded.
    BadPath,
    Unknown,
}

impl Routes {
    pub fn new(routes: &[HttpRoute]) -> Self {
        Self { routes: routes.iter().map(Route::new).collect() }
    }

    /// Static segments before parameters before `{proxy+}`, the method before `ANY`, `$default`
    /// last. A known path with another method is as unknown as any other (404, not 405).
    pub fn find(&self, method: &Method, path: &str) -> Result<Found, NoRoute> {
        let segments: Option<Vec<String>> = split(path).map(decode_strictly).collect();
        let segments = segments.ok_or(NoRoute::BadPath)?;
        let mut best: Option<(Rank, &Route, BTreeMap<String, String>)> = None;
        for route in &self.routes {
            let Some((rank, parameters)) = route.matches(method.as_str(), &segments) else {
                continue;
            };
            if best.as_ref().is_none_or(|(known, ..)| rank < *known) {
                best = Some((rank, route, parameters));
            }
        }
        let (_, route, parameters) = best.ok_or(NoRoute::Unknown)?;
        let (function, route_key) = (route.function.clone(), route.key.clone());
        Ok(Found { function, route_key, parameters })
    }
}

impl Route {
    fn new(route: &HttpRoute) -> Self {
        let is_default = route.path == "$default";
        let (method, pattern) = if is_default {
            (String::from("ANY"), vec![Segment::Rest(String::new())])
        } else {
            (route.method.to_uppercase(), split(&route.path).map(Segment::new).collect())
        };
        let key = if is_default {
            String::from("$default")
        } else {
            format!("{} {}", route.method, route.path)
        };
        Self { method, pattern, function: route.function.clone(), key }
    }

    fn matches(&self, method: &str, path: &[String]) -> Option<(Rank, BTreeMap<String, String>)> {
        let method_rank = match self.method.as_str() {
            own if own == method => 0,
            "ANY" => 1,
            _ => return None,
        };
        let mut ranks = Vec::with_capacity(self.pattern.len());
        let mut parameters = BTreeMap::new();
        let mut rest = path;
        for segment in &self.pattern {
            let (rank, name, value, remaining) = segment.take(rest)?;
            ranks.push(rank);
            if !name.is_empty() {
                parameters.insert(name.to_owned(), value);
            }
            rest = remaining;
        }
        rest.is_empty().then_some(((ranks, method_rank), parameters))
    }
}

impl Segment {
    fn new(text: &str) -> Self {
        match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            None => Self::Exactly(text.to_owned()),
            Some(name) => match name.strip_suffix('+') {
                None => Self::Any(name.to_owned()),
                Some(name) => Self::Rest(name.to_owned()),
            },
        }
    }

    /// Rank, parameter's name (empty: none), its value, and what is left of the path.
    fn take<'a>(&self, path: &'a [String]) -> Option<(u8, &str, String, &'a [String])> {
        let (first, rest) = path.split_first()?;
        match self {
            Self::Exactly(text) => (text == first).then(|| (0, "", String::new(), rest)),
            Self::Any(name) => (!first.is_empty()).then(|| (1, name.as_str(), first.clone(), rest)),
            Self::Rest(name) => Some((2, name.as_str(), path.join("/"), &[])),
        }
    }
}

fn split(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(method: &str, path: &str) -> Result<String, NoRoute> {
        let known = [
            ("GET", "/v1/users/{user_id}", "get-user"),
            ("GET", "/v1/users/me", "get-me"),
            ("PATCH", "/v1/users/me", "update-me"),
            ("GET", "/v1/users/{user_id}/{what}", "get-what"),
            ("GET", "/v1/{proxy+}", "rest"),
            ("ANY", "/v1/any", "any"),
            ("POST", "/v1/any", "post"),
            ("GET", "/", "root"),
        ];
        let routes = known.map(|(method, path, function)| HttpRoute {
            method: method.into(),
            path: path.into(),
            function: function.into(),
        });
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Routes::new(&routes).find(&method, path).map(|found| found.function)
    }

    #[test]
    fn the_most_specific_route_wins() {
        assert_eq!(function("GET", "/v1/users/me").unwrap(), "get-me");
        assert_eq!(function("PATCH", "/v1/users/me").unwrap(), "update-me");
        assert_eq!(function("GET", "/v1/users/5").unwrap(), "get-user");
        assert_eq!(function("GET", "/v1/users/me/photo").unwrap(), "get-what");
        assert_eq!(function("GET", "/v1/else/where/deep").unwrap(), "rest");
        assert_eq!(function("POST", "/v1/any").unwrap(), "post");
        assert_eq!(function("DELETE", "/v1/any").unwrap(), "any");
        assert_eq!(function("GET", "/").unwrap(), "root");
    }

    #[test]
    fn what_matches_no_route_is_unknown_and_bad_encoding_is_told_apart() {
        assert_eq!(function("DELETE", "/v1/users/me"), Err(NoRoute::Unknown));
        assert_eq!(function("GET", "/v2"), Err(NoRoute::Unknown));
        assert_eq!(function("GET", "//"), Err(NoRoute::Unknown));
        for path in ["/v1/users/%", "/v1/users/%4", "/v1/users/%zz", "/v1/users/%ff"] {
            assert_eq!(function("GET", path), Err(NoRoute::BadPath), "{path}");
        }
    }

    #[test]
    fn a_parameter_is_never_empty() {
        assert_eq!(function("GET", "/v1/users//photo").unwrap(), "rest");
    }
}
