//! Secrets Manager.

use service::port::Failure;

use crate::call;

/// The text of a secret. It is nowhere in a failure.
pub async fn read(client: &aws_sdk_secretsmanager::Client, arn: &str) -> Result<String, Failure> {
    let answer = client.get_secret_value().secret_id(arn).send().await;
    let answer = answer.map_err(|error| call::failure("secretsmanager", error))?;
    let text = answer.secret_string.filter(|text| !text.is_empty());
    text.ok_or_else(|| Failure::bug("secretsmanager", "the secret has no text"))
}
