//! Queues, connections and limits: the numbers of `template.yaml` that must fit each other.

use serde_json::Value;

use crate::repository::assert_none;
use crate::template::{Function, Template};

/// Postgres keeps some for its owner, migrations and people.
const SPARE_CONNECTIONS: u64 = 20;

fn uses_postgres(template: &Template, function: &Function) -> bool {
    template.environment(function).contains_key("DATABASE_SECRET_ARN")
}

#[test]
fn functions_never_ask_postgres_for_more_connections_than_it_has() {
    let template = Template::read();
    let max_connections =
        template.number(template.parameter_default("DatabaseMaxConnections")).expect("a number");
    let mut sum = 0;
    let mut offences = Vec::new();
    for function in template.functions() {
        let reserved = &function.properties["ReservedConcurrentExecutions"];
        match (uses_postgres(&template, &function), template.number(reserved)) {
            (true, Some(reserved)) => sum += reserved,
            (true, None) => {
                offences.push(format!("{} uses Postgres without a bound", function.binary));
            }
            (false, Some(_)) => {
                offences.push(format!("{} is bounded for no reason", function.binary));
            }
            (false, None) => {}
        }
    }
    assert_none("reserve concurrency exactly where it protects Postgres", &offences);
    assert!(
        sum < max_connections - SPARE_CONNECTIONS,
        "{sum} reserved, {max_connections} connections, {SPARE_CONNECTIONS} to spare"
    );
}

#[test]
fn a_function_is_inside_the_network_only_for_postgres() {
    let template = Template::read();
    let misplaced = template.functions().into_iter().filter(|function| {
        uses_postgres(&template, function) == function.properties["VpcConfig"].is_null()
    });
    let misplaced: Vec<_> = misplaced.map(|function| function.binary).collect();
    assert_none("VpcConfig and DATABASE_SECRET_ARN go together", &misplaced);
}

#[test]
fn every_queue_has_a_dead_letter_queue_or_a_reason() {
    let template = Template::read();
    let queues = template.resources("AWS::SQS::Queue").into_iter();
    let silent = queues.filter(|(_, queue)| {
        let has_redrive = !queue["Properties"]["RedrivePolicy"].is_null();
        let reason = queue["Metadata"]["NoDeadLetterQueue"].as_str().unwrap_or_default();
        !has_redrive && reason.len() < 20
    });
    let silent: Vec<_> = silent.map(|(name, _)| name.to_owned()).collect();
    assert_none("say `Metadata: { NoDeadLetterQueue: why }`", &silent);
}

fn mapped<'a>(template: &'a Template, source: &Value) -> (Function, &'a Value) {
    let reference = |field: &str| {
        let attribute = source["Properties"][field]["GetAtt"].as_str().expect("a !GetAtt");
        attribute.trim_end_matches(".Arn").to_owned()
    };
    let function_id = reference("FunctionName");
    let mut functions = template.functions().into_iter();
    let function = functions.find(|f| f.logical_id == function_id).expect("its function");
    (function, template.resource(&reference("EventSourceArn")))
}

#[test]
fn every_worker_reports_single_failures_and_is_bounded() {
    let template = Template::read();
    let mut offences = Vec::new();
    for (name, source) in template.resources("AWS::Lambda::EventSourceMapping") {
        let properties = &source["Properties"];
        if properties["FunctionResponseTypes"][0] != "ReportBatchItemFailures" {
            offences.push(format!("{name}: ReportBatchItemFailures is missing"));
        }
        if template.number(&properties["ScalingConfig"]["MaximumConcurrency"]).is_none() {
            offences.push(format!("{name}: MaximumConcurrency is missing"));
        }
    }
    assert_none("template.yaml", &offences);
}

#[test]
fn receipts_are_gathered_into_batches_of_the_size_that_the_domain_says() {
    let source = &Template::read().resource("RecordReceiptsSource")["Properties"].clone();
    assert_eq!(source["BatchSize"], domain::limits::RECEIPTS_PER_BATCH);
    assert_eq!(source["MaximumBatchingWindowInSeconds"], 1);
}

#[test]
fn one_sweep_runs_at_a_time_each_minute_and_its_schedule_may_start_it() {
    let template = Template::read();
    let [(_, rule)] = template.resources("AWS::Events::Rule")[..] else { panic!("one rule") };
    assert_eq!(rule["Properties"]["ScheduleExpression"], "rate(1 minute)");
    assert_eq!(rule["Properties"]["Targets"][0]["Arn"]["GetAtt"], "SweepStragglers.Arn");
    let sweep = &template.resource("SweepStragglers")["Properties"];
    assert_eq!(sweep["ReservedConcurrentExecutions"], 1);
    let permission = &template.resource("SweepStragglersPermission")["Properties"];
    assert_eq!(permission["FunctionName"]["GetAtt"], "SweepStragglers.Arn");
    assert_eq!(permission["SourceArn"]["GetAtt"], "SweepStragglersSchedule.Arn");
    assert_eq!(permission["Principal"], "events.amazonaws.com");
}

/// Queues for what nobody could do, and their alarms.
#[test]
fn any_message_in_the_quarantine_or_in_a_dead_letter_queue_raises_an_alarm() {
    let template = Template::read();
    let alarms = template.resources("AWS::CloudWatch::Alarm");
    let is_told = |queue: &str| {
        alarms.iter().any(|(_, alarm)| {
            let properties = &alarm["Properties"];
            let dimension = &properties["Dimensions"][0]["Value"]["GetAtt"];
            *dimension == format!("{queue}.QueueName")
                && properties["MetricName"] == "ApproximateNumberOfMessagesVisible"
                && properties["Statistic"] == "Maximum"
                && properties["Threshold"] == 1
                && properties["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
        })
    };
    let queues = template.resources("AWS::SQS::Queue").into_iter();
    let ends = queues.filter(|(name, queue)| {
        queue["Properties"]["RedrivePolicy"].is_null() && *name != "MessagesToPersist"
    });
    let silent: Vec<_> = ends.map(|(name, _)| name.to_owned()).filter(|n| !is_told(n)).collect();
    assert_none("an end of a queue without an alarm", &silent);
}

/// A queue that is worked through is watched for how long its oldest message waits.
#[test]
fn every_queue_with_a_worker_has_an_alarm_on_the_age_of_its_oldest_message() {
    let template = Template::read();
    let watched: Vec<String> = template
        .resources("AWS::CloudWatch::Alarm")
        .into_iter()
        .filter(|(_, alarm)| alarm["Properties"]["MetricName"] == "ApproximateAgeOfOldestMessage")
        .map(|(_, alarm)| alarm["Properties"]["Dimensions"][0]["Value"]["GetAtt"].to_string())
        .collect();
    let mut offences = Vec::new();
    for (name, source) in template.resources("AWS::Lambda::EventSourceMapping") {
        let queue = source["Properties"]["EventSourceArn"]["GetAtt"].as_str().unwrap_or_default();
        let queue = queue.trim_end_matches(".Arn");
        if !watched.iter().any(|dimension| dimension.contains(&format!("\"{queue}.QueueName"))) {
            offences.push(format!("{name}: nobody notices when {queue} is not emptied"));
        }
    }
    assert_none("template.yaml, alarms", &offences);
}

/// The worker says it in its log; the metric is made of that line.
#[test]
fn the_quarantine_metric_counts_what_the_worker_logs() {
    let template = Template::read();
    let filter = &template.resource("QuarantinedMetric")["Properties"];
    assert_eq!(filter["LogGroupName"]["Ref"], "PersistMessagesLogs");
    assert_eq!(filter["FilterPattern"], "{ $.metric = \"quarantined\" }");
    let archive = crate::repository::read("shared/service/src/archive.rs");
    assert!(archive.contains("metric = \"quarantined\""), "service::archive logs no such field");
}

/// AWS asks for it: a throttled batch must not become visible while it is still being tried.
#[test]
fn a_message_stays_invisible_for_six_times_its_workers_timeout() {
    let template = Template::read();
    let mut offences = Vec::new();
    for (name, source) in template.resources("AWS::Lambda::EventSourceMapping") {
        let (function, queue) = mapped(&template, source);
        let timeout = function.properties["Timeout"].as_u64().expect("a timeout");
        let visibility = queue["Properties"]["VisibilityTimeout"].as_u64().unwrap_or(30);
        if visibility < 6 * timeout {
            offences.push(format!("{name}: {visibility} s invisible, {timeout} s timeout"));
        }
    }
    assert_none("raise VisibilityTimeout", &offences);
}

#[test]
fn the_persist_lane_is_as_delivery_promises_it() {
    let template = Template::read();
    let lane = &template.resource("MessagesToPersist")["Properties"];
    assert_eq!(lane["FifoQueue"], true);
    assert_eq!(lane["DeduplicationScope"], "messageGroup");
    assert_eq!(lane["FifoThroughputLimit"], "perMessageGroupId");
    assert_eq!(lane["MessageRetentionPeriod"], 14 * 24 * 3600);
    assert!(lane["RedrivePolicy"].is_null(), "a redrive would throw messages out of order");
    let source = &template.resource("PersistMessagesSource")["Properties"];
    assert_eq!(source["BatchSize"], domain::limits::PERSIST_BATCH);
    let worker = template.resource("PersistMessages")["Properties"].clone();
    assert_eq!(
        worker["ReservedConcurrentExecutions"], source["ScalingConfig"]["MaximumConcurrency"],
        "what the mapping starts must be able to run"
    );
}

#[test]
fn the_parameters_defaults_are_the_limits_of_the_domain() {
    let template = Template::read();
    let default = |name: &str| template.number(template.parameter_default(name));
    assert_eq!(default("MessagesPerSecond"), Some(domain::limits::MESSAGES_PER_SECOND.into()));
    assert_eq!(default("MessagesBurst"), Some(domain::limits::MESSAGES_BURST.into()));
    assert_eq!(default("LoginsPerMinute"), Some(domain::limits::LOGINS_PER_MINUTE.into()));
    let registrations = default("RegistrationsPerHour");
    assert_eq!(registrations, Some(domain::limits::REGISTRATIONS_PER_HOUR.into()));
    assert_eq!(default("MailsPerHour"), Some(domain::limits::MAILS_PER_HOUR.into()));
    assert_eq!(default("TicketsPerMinute"), Some(domain::limits::TICKETS_PER_MINUTE.into()));
    assert_eq!(default("InvitesPerHour"), Some(domain::limits::INVITES_PER_HOUR.into()));
    let openings = default("ConversationsPerHour");
    assert_eq!(openings, Some(domain::limits::CONVERSATIONS_PER_HOUR.into()));
    let requests = default("ContactRequestsPerHour");
    assert_eq!(requests, Some(domain::limits::CONTACT_REQUESTS_PER_HOUR.into()));
    assert_eq!(default("ByeAfterSeconds"), Some(domain::limits::BYE_AFTER.as_secs()));
    assert_eq!(default("NudgeAfterSeconds"), Some(domain::limits::NUDGE_AFTER.as_secs()));
}
