//! Creates on the emulator what the template declares. Everything is made only if it is missing,
//! so that a second start keeps the data.

mod database_secret;
mod queues;
mod tables;

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use aws_sdk_sqs::config::Credentials;

use crate::model::{Resources, Secret};
use crate::template::Physical;

/// No emulator needs these to be real.
pub const ACCESS_KEY: &str = "test";

/// A long poll takes a second; an emulator that takes this long is not answering.
const CALL_LIMIT: Duration = Duration::from_secs(15);

/// The one region in which S3 wants no location constraint.
const FIRST_REGION: &str = "us-east-1";

/// Clients of the emulator.
#[derive(Debug, Clone)]
pub struct Clients {
    endpoint: String,
    region: String,
    dynamodb: aws_sdk_dynamodb::Client,
    pub sqs: aws_sdk_sqs::Client,
    s3: aws_sdk_s3::Client,
    secrets: aws_sdk_secretsmanager::Client,
}

/// What could not be made, why, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{what} cannot be made ready on the emulator at {endpoint}: {why}\n{advice}")]
pub struct Failure {
    what: String,
    endpoint: String,
    why: String,
    advice: &'static str,
}

impl Clients {
    pub async fn connect(endpoint: &str, region: &str) -> Self {
        let timeouts = TimeoutConfig::builder().operation_timeout(CALL_LIMIT).build();
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(Region::new(region.to_owned()))
            .endpoint_url(endpoint)
            .credentials_provider(Credentials::new(ACCESS_KEY, ACCESS_KEY, None, None, "local"))
            .timeout_config(timeouts)
            .load()
            .await;
        // Bucket names in host names would need a DNS that knows them.
        let s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
        Self {
            endpoint: endpoint.to_owned(),
            region: region.to_owned(),
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            s3: aws_sdk_s3::Client::from_conf(s3),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
        }
    }

    /// Makes everything, and tells the names that only the emulator knows.
    pub async fn provision(
        &self,
        resources: &Resources,
        stack: &str,
        database_url: &str,
    ) -> Result<Physical, Failure> {
        for table in &resources.tables {
            let done = tables::ensure(&self.dynamodb, table).await;
            done.map_err(|error| self.failure("table", &table.name, &*error))?;
        }
        let queue_urls = self.queues(resources).await?;
        for bucket in &resources.buckets {
            let done = self.bucket(bucket).await;
            done.map_err(|error| self.failure("bucket", bucket, &*error))?;
        }
        let mut secret_arns = BTreeMap::new();
        for secret in &resources.secrets {
            let arn = self.secret(secret).await;
            let arn = arn.map_err(|error| self.failure("secret", &secret.name, &*error))?;
            secret_arns.insert(secret.name.clone(), arn);
        }
        let name = format!("{stack}/database");
        let arn = self.database_secret(&name, database_url).await;
        let arn = arn.map_err(|error| self.failure("secret", &name, &*error))?;
        Ok(Physical { queue_urls, secret_arns, database_secret_arn: Some(arn) })
    }

    fn failure(&self, kind: &str, name: &str, error: &(dyn Error + 'static)) -> Failure {
        let why = causes(error);
        let is_unreachable = why.contains("dispatch failure") || why.contains("timeout");
        let advice = if is_unreachable {
            "Nothing answers there. Start the emulator (scripts/emulators), or set \
             AWS_ENDPOINT_URL to the one that runs."
        } else {
            "If an older template made it, remove the emulator's state and start again."
        };
        Failure { what: format!("the {kind} {name}"), endpoint: self.endpoint.clone(), why, advice }
    }

    async fn queues(&self, resources: &Resources) -> Result<BTreeMap<String, String>, Failure> {
        let mut urls = BTreeMap::new();
        for queue in &resources.queues {
            let url = queues::ensure(&self.sqs, queue).await;
            let url = url.map_err(|error| self.failure("queue", &queue.name, &*error))?;
            urls.insert(queue.name.clone(), url);
        }
        // A redrive policy names another queue, which must exist by then.
        for queue in &resources.queues {
            let Some(url) = urls.get(&queue.name) else { continue };
            let done = queues::set_attributes(&self.sqs, queue, url).await;
            done.map_err(|error| self.failure("queue", &queue.name, &*error))?;
        }
        Ok(urls)
    }

    async fn bucket(&self, name: &str) -> Result<(), Box<dyn Error>> {
        if self.s3.head_bucket().bucket(name).send().await.is_ok() {
            return Ok(());
        }
        let place = BucketLocationConstraint::from(self.region.as_str());
        let place = CreateBucketConfiguration::builder().location_constraint(place).build();
        let place = (self.region != FIRST_REGION).then_some(place);
        let made = self.s3.create_bucket().bucket(name).set_create_bucket_configuration(place);
        match made.send().await.map_err(aws_sdk_s3::Error::from) {
            Ok(_) | Err(aws_sdk_s3::Error::BucketAlreadyOwnedByYou(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn existing_secret(&self, name: &str) -> Result<Option<String>, Box<dyn Error>> {
        let found = self.secrets.describe_secret().secret_id(name).send().await;
        match found.map_err(aws_sdk_secretsmanager::Error::from) {
            Ok(found) => Ok(found.arn),
            Err(aws_sdk_secretsmanager::Error::ResourceNotFoundException(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn create_secret(&self, name: &str, value: &str) -> Result<String, Box<dyn Error>> {
        let made = self.secrets.create_secret().name(name).secret_string(value).send().await?;
        made.arn.ok_or_else(|| "the emulator gave the secret no ARN".into())
    }

    async fn secret(&self, secret: &Secret) -> Result<String, Box<dyn Error>> {
        if let Some(arn) = self.existing_secret(&secret.name).await? {
            return Ok(arn);
        }
        let length = i64::try_from(secret.length)?;
        let random = self
            .secrets
            .get_random_password()
            .password_length(length)
            .exclude_punctuation(true)
            .send()
            .await?;
        let value = random.random_password.ok_or("the emulator made no random text")?;
        self.create_secret(&secret.name, &value).await
    }

    async fn database_secret(&self, name: &str, url: &str) -> Result<String, Box<dyn Error>> {
        let value = database_secret::from_url(url)?;
        let Some(arn) = self.existing_secret(name).await? else {
            return self.create_secret(name, &value).await;
        };
        let known = self.secrets.get_secret_value().secret_id(name).send().await?;
        if known.secret_string() != Some(&value) {
            self.secrets.put_secret_value().secret_id(name).secret_string(value).send().await?;
        }
        Ok(arn)
    }
}

/// What went wrong, with all its causes; an SDK's error by itself says only that it is one.
pub(crate) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
