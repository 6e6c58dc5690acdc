//! Reading `template.yaml`: what a good one means, and what is said of a bad one.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at a surprise")]

use std::collections::BTreeMap;
use std::time::Duration;

use gateway::model::{HttpRoute, Model, SocketRoute};
use gateway::template::{Physical, Problems, Settings, Template};

const GOOD: &str = include_str!("fixtures/template.yaml");

fn settings(overrides: &[(&str, &str)]) -> Settings {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Settings {
        stack: "confab".to_owned(),
        region: "us-east-1".to_owned(),
        account: "000000000000".to_owned(),
        origin: "127.0.0.1:8080".to_owned(),
        overrides: overrides.iter().map(pair).collect(),
    }
}

fn model_of(text: &str, overrides: &[(&str, &str)]) -> Result<Model, Problems> {
    let settings = settings(overrides);
    let template = Template::parse(text, settings.clone())?;
    let resources = template.check()?;
    template.model(&Physical::expected(&settings, &resources))
}

/// The problems of the good template with one piece of text replaced, one line each.
fn problems_with(good: &str, bad: &str) -> String {
    assert!(GOOD.contains(good), "the fixture has no {good}");
    let problems = model_of(&GOOD.replace(good, bad), &[]).unwrap_err().to_string();
    assert!(!problems.is_empty());
    problems
}

#[test]
fn a_functions_environment_is_resolved_for_this_machine() {
    let model = model_of(GOOD, &[("RecordFile", "/tmp/record")]).unwrap();
    let function = &model.functions["obey"];
    let expected = BTreeMap::from(
        [
            ("API_URL", "http://127.0.0.1:8080"),
            (
                "DATABASE_SECRET_ARN",
                "arn:aws:secretsmanager:us-east-1:000000000000:secret:confab/database",
            ),
            ("LITERAL", "${Kept} plain us-east-1"),
            ("LOG_LEVEL", "info"),
            ("MANAGEMENT_ENDPOINT", "http://127.0.0.1:8080/socket"),
            ("MODE", "common"),
            ("PARTS", "one+two+three"),
            ("QUEUE_ARN", "arn:aws:sqs:us-east-1:000000000000:confab-loose"),
            ("QUEUE_URL", "http://127.0.0.1/000000000000/confab-ordered.fifo"),
            ("RECORD", "/tmp/record"),
            ("SECOND_ORIGIN", "https://b.example"),
            ("SECRET_ARN", "arn:aws:secretsmanager:us-east-1:000000000000:secret:confab/signing"),
            ("SOCKET_URL", "ws://127.0.0.1:8080/socket"),
            ("TABLE_NAME", "confab-live"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    assert_eq!(function.environment, expected);
    assert_eq!(function.timeout, Duration::from_secs(7));
    assert_eq!((function.memory_mb, function.reserved_concurrency), (256, Some(3)));
}

#[test]
fn routes_lead_to_functions() {
    let model = model_of(GOOD, &[]).unwrap();
    let expected = HttpRoute {
        method: "POST".to_owned(),
        path: "/orders/{order_id}".to_owned(),
        function: "obey".to_owned(),
    };
    assert_eq!(model.http.routes, [expected]);
    let cors = model.http.cors.unwrap();
    assert_eq!(cors.allow_origins, ["https://a.example", "https://b.example"]);
    assert_eq!(cors.max_age_seconds, Some(60));

    let route =
        |has_route_response| SocketRoute { function: "obey".to_owned(), has_route_response };
    assert_eq!(model.socket.stage, "socket");
    assert_eq!(model.socket.route_selection, "$request.body.type");
    assert_eq!(model.socket.routes["$connect"], route(false));
    assert_eq!(model.socket.routes["$default"], route(true));
}

#[test]
fn queues_mappings_and_stores_are_read() {
    let model = model_of(GOOD, &[("Concurrency", "4")]).unwrap();
    let ordered = model.event_sources.iter().find(|s| s.queue == "confab-ordered.fifo").unwrap();
    assert_eq!((ordered.batch_size, ordered.maximum_concurrency), (10, 4));
    assert!(ordered.reports_item_failures);
    let loose = model.event_sources.iter().find(|s| s.queue == "confab-loose").unwrap();
    assert_eq!((loose.batch_size, loose.batching_window), (5, Duration::from_secs(1)));
    assert!(!loose.reports_item_failures);

    let queue = |name: &str| model.resources.queues.iter().find(|q| q.name == name).unwrap();
    assert!(queue("confab-ordered.fifo").fifo);
    assert_eq!(queue("confab-ordered.fifo").attributes["DeduplicationScope"], "messageGroup");
    let redrive = &queue("confab-loose").attributes["RedrivePolicy"];
    let lost = "arn:aws:sqs:us-east-1:000000000000:confab-lost";
    let expected = format!(r#"{{"deadLetterTargetArn":"{lost}","maxReceiveCount":5}}"#);
    assert_eq!(*redrive, expected);
    let table = &model.resources.tables[0];
    assert_eq!(table.partition_key, ("pk".to_owned(), "S".to_owned()));
    assert_eq!(table.sort_key, Some(("sk".to_owned(), "S".to_owned())));
    assert_eq!(table.ttl_attribute.as_deref(), Some("expires_at"));
    assert_eq!(model.resources.buckets, ["confab-attachments-000000000000"]);
    assert_eq!(model.resources.secrets[0].length, 64);
}

#[test]
fn a_schedule_that_cannot_be_kept_is_refused() {
    let rates = [
        ("rate(1 hour)", "rate(1 hours)", "EveryHour.ScheduleExpression: rate(1 hours) is no rate"),
        ("rate(1 hour)", "cron(0 12 * * ? *)", "EveryHour.ScheduleExpression: cron("),
        ("ScheduleExpression: rate(1 hour)\n", "Other: 1\n", "EveryHour.ScheduleExpression: is"),
        ("State: ENABLED", "State: ON", "EveryHour.State: "),
        ("Targets: [{ Id: obey, Arn: !GetAtt Obey.Arn }]", "Targets: []", "EveryHour.Targets: "),
        ("Targets: [{ Id: obey, ", "Targets: [{ Input: x, ", "EveryHour.Targets: Input: "),
        ("Targets: [{ Id: obey, Arn: !GetAtt Obey.Arn", "Targets: [{ Arn: x", "EveryHour.Targets"),
        ("ScheduleExpression: rate(1 hour)", "EventPattern: {}", "EveryHour.EventPattern: "),
    ];
    for (good, bad, expected) in rates {
        let problems = problems_with(good, bad);
        assert!(problems.starts_with(expected), "{problems}");
    }
}

#[test]
fn a_condition_decides_what_exists() {
    let names = |model: Model| -> Vec<String> {
        model.resources.queues.into_iter().map(|queue| queue.name).collect()
    };
    let slow = model_of(GOOD, &[("Mode", "slow")]).unwrap();
    assert_eq!(slow.functions["obey"].environment["MODE"], "slow");
    assert!(names(slow).contains(&"only-when-slow".to_owned()));
    assert!(!names(model_of(GOOD, &[]).unwrap()).contains(&"only-when-slow".to_owned()));
}

#[test]
fn the_projects_own_template_can_be_run() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let model = model_of(&text, &[]).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(model.http.routes.iter().any(|route| route.function == "send-message"));
    assert!(model.socket.routes.contains_key("$connect"));
    assert!(model.event_sources.iter().any(|source| source.function == "persist-messages"));
}

#[test]
fn what_is_not_a_template_is_refused() {
    for (text, expected) in [
        ("a: [", "not YAML"),
        ("", "one YAML document"),
        ("- a", "not a YAML mapping"),
        ("a: 1", "no Resources"),
        ("a: 1\n---\na: 2", "one YAML document"),
        ("Resources: {A: !!binary x}", "cannot read"),
        ("Resources: {A: 1, A: 2}", "duplicated key"),
    ] {
        let problems = model_of(text, &[]).unwrap_err().to_string();
        assert!(problems.contains(expected), "{text:?}: {problems}");
    }
    let deep = format!("Resources: {}1{}", "[".repeat(100), "]".repeat(100));
    assert!(model_of(&deep, &[]).unwrap_err().to_string().contains("nested more than"));
    let large = format!("Resources: {{}}\n# {}", "x".repeat(1_000_000));
    assert!(model_of(&large, &[]).unwrap_err().to_string().contains("1000000 at most"));
}

#[test]
fn a_parameter_must_exist_and_be_allowed() {
    let unknown = model_of(GOOD, &[("Nope", "1")]).unwrap_err().to_string();
    assert!(unknown.starts_with("Parameters.Nope: there is no such parameter; there are "));
    let refused = model_of(GOOD, &[("Mode", "fast")]).unwrap_err().to_string();
    assert_eq!(refused, "Parameters.Mode: fast is not one of plain, slow");
    for (number, expected) in [("many", "not a number"), ("1", "below 2"), ("60", "above 50")] {
        let refused = model_of(GOOD, &[("Concurrency", number)]).unwrap_err().to_string();
        assert!(refused.ends_with(expected), "{refused}");
    }
    let missing = problems_with("\n    Default: /dev/null", "");
    assert!(
        missing.starts_with("Obey.Environment.Variables.RECORD: needs the parameter RecordFile")
    );
}

#[test]
fn a_route_to_nowhere_names_the_route() {
    let nowhere = problems_with("${HttpIntegration}", "${Missing}");
    assert_eq!(nowhere, "HttpRoute.Target: there is no resource or parameter Missing");
    let not_one = problems_with("integrations/${HttpIntegration}", "integrations/Obey");
    assert!(not_one.starts_with("HttpRoute.Target: leads nowhere: integrations/Obey"));
    let no_function = problems_with("IntegrationUri: !GetAtt Obey.Arn", "IntegrationUri: other");
    assert_eq!(
        no_function,
        "SocketIntegration.IntegrationUri: leads nowhere: there is no function other"
    );
    let bad_key = problems_with("POST /orders", "SEND /orders");
    assert!(bad_key.starts_with("HttpRoute.RouteKey: SEND /orders"));
}

#[test]
fn an_intrinsic_that_is_not_known_names_resource_and_property() {
    let unknown = problems_with("MODE: !If [IsSlow, slow, !Ref AWS::NoValue]", "MODE: !Cidr [a]");
    assert!(unknown.starts_with("Obey.Environment.Variables.MODE: Fn::Cidr is an intrinsic"));
    let import = problems_with("RECORD: !Ref RecordFile", "RECORD: !ImportValue x");
    assert!(import.contains("no other stack exports anything here"));
    let attribute =
        problems_with("!GetAtt Loose.Arn\n          M", "!GetAtt Loose.Age\n          M");
    assert!(attribute.contains("Obey.Environment.Variables.QUEUE_ARN: the gateway does not know"));
    let condition = problems_with("!If [IsSlow", "!If [IsOdd");
    assert!(condition.contains("there is no condition IsOdd"), "{condition}");
}

#[test]
fn a_circle_is_found_and_shown() {
    let circle = problems_with(
        "QueueName: !Sub \"${AWS::StackName}-lost\"",
        "QueueName: !GetAtt Loose.QueueName",
    );
    assert_eq!(circle, "Loose: resources refer to each other in a circle: Loose → Lost → Loose");
    let conditions =
        problems_with("IsSlow: !Equals [!Ref Mode, slow]", "IsSlow: !Not [!Condition IsPlain]");
    assert!(conditions.contains("refers to itself in a circle"), "{conditions}");
}

#[test]
fn mistakes_that_aws_would_refuse_are_refused_here() {
    for (good, bad, expected) in [
        ("VisibilityTimeout: 8", "VisibilityTimeout: 2", "visibility timeout is shorter"),
        ("BatchSize: 10", "BatchSize: 11", "OrderedMapping.BatchSize: must be 1 to 10"),
        ("MaximumConcurrency: !Ref Concurrency", "MaximumConcurrency: 1", "must be 2 to 1000"),
        ("FifoQueue: true", "FifoQueue: false", "the ending .fifo go together"),
        ("\n      RouteResponseSelectionExpression: $default", "", "AWS answers only with both"),
        ("Timeout: 7", "Timeout: many", "Globals.Function.Timeout: \"many\" is not a whole number"),
        ("MemorySize: 256", "Events: {}", "explicit routes and event source mappings only"),
        (
            "Target: !Sub integrations/${HttpIntegration}",
            "Other: 1",
            "HttpRoute.Target: is missing",
        ),
    ] {
        let problems = problems_with(good, bad);
        assert!(problems.contains(expected), "{bad}: {problems}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let bad = GOOD
        .replace("MaximumConcurrency: !Ref Concurrency", "MaximumConcurrency: 1")
        .replace("RECORD: !Ref RecordFile", "RECORD: !Ref Missing")
        .replace("PARTS: !Join", "PARTS: !Blend");
    let Problems(problems) = model_of(&bad, &[]).unwrap_err();
    assert_eq!(problems.len(), 3, "{problems:?}");
}
