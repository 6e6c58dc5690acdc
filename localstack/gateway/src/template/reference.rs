//! What `Ref` and `GetAtt` yield on this machine.

use serde_json::Value;

use super::scope::Scope;

impl<'a> Scope<'a> {
    pub(super) fn reference(&self, name: &str, at: &str) -> Option<Value> {
        if let Some(pseudo) = name.strip_prefix("AWS::") {
            return self.pseudo(pseudo, at);
        }
        if self.parameters.declares(name) {
            let value = self.parameters.get(name, self.physical.database_secret_arn.as_deref());
            if value.is_none() {
                self.problem(
                    at,
                    format!("needs the parameter {name}; give it with --parameter {name}=…"),
                );
            }
            return value;
        }
        self.physical_id(name, at).map(Value::String)
    }

    fn pseudo(&self, name: &str, at: &str) -> Option<Value> {
        let text = match name {
            "StackName" => self.settings.stack.as_str(),
            "Region" => self.settings.region.as_str(),
            "AccountId" => self.settings.account.as_str(),
            "Partition" => "aws",
            "URLSuffix" => "amazonaws.com",
            "NoValue" => return Some(Value::Null),
            "StackId" => {
                return Some(Value::String(self.arn(
                    "cloudformation",
                    "stack/",
                    &self.settings.stack,
                )));
            }
            _ => {
                self.problem(at, format!("the gateway does not know AWS::{name}"));
                return None;
            }
        };
        Some(Value::from(text))
    }

    fn arn(&self, service: &str, prefix: &str, name: &str) -> String {
        let settings = self.settings;
        format!("arn:aws:{service}:{}:{}:{prefix}{name}", settings.region, settings.account)
    }

    pub(super) fn rule_arn(&self, id: &str, at: &str) -> Option<String> {
        Some(self.arn("events", "rule/", &self.physical_name(id, at)?))
    }

    /// The type of the resource; a name that nothing has is a problem.
    fn kind_of(&self, id: &str, at: &str) -> Option<&'a str> {
        let body = self.section("Resources").and_then(|resources| resources.get(id));
        let kind = body.and_then(|body| body.get("Type")).and_then(Value::as_str);
        if kind.is_none() {
            self.problem(at, format!("there is no resource or parameter {id}"));
        }
        kind
    }

    /// What `Ref` yields for a resource.
    fn physical_id(&self, id: &str, at: &str) -> Option<String> {
        let kind = self.kind_of(id, at)?;
        match kind {
            "AWS::SQS::Queue" => {
                let name = self.physical_name(id, at)?;
                Some(self.physical.queue_urls.get(&name).cloned().unwrap_or(name))
            }
            "AWS::SecretsManager::Secret" => self.attribute_text(id, kind, "Id", at),
            "AWS::ApiGatewayV2::Api" => Some(id.to_lowercase()),
            _ => self.physical_name(id, at),
        }
    }

    /// The name that the template gives, or one made from the stack's.
    pub(super) fn physical_name(&self, id: &str, at: &str) -> Option<String> {
        let property = match self.kind_of(id, at)? {
            "AWS::SQS::Queue" => "QueueName",
            "AWS::DynamoDB::Table" => "TableName",
            "AWS::S3::Bucket" => "BucketName",
            "AWS::SecretsManager::Secret" => "Name",
            "AWS::ApiGatewayV2::Stage" => "StageName",
            "AWS::Events::Rule" => "Name",
            "AWS::Serverless::Function" => return self.binary_name(id, at),
            "AWS::ApiGatewayV2::Integration" | "AWS::ApiGatewayV2::Route" => {
                return Some(id.to_owned());
            }
            _ => return Some(format!("{}-{id}", self.settings.stack)),
        };
        let properties = self.section("Resources").and_then(|all| all.get(id)?.get("Properties"));
        let Some(named) = properties.and_then(|properties| properties.get(property)) else {
            return Some(format!("{}-{id}", self.settings.stack));
        };
        match self.resolve(named, &format!("{id}.{property}"))? {
            Value::String(name) => Some(name),
            _ => {
                self.problem(format!("{id}.{property}"), "must be a text");
                None
            }
        }
    }

    /// A function is called as its binary: the last segment of its `CodeUri`.
    pub(super) fn binary_name(&self, id: &str, at: &str) -> Option<String> {
        let body = self.section("Resources").and_then(|resources| resources.get(id));
        let code =
            body.and_then(|body| body.pointer("/Properties/CodeUri")).and_then(Value::as_str);
        let name = code.and_then(|code| code.split('/').rfind(|segment| !segment.is_empty()));
        if name.is_none() {
            self.problem(format!("{id}.CodeUri"), format!("must be a path ({at} needs it)"));
        }
        name.map(str::to_owned)
    }

    pub(super) fn attribute(&self, id: &str, attribute: &str, at: &str) -> Option<Value> {
        let kind = self.kind_of(id, at)?;
        self.attribute_text(id, kind, attribute, at).map(Value::String)
    }

    fn attribute_text(&self, id: &str, kind: &str, attribute: &str, at: &str) -> Option<String> {
        let name = || self.physical_name(id, at);
        match (kind, attribute) {
            ("AWS::SQS::Queue", "Arn") => Some(self.arn("sqs", "", &name()?)),
            ("AWS::SQS::Queue", "QueueName") => name(),
            ("AWS::SQS::Queue", "QueueUrl") => self.physical_id(id, at),
            ("AWS::DynamoDB::Table", "Arn") => Some(self.arn("dynamodb", "table/", &name()?)),
            ("AWS::S3::Bucket", "Arn") => Some(format!("arn:aws:s3:::{}", name()?)),
            ("AWS::Serverless::Function", "Arn") => Some(self.arn("lambda", "function:", &name()?)),
            ("AWS::SecretsManager::Secret", "Id") => {
                let name = name()?;
                let known = self.physical.secret_arns.get(&name).cloned();
                Some(known.unwrap_or_else(|| self.arn("secretsmanager", "secret:", &name)))
            }
            ("AWS::ApiGatewayV2::Api", "ApiId") => self.physical_id(id, at),
            ("AWS::ApiGatewayV2::Api", "ApiEndpoint") => {
                let protocol =
                    self.section("Resources")?.get(id)?.pointer("/Properties/ProtocolType");
                let is_socket = protocol.and_then(Value::as_str) == Some("WEBSOCKET");
                let scheme = if is_socket { "wss" } else { "https" };
                Some(format!("{scheme}://{}", self.api_host(id)))
            }
            ("AWS::IAM::Role", "Arn") => {
                Some(format!("arn:aws:iam::{}:role/{}", self.settings.account, name()?))
            }
            ("AWS::Events::Rule", "Arn") => self.rule_arn(id, at),
            ("AWS::Logs::LogGroup", "Arn") => Some(self.arn("logs", "log-group:", &name()?)),
            _ => {
                self.problem(at, format!("the gateway does not know {id}.{attribute} of a {kind}"));
                None
            }
        }
    }
}
