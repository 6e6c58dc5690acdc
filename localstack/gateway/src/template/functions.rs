//! Functions with their whole environment, and the queues that feed them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::resource::{Resource, whole_number};
use super::scope::Scope;
use crate::model::{EventSource, Function, Resources};

/// SAM's defaults, where neither the function nor `Globals` says more.
const DEFAULT_TIMEOUT_SECONDS: u32 = 3;
const DEFAULT_MEMORY_MB: u32 = 128;

/// Lambda's limits.
const MAX_TIMEOUT_SECONDS: u32 = 900;
const MAX_FIFO_BATCH: u32 = 10;
const MAX_BATCH: u32 = 10_000;
const MAX_WINDOW_SECONDS: u32 = 300;
const MAX_MAPPING_CONCURRENCY: u32 = 1_000;

/// Without `MaximumConcurrency` AWS goes up to 1,250; here processes are the limit anyway.
const DEFAULT_MAPPING_CONCURRENCY: u32 = 10;

/// SQS's default, which matters because a mapping checks it against the function's timeout.
const DEFAULT_VISIBILITY_SECONDS: u64 = 30;

pub(super) fn read(scope: &Scope<'_>) -> BTreeMap<String, Function> {
    let mut functions = BTreeMap::new();
    for resource in scope.resources_of("AWS::Serverless::Function") {
        let Some(function) = function(&resource) else { continue };
        let name = function.name.clone();
        if functions.insert(name.clone(), function).is_some() {
            resource.problem("CodeUri", format!("another function is called {name} too"));
        }
    }
    functions
}

fn function(resource: &Resource<'_>) -> Option<Function> {
    if resource.has("Events") {
        let advice = "the gateway reads explicit routes and event source mappings only";
        resource.problem("Events", advice);
    }
    let name = resource.scope.binary_name(resource.id, resource.id)?;
    let timeout = setting(resource, "Timeout").unwrap_or(DEFAULT_TIMEOUT_SECONDS);
    if !(1..=MAX_TIMEOUT_SECONDS).contains(&timeout) {
        resource.problem("Timeout", format!("must be 1 to {MAX_TIMEOUT_SECONDS} seconds"));
    }
    Some(Function {
        name,
        environment: environment(resource)?,
        memory_mb: setting(resource, "MemorySize").unwrap_or(DEFAULT_MEMORY_MB),
        timeout: Duration::from_secs(timeout.into()),
        reserved_concurrency: setting(resource, "ReservedConcurrentExecutions"),
    })
}

fn global<'a>(scope: &Scope<'a>, property: &str) -> Option<&'a Value> {
    scope.section("Globals")?.get("Function")?.get(property)
}

/// The function's own number, else the one in `Globals`.
fn setting(resource: &Resource<'_>, property: &str) -> Option<u32> {
    if resource.has(property) {
        return resource.number(property);
    }
    let at = format!("Globals.Function.{property}");
    let value = resource.scope.resolve(global(resource.scope, property)?, &at)?;
    let number = whole_number(&value);
    if number.is_none() && !value.is_null() {
        resource.scope.problem(at, format!("{value} is not a whole number"));
    }
    number
}

fn environment(resource: &Resource<'_>) -> Option<BTreeMap<String, String>> {
    let scope = resource.scope;
    let common = global(scope, "Environment")
        .and_then(|all| scope.resolve(all, "Globals.Function.Environment"));
    let own = resource.value("Environment");
    let mut environment = BTreeMap::new();
    for source in [common, own].into_iter().flatten() {
        for (name, value) in
            source.get("Variables").and_then(Value::as_object).into_iter().flatten()
        {
            let text = match value {
                Value::String(text) => scope.localised(text),
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                _ => {
                    let at = format!("Environment.Variables.{name}");
                    resource.problem(&at, "must be a text");
                    continue;
                }
            };
            environment.insert(name.clone(), text);
        }
    }
    Some(environment)
}

pub(super) fn event_sources(
    scope: &Scope<'_>,
    functions: &BTreeMap<String, Function>,
    resources: &Resources,
) -> Vec<EventSource> {
    scope
        .resources_of("AWS::Lambda::EventSourceMapping")
        .iter()
        .filter(|mapping| mapping.value("Enabled") != Some(Value::Bool(false)))
        .filter_map(|mapping| event_source(mapping, functions, resources))
        .collect()
}

fn event_source(
    mapping: &Resource<'_>,
    functions: &BTreeMap<String, Function>,
    resources: &Resources,
) -> Option<EventSource> {
    let target = mapping.required_text("FunctionName");
    let source = mapping.required_text("EventSourceArn");
    let (target, source) = (last_segment(&target?), last_segment(&source?));
    let Some(function) = functions.get(&target) else {
        mapping.problem("FunctionName", format!("there is no function {target}"));
        return None;
    };
    let Some(queue) = resources.queues.iter().find(|queue| queue.name == source) else {
        mapping.problem("EventSourceArn", format!("there is no queue {source} in the template"));
        return None;
    };
    let visibility = queue.attributes.get("VisibilityTimeout").and_then(|text| text.parse().ok());
    if visibility.unwrap_or(DEFAULT_VISIBILITY_SECONDS) < function.timeout.as_secs() {
        let text = "the queue's visibility timeout is shorter than the function's timeout";
        mapping.problem("EventSourceArn", text);
    }
    let most = if queue.fifo { MAX_FIFO_BATCH } else { MAX_BATCH };
    let window = bounded(mapping, "MaximumBatchingWindowInSeconds", 0, 0, MAX_WINDOW_SECONDS);
    Some(EventSource {
        function: target,
        queue: source,
        batch_size: bounded(mapping, "BatchSize", 10, 1, most),
        batching_window: Duration::from_secs(window.into()),
        maximum_concurrency: maximum_concurrency(mapping),
        reports_item_failures: mapping
            .texts("FunctionResponseTypes")
            .iter()
            .any(|kind| kind == "ReportBatchItemFailures"),
    })
}

fn bounded(mapping: &Resource<'_>, property: &str, otherwise: u32, least: u32, most: u32) -> u32 {
    let number = mapping.number(property).unwrap_or(otherwise);
    if !(least..=most).contains(&number) {
        mapping.problem(property, format!("must be {least} to {most}"));
    }
    number
}

fn maximum_concurrency(mapping: &Resource<'_>) -> u32 {
    let scaling = mapping.value("ScalingConfig").unwrap_or(Value::Object(Map::new()));
    let Some(value) = scaling.get("MaximumConcurrency") else {
        return DEFAULT_MAPPING_CONCURRENCY;
    };
    match whole_number(value) {
        Some(number) if (2..=MAX_MAPPING_CONCURRENCY).contains(&number) => number,
        _ => {
            let text = format!("must be 2 to {MAX_MAPPING_CONCURRENCY}");
            mapping.problem("ScalingConfig.MaximumConcurrency", text);
            DEFAULT_MAPPING_CONCURRENCY
        }
    }
}

/// The name in an ARN; a plain name is its own last segment.
pub(super) fn last_segment(arn: &str) -> String {
    arn.rsplit(':').next().unwrap_or(arn).to_owned()
}
