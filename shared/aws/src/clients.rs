//! One client a service, made when it is first asked for, all from one configuration.

use std::sync::OnceLock;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;

use crate::usage::{Service, Usage};

/// A service that cannot be reached in a second is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Ten times what a slow answer takes.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
const ATTEMPTS: u32 = 3;
/// A push is one of many and has the fan-out queue behind it.
const PUSH_TIMEOUT: Duration = Duration::from_secs(2);
const PUSH_ATTEMPTS: u32 = 2;

/// What is not left to the environment of the process. `AWS_REGION`, `AWS_ENDPOINT_URL` and the
/// credentials are read by the SDK itself.
#[derive(Debug, Clone, Default)]
pub struct ClientOptions {
    pub region: Option<String>,
    pub endpoint_url: Option<String>,
    pub credentials: Option<Credentials>,
    /// What the clients do is counted here.
    pub usage: Usage,
}

/// The clients of this process.
pub struct Clients {
    config: SdkConfig,
    usage: Usage,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    sqs: OnceLock<aws_sdk_sqs::Client>,
    secrets: OnceLock<aws_sdk_secretsmanager::Client>,
    ses: OnceLock<aws_sdk_sesv2::Client>,
}

impl Clients {
    /// The only place where AWS configuration is loaded. No call is made yet.
    pub async fn load(options: ClientOptions) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS));
        if let Some(region) = options.region {
            loader = loader.region(Region::new(region));
        }
        if let Some(endpoint_url) = options.endpoint_url {
            loader = loader.endpoint_url(endpoint_url);
        }
        if let Some(credentials) = options.credentials {
            loader = loader.credentials_provider(credentials);
        }
        let (dynamodb, sqs, secrets, ses) = Default::default();
        Self { config: loader.load().await, usage: options.usage, dynamodb, sqs, secrets, ses }
    }

    /// What these clients have done.
    pub fn usage(&self) -> &Usage {
        &self.usage
    }

    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let make = || {
            let config = aws_sdk_dynamodb::config::Builder::from(&self.config);
            let meter = self.usage.meter(Service::DynamoDb);
            aws_sdk_dynamodb::Client::from_conf(config.interceptor(meter).build())
        };
        self.dynamodb.get_or_init(make).clone()
    }

    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        let make = || {
            let config = aws_sdk_sqs::config::Builder::from(&self.config);
            let meter = self.usage.meter(Service::Sqs);
            aws_sdk_sqs::Client::from_conf(config.interceptor(meter).build())
        };
        self.sqs.get_or_init(make).clone()
    }

    pub fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        let make = || {
            let config = aws_sdk_secretsmanager::config::Builder::from(&self.config);
            let meter = self.usage.meter(Service::Secrets);
            aws_sdk_secretsmanager::Client::from_conf(config.interceptor(meter).build())
        };
        self.secrets.get_or_init(make).clone()
    }

    pub fn ses(&self) -> aws_sdk_sesv2::Client {
        let make = || {
            let config = aws_sdk_sesv2::config::Builder::from(&self.config);
            let meter = self.usage.meter(Service::Ses);
            aws_sdk_sesv2::Client::from_conf(config.interceptor(meter).build())
        };
        self.ses.get_or_init(make).clone()
    }

    /// For the sockets behind this `@connections` address (`https://…/<stage>`), with less
    /// patience than the others. Each call makes a client; a process needs one.
    pub fn management(&self, endpoint_url: &str) -> aws_sdk_apigatewaymanagement::Client {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_timeout(PUSH_TIMEOUT)
            .build();
        let config = aws_sdk_apigatewaymanagement::config::Builder::from(&self.config)
            .endpoint_url(endpoint_url)
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(PUSH_ATTEMPTS))
            .interceptor(self.usage.meter(Service::Management))
            .build();
        aws_sdk_apigatewaymanagement::Client::from_conf(config)
    }
}
