//! What a reference may mean while the template is read, and the problems found so far.

use std::cell::{Cell, RefCell};

use serde_json::{Map, Value};

use super::parameters::Parameters;
use super::resource::Resource;
use super::{Physical, Problem, Problems, Settings};

pub(super) struct Scope<'a> {
    root: &'a Value,
    pub(super) parameters: &'a Parameters,
    pub(super) settings: &'a Settings,
    pub(super) physical: &'a Physical,
    problems: RefCell<Vec<Problem>>,
    /// How many references deep the resolver is; conditions can refer to each other in a circle.
    pub(super) depth: Cell<usize>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(
        root: &'a Value,
        parameters: &'a Parameters,
        settings: &'a Settings,
        physical: &'a Physical,
    ) -> Self {
        let problems = RefCell::new(Vec::new());
        Self { root, parameters, settings, physical, problems, depth: Cell::new(0) }
    }

    /// A part of the template by its top-level name; `Globals`, `Conditions`, `Mappings`.
    pub(super) fn section(&self, name: &str) -> Option<&'a Map<String, Value>> {
        self.root.get(name)?.as_object()
    }

    pub(super) fn problem(&self, at: impl Into<String>, text: impl Into<String>) {
        let problem = Problem { at: at.into(), text: text.into() };
        let mut problems = self.problems.borrow_mut();
        // A value that several resources use is resolved, and fails, once for each of them.
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    pub(super) fn finish<T>(self, value: T) -> Result<T, Problems> {
        let problems = self.problems.into_inner();
        if problems.is_empty() { Ok(value) } else { Err(Problems(problems)) }
    }

    pub(super) fn resource(&'a self, id: &str) -> Option<Resource<'a>> {
        let (id, body) = self.section("Resources")?.get_key_value(id)?;
        Some(Resource::new(id, body, self))
    }

    /// The resources of one type whose condition holds.
    pub(super) fn resources_of(&'a self, kind: &str) -> Vec<Resource<'a>> {
        self.section("Resources")
            .into_iter()
            .flatten()
            .map(|(id, body)| Resource::new(id, body, self))
            .filter(|resource| resource.kind == kind && resource.exists())
            .collect()
    }

    /// The local URL instead of API Gateway's: `wss://<api>.execute-api.…/socket` →
    /// `ws://127.0.0.1:8080/socket`.
    pub(super) fn localised(&'a self, text: &str) -> String {
        let mut text = text.to_owned();
        for api in self.resources_of("AWS::ApiGatewayV2::Api") {
            let host = self.api_host(api.id);
            for (far, near) in [("https", "http"), ("wss", "ws")] {
                text = text.replace(
                    &format!("{far}://{host}"),
                    &format!("{near}://{}", self.settings.origin),
                );
            }
        }
        text
    }

    pub(super) fn api_host(&self, api: &str) -> String {
        format!("{}.execute-api.{}.amazonaws.com", api.to_lowercase(), self.settings.region)
    }
}
