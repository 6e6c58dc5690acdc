//! What a function may do is what its environment says that it uses, and nothing else.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::repository::{assert_none, read};
use crate::template::{Function, Template};

/// A variable, and what an IAM statement must hold for the function to use it: the action, and the
/// resource as the template writes it.
const GRANTS: [(&str, &str, &str); 12] = [
    ("DATABASE_SECRET_ARN", "secretsmanager:GetSecretValue", "DatabaseSecretArn"),
    ("SIGNING_SECRET_ARN", "secretsmanager:GetSecretValue", "SigningSecret"),
    ("SEALING_SECRET_ARN", "secretsmanager:GetSecretValue", "SealingSecret"),
    ("TABLE_NAME", "dynamodb:", "LiveTable.Arn"),
    ("FAN_OUT_QUEUE_URL", "sqs:SendMessage", "EventsToFanOut.Arn"),
    ("RECEIPT_QUEUE_URL", "sqs:SendMessage", "ReceiptsToRecord.Arn"),
    ("PRESENCE_QUEUE_URL", "sqs:SendMessage", "PresenceToAnnounce.Arn"),
    ("QUARANTINE_QUEUE_URL", "sqs:SendMessage", "QuarantinedMessages.Arn"),
    ("MAIL_QUEUE_URL", "sqs:SendMessage", "MailToSend.Arn"),
    ("ERASURE_QUEUE_URL", "sqs:SendMessage", "AccountsToErase.Arn"),
    ("PERSIST_QUEUE_URL", "sqs:", "MessagesToPersist.Arn"),
    ("MANAGEMENT_ENDPOINT", "execute-api:ManageConnections", "/@connections/*"),
];

pub fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

fn statements_of(policy: &Value) -> Vec<Value> {
    list(&policy["PolicyDocument"]["Statement"])
}

/// The statements of a role: its own, and those of the policies that it shares.
pub fn statements(template: &Template, role: &str) -> Vec<Value> {
    let properties = &template.resource(role)["Properties"];
    let mut found = Vec::new();
    for own in properties["Policies"].as_array().into_iter().flatten() {
        found.extend(statements_of(own));
    }
    for shared in properties["ManagedPolicyArns"].as_array().into_iter().flatten() {
        let name = shared["Ref"].as_str().expect("a policy of this template");
        found.extend(statements_of(&template.resource(name)["Properties"]));
    }
    found
}

fn grants(statements: &[Value], action: &str, resource: &str) -> bool {
    statements.iter().any(|statement| {
        let actions = list(&statement["Action"]);
        let names_action =
            actions.iter().filter_map(Value::as_str).any(|own| own.starts_with(action));
        let resources = list(&statement["Resource"]);
        let names_resource = resources.iter().any(|own| {
            let written = own["Ref"].as_str().or(own["GetAtt"].as_str()).or(own["Sub"].as_str());
            written.is_some_and(|written| written.ends_with(resource))
        });
        names_action && names_resource
    })
}

pub fn role_of(function: &Function) -> &str {
    let role = function.properties["Role"]["GetAtt"].as_str().expect("a role");
    role.trim_end_matches(".Arn")
}

#[test]
fn a_function_is_granted_exactly_what_its_environment_names() {
    let template = Template::read();
    let mut offences = Vec::new();
    for function in template.functions() {
        let environment = template.environment(&function);
        let statements = statements(&template, role_of(&function));
        for (variable, action, resource) in GRANTS {
            let is_used = environment.contains_key(variable);
            let is_granted = grants(&statements, action, resource);
            if is_used && !is_granted {
                offences.push(format!("{} reads {variable} without a grant", function.binary));
            }
            if is_granted && !is_used {
                offences.push(format!("{} needs no grant on {resource}", function.binary));
            }
        }
    }
    assert_none("template.yaml", &offences);
}

/// What a service does to each kind of item, as its adapter in `shared/aws/src/table` does it:
/// a function, its actions on keys that begin so.
#[test]
fn the_table_is_open_only_as_far_as_the_adapters_go() {
    const WATCHING: [(&[&str], &str, &str); 4] = [
        (&["socket-signal", "block-user", "erase-accounts"], "dynamodb:BatchWriteItem", "W#*"),
        (&["block-user"], "dynamodb:BatchGetItem", "W#*"),
        (&["announce-presence", "erase-accounts"], "dynamodb:Query", "W#*"),
        (&["socket-message"], "dynamodb:UpdateItem", "C#*"),
    ];
    let template = Template::read();
    let mut offences = Vec::new();
    for function in template.functions() {
        let statements = statements(&template, role_of(&function));
        for (only, action, keys) in WATCHING {
            let may = statements.iter().any(|statement| {
                let leading = &statement["Condition"]["ForAllValues:StringLike"];
                list(&statement["Action"]).iter().any(|own| own == action)
                    && list(&leading["dynamodb:LeadingKeys"]).iter().any(|own| own == keys)
            });
            if may != only.contains(&function.binary.as_str()) {
                offences.push(format!("{}: {action} on {keys} is for {only:?}", function.binary));
            }
            if statements.iter().any(|s| list(&s["Action"]).iter().any(|a| a == "dynamodb:Scan")) {
                offences.push(format!("{}: nothing here is ever scanned", function.binary));
            }
        }
    }
    assert_none("template.yaml", &offences);
}

#[test]
fn no_statement_grants_everything() {
    let template = Template::read();
    let mut offences = Vec::new();
    let roles = template.resources("AWS::IAM::Role").into_iter();
    for (role, _) in roles {
        for statement in statements(&template, role) {
            let actions = list(&statement["Action"]);
            let actions: Vec<&str> = actions.iter().filter_map(Value::as_str).collect();
            if actions.iter().any(|action| action.contains('*')) {
                offences.push(format!("{role}: {actions:?}"));
            }
            // A network interface has no name before it is made.
            let is_network = actions.iter().all(|action| action.starts_with("ec2:"));
            let is_any = list(&statement["Resource"]).iter().any(|resource| resource == "*");
            if is_any && !is_network {
                offences.push(format!("{role}: {actions:?} on every resource"));
            }
            let is_table = actions.iter().any(|action| action.starts_with("dynamodb:"));
            if is_table && statement["Condition"].is_null() {
                offences.push(format!("{role}: {actions:?} on every key of the table"));
            }
        }
    }
    assert_none("name the actions, the resource and the keys", &offences);
}

/// `transport/config.rs` is the only reader of the environment; it spells out each name once.
#[test]
fn the_environment_of_the_template_is_what_config_reads() {
    let template = Template::read();
    let mut declared = BTreeSet::new();
    for function in template.functions() {
        declared.extend(template.environment(&function).into_keys());
    }
    let config = read("shared/transport/src/config.rs");
    let code = config.split("#[cfg(test)]").next().unwrap_or_default();
    let literals = code.split('"').skip(1).step_by(2);
    let is_name = |text: &&str| {
        text.len() > 2 && text.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_')
    };
    // Lambda and the SDK set and read these by themselves.
    let ours = literals.filter(is_name).filter(|name| !name.starts_with("AWS_"));
    let read: BTreeSet<String> = ours.map(str::to_owned).collect();
    assert_eq!(declared, read, "left: template.yaml, right: shared/transport/src/config.rs");
}
