//! The event that Lambda makes of SQS messages.

use std::collections::HashMap;

use aws_sdk_sqs::types::{Message, MessageAttributeValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};

/// `{"Records": […]}`.
pub(super) fn event(messages: &[Message], queue_arn: &str, region: &str) -> Bytes {
    let records: Vec<Value> =
        messages.iter().map(|message| record(message, queue_arn, region)).collect();
    Bytes::from(json!({ "Records": records }).to_string())
}

fn record(message: &Message, queue_arn: &str, region: &str) -> Value {
    let attributes: Map<String, Value> = message
        .attributes()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str().to_owned(), Value::from(value.as_str())))
        .collect();
    let mut record = json!({
        "messageId": message.message_id(),
        "receiptHandle": message.receipt_handle(),
        "body": message.body().unwrap_or_default(),
        "attributes": attributes,
        "messageAttributes": message_attributes(message.message_attributes()),
        "md5OfBody": message.md5_of_body(),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    });
    if let (Some(record), Some(md5)) = (record.as_object_mut(), message.md5_of_message_attributes())
    {
        record.insert("md5OfMessageAttributes".to_owned(), Value::from(md5));
    }
    record
}

fn message_attributes(attributes: Option<&HashMap<String, MessageAttributeValue>>) -> Value {
    let entries = attributes.into_iter().flatten().map(|(name, value)| {
        let mut entry = json!({
            "stringListValues": value.string_list_values(),
            "binaryListValues": Vec::<String>::new(),
            "dataType": value.data_type(),
        });
        if let Some(entry) = entry.as_object_mut() {
            if let Some(text) = value.string_value() {
                entry.insert("stringValue".to_owned(), Value::from(text));
            }
            if let Some(binary) = value.binary_value() {
                let encoded = STANDARD.encode(binary.as_ref());
                entry.insert("binaryValue".to_owned(), Value::from(encoded));
            }
        }
        (name.clone(), entry)
    });
    Value::Object(entries.collect())
}

#[cfg(test)]
mod tests {
    use super::event;
    use aws_sdk_sqs::primitives::Blob;
    use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName};
    use serde_json::{Value, json};

    #[test]
    fn a_message_becomes_the_record_that_lambda_makes() {
        let binary = MessageAttributeValue::builder()
            .data_type("Binary")
            .binary_value(Blob::new([1, 2]))
            .build()
            .unwrap();
        let message = Message::builder()
            .message_id("m-1")
            .receipt_handle("r-1")
            .body("{}")
            .md5_of_body("99914b932bd37a50b983c5e7c90ae93b")
            .attributes(MessageSystemAttributeName::MessageGroupId, "group")
            .attributes(MessageSystemAttributeName::ApproximateReceiveCount, "1")
            .message_attributes("raw", binary)
            .build();
        let event = event(&[message], "arn:aws:sqs:us-east-1:000000000000:q.fifo", "us-east-1");
        let expected = json!({ "Records": [{
            "messageId": "m-1",
            "receiptHandle": "r-1",
            "body": "{}",
            "attributes": { "MessageGroupId": "group", "ApproximateReceiveCount": "1" },
            "messageAttributes": { "raw": {
                "binaryValue": "AQI=", "stringListValues": [], "binaryListValues": [],
                "dataType": "Binary",
            } },
            "md5OfBody": "99914b932bd37a50b983c5e7c90ae93b",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:q.fifo",
            "awsRegion": "us-east-1",
        }] });
        assert_eq!(serde_json::from_slice::<Value>(&event).unwrap(), expected);
    }
}
