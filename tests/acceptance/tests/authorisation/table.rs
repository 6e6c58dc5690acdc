//! The tables as they are written, and what their lines have to cover.

use std::collections::{BTreeMap, BTreeSet};

use acceptance::template::http_routes;
use harness::root_directory;
use reqwest::Method;
use saphyr::{LoadableYamlNode, Yaml};

/// Who asks, in the order of the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    NoToken,
    ExpiredToken,
    Other,
    ExMember,
    Member,
    Admin,
    Owner,
}

pub const COLUMNS: [Column; 7] = [
    Column::NoToken,
    Column::ExpiredToken,
    Column::Other,
    Column::ExMember,
    Column::Member,
    Column::Admin,
    Column::Owner,
];

/// What a row needs of its own, so that its cells leave those of others as they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    Nothing,
    Group,
    Person,
}

/// A line of `routes.txt`.
#[derive(Debug, Clone)]
pub struct Row {
    pub method: Method,
    /// With the names of things in it, `{seq:own}`, and a query.
    pub path: String,
    /// JSON with the names of things in it; empty for none.
    pub body: String,
    pub own: Own,
    pub cells: [Cell; 7],
}

/// What somebody is to be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    pub status: u16,
    /// Of a problem, where one is expected in particular.
    pub code: Option<String>,
}

impl Row {
    /// As the template writes it: no query, and of `{seq:own}` only `{seq}`.
    pub fn route(&self) -> String {
        let (path, _) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let plain = |part: &str| match part.split_once(':') {
            Some((name, _)) if name.starts_with('{') => format!("{name}}}"),
            _ => part.to_owned(),
        };
        let path: Vec<_> = path.split('/').map(plain).collect();
        format!("{} {}", self.method, path.join("/"))
    }

    pub fn is_open(&self) -> bool {
        self.cells[0].status != 401
    }

    pub fn cell(&self, column: Column) -> &Cell {
        &self.cells[column as usize]
    }
}

impl Cell {
    pub fn is_allowed(&self) -> bool {
        self.status < 400
    }

    /// `path`: the row's, for what is not found in it.
    fn read(written: &str, path: &str) -> Self {
        let (status, code) = written.split_once(':').unwrap_or((written, ""));
        let status = status.parse().unwrap_or_else(|_| panic!("no status: {written:?}"));
        let code = match (status, code) {
            (400, "") => "token_invalid",
            (401, "") => "unauthenticated",
            (403, "") => "not_allowed",
            (404, "") => not_found(path),
            (422, "") => "validation_failed",
            (_, code) => code,
        };
        Self { status, code: (!code.is_empty()).then(|| code.to_owned()) }
    }
}

/// The code of the first thing in the path.
fn not_found(path: &str) -> &'static str {
    let (_, thing) = path.split_once('{').unwrap_or_else(|| panic!("no thing in {path}"));
    match thing.split_once(['}', ':']).map_or(thing, |(name, _)| name) {
        "conversation_id" => "conversation_not_found",
        "session_id" => "session_not_found",
        "request_id" => "contact_request_not_found",
        "token" => "invite_not_found",
        other => panic!("{path}: which code says that {other} is not found?"),
    }
}

/// Lines that say something, each parted into seven cells and the rest.
fn lines(text: &'static str) -> Vec<([&'static str; 7], &'static str)> {
    let says = |line: &&str| !line.is_empty() && !line.starts_with(['#', '[']);
    let parted = |line: &'static str| {
        let mut rest = line;
        let cells = COLUMNS.map(|_| {
            let (cell, after) = rest.split_once(' ').unwrap_or_else(|| panic!("short: {line}"));
            rest = after.trim_start();
            cell
        });
        (cells, rest)
    };
    text.lines().map(str::trim).filter(says).map(parted).collect()
}

pub fn rows() -> Vec<Row> {
    let row = |(cells, rest): ([&str; 7], &str)| {
        let (own, rest) = match rest.split_at(1) {
            ("+", rest) => (Own::Group, rest),
            ("!", rest) => (Own::Person, rest),
            _ => (Own::Nothing, rest),
        };
        let mut words = rest.splitn(3, ' ');
        let mut word = || words.next().unwrap_or_default().to_owned();
        let (method, path, body) = (word(), word(), word());
        let cells = cells.map(|cell| Cell::read(cell, &path));
        Row { method: method.parse().unwrap(), path, body, own, cells }
    };
    lines(include_str!("routes.txt")).into_iter().map(row).collect()
}

/// The lines of `frames.txt`: the cells, the frame's type, its data.
pub fn frames() -> Vec<([&'static str; 7], &'static str, &'static str)> {
    let frame = |(cells, rest): ([&'static str; 7], &'static str)| {
        let (frame_type, data) = rest.split_once(' ').unwrap();
        (cells, frame_type, data)
    };
    lines(include_str!("frames.txt")).into_iter().map(frame).collect()
}

fn read_yaml<T>(file: &str, read: impl Fn(&Yaml<'_>) -> T) -> T {
    let text = std::fs::read_to_string(root_directory().join(file)).unwrap();
    read(&Yaml::load_from_str(&text).unwrap()[0])
}

/// Names of the template's socket routes, without those of API Gateway itself: `$connect` and its
/// like.
fn socket_routes() -> BTreeSet<String> {
    let key = |resource: &Yaml<'_>| {
        let key = resource.as_mapping_get("Properties")?.as_mapping_get("RouteKey")?.as_str()?;
        (!key.contains([' ', '$'])).then(|| key.to_owned())
    };
    read_yaml("template.yaml", |template| {
        let resources = template.as_mapping_get("Resources").unwrap().as_mapping().unwrap();
        resources.values().filter_map(key).collect()
    })
}

/// Frames that the server receives, as `docs/asyncapi.yaml` has them.
fn documented_frames() -> BTreeSet<String> {
    let received = |operation: &Yaml<'_>| {
        let is_received = operation.as_mapping_get("action")?.as_str()? == "receive";
        let message = operation.as_mapping_get("messages").filter(|_| is_received)?;
        let message = message.as_sequence()?.first()?.as_mapping_get("$ref")?.as_str()?;
        Some(message.rsplit_once('/')?.1.to_owned())
    };
    read_yaml("docs/asyncapi.yaml", |document| {
        let operations = document.as_mapping_get("operations").unwrap().as_mapping().unwrap();
        operations.values().filter_map(received).collect()
    })
}

#[test]
fn every_http_route_has_its_row_and_every_row_its_route() {
    let routes: BTreeMap<_, _> =
        http_routes().into_iter().map(|r| (format!("{} {}", r.method, r.path), r)).collect();
    let mut covered: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in rows() {
        covered.entry(row.route()).or_default().push(row.is_open());
    }
    let without_row: Vec<_> = routes.keys().filter(|key| !covered.contains_key(*key)).collect();
    assert!(without_row.is_empty(), "write a row into routes.txt for {without_row:#?}");
    for (route, are_open) in covered {
        let Some(known) = routes.get(&route) else {
            panic!("routes.txt has a row for {route}, which the template has not");
        };
        assert!(
            are_open.iter().all(|is_open| *is_open == known.is_open),
            "{route}: the template says that it is {}open",
            if known.is_open { "" } else { "not " }
        );
    }
    let closed = routes.values().filter(|route| !route.is_open).count();
    assert!(closed >= 55, "the template marks more routes as open than there were");
}

#[test]
fn every_frame_of_a_client_has_its_row_and_every_row_its_frame() {
    let covered: BTreeSet<_> = frames().into_iter().map(|(_, name, _)| name.to_owned()).collect();
    let documented = documented_frames();
    assert_eq!(covered, documented, "frames.txt, and the frames of docs/asyncapi.yaml");
    let routes = socket_routes();
    assert!(routes.len() >= 3, "the template has fewer socket routes than there were");
    let without_row: Vec<_> = routes.difference(&covered).collect();
    assert!(without_row.is_empty(), "write a row into frames.txt for {without_row:?}");
}
