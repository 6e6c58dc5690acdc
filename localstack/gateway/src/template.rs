//! Reads `template.yaml` and makes a [`Model`] of it. It understands the part of CloudFormation
//! that this project uses; what it does not understand in a property that the gateway needs is an
//! error that names the resource, never a guess. All problems are reported at once.

mod cycles;
mod functions;
mod intrinsic;
mod parameters;
mod reference;
mod resource;
mod routes;
mod schedules;
mod scope;
mod sockets;
mod stores;
mod yaml;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::model::{Model, Resources};
use parameters::Parameters;
use scope::Scope;

/// CloudFormation's own limit for a template.
const MAX_BYTES: usize = 1_000_000;

/// The parameter that the gateway fills in, because it writes the database's secret itself.
pub const DATABASE_SECRET_PARAMETER: &str = "DatabaseSecretArn";

/// What the template's pseudo parameters and URLs become on this machine.
#[derive(Debug, Clone)]
pub struct Settings {
    pub stack: String,
    pub region: String,
    pub account: String,
    /// `127.0.0.1:8080`, where both APIs are served.
    pub origin: String,
    /// Values for the template's parameters, by name.
    pub overrides: BTreeMap<String, String>,
}

/// What only the emulator can tell, by physical name.
#[derive(Debug, Clone, Default)]
pub struct Physical {
    pub queue_urls: BTreeMap<String, String>,
    pub secret_arns: BTreeMap<String, String>,
    pub database_secret_arn: Option<String>,
}

impl Physical {
    /// What the emulator is expected to answer; good enough to check a template before anything
    /// is created.
    pub fn expected(settings: &Settings, resources: &Resources) -> Self {
        let Settings { region, account, stack, .. } = settings;
        let secret =
            |name: &str| format!("arn:aws:secretsmanager:{region}:{account}:secret:{name}");
        let url = |name: &str| format!("http://127.0.0.1/{account}/{name}");
        Self {
            queue_urls: resources.queues.iter().map(|q| (q.name.clone(), url(&q.name))).collect(),
            secret_arns: resources
                .secrets
                .iter()
                .map(|s| (s.name.clone(), secret(&s.name)))
                .collect(),
            database_secret_arn: Some(secret(&format!("{stack}/database"))),
        }
    }
}

/// One thing wrong with the template, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// `SendMessage.Environment.Variables.TABLE_NAME`, or empty for the whole file.
    pub at: String,
    pub text: String,
}

/// Everything wrong with the template, in the order in which it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    fn of_file(text: impl Into<String>) -> Self {
        Self(vec![Problem { at: String::new(), text: text.into() }])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let line_break = if index == 0 { "" } else { "\n" };
            if problem.at.is_empty() {
                write!(f, "{line_break}{}", problem.text)?;
            } else {
                write!(f, "{line_break}{}: {}", problem.at, problem.text)?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// A template that is well-formed: YAML, known parameters, no circle of references.
#[derive(Debug)]
pub struct Template {
    root: Value,
    parameters: Parameters,
    settings: Settings,
}

impl Template {
    pub fn parse(text: &str, settings: Settings) -> Result<Self, Problems> {
        if text.len() > MAX_BYTES {
            return Err(Problems::of_file(format!(
                "the template has {} bytes; CloudFormation takes {MAX_BYTES} at most",
                text.len()
            )));
        }
        let root = yaml::read(text).map_err(Problems::of_file)?;
        if !root.get("Resources").is_some_and(Value::is_object) {
            return Err(Problems::of_file("the template has no Resources"));
        }
        let (parameters, mut problems) = Parameters::read(&root, &settings.overrides);
        problems.extend(cycles::find(&root));
        if problems.is_empty() {
            Ok(Self { root, parameters, settings })
        } else {
            Err(Problems(problems))
        }
    }

    /// What the emulator must have before a function starts.
    pub fn resources(&self) -> Result<Resources, Problems> {
        let physical = Physical::default();
        let scope = Scope::new(&self.root, &self.parameters, &self.settings, &physical);
        let resources = stores::read(&scope);
        scope.finish(resources)
    }

    /// Everything the gateway serves.
    pub fn model(&self, physical: &Physical) -> Result<Model, Problems> {
        let scope = Scope::new(&self.root, &self.parameters, &self.settings, physical);
        let functions = functions::read(&scope);
        let resources = stores::read(&scope);
        let model = Model {
            http: routes::read(&scope, &functions),
            socket: sockets::read(&scope, &functions),
            schedules: schedules::read(&scope, &functions),
            event_sources: functions::event_sources(&scope, &functions, &resources),
            functions,
            resources,
        };
        scope.finish(model)
    }

    /// The check before anything is created: every problem of the whole template.
    pub fn check(&self) -> Result<Resources, Problems> {
        let resources = self.resources();
        let known = resources.as_ref().cloned().unwrap_or_default();
        match (resources, self.model(&Physical::expected(&self.settings, &known))) {
            (Ok(resources), Ok(_)) => Ok(resources),
            (Err(problems), Ok(_)) => Err(problems),
            (_, Err(problems)) => Err(problems),
        }
    }
}
