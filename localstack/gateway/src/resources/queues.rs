//! Queues with the attributes that the template gives them.

use std::error::Error;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;

use crate::model::Queue;

/// The queue's URL; the queue is made if it is missing.
pub(super) async fn ensure(client: &Client, queue: &Queue) -> Result<String, Box<dyn Error>> {
    let found = client.get_queue_url().queue_name(&queue.name).send().await;
    match found.map_err(aws_sdk_sqs::Error::from) {
        Ok(found) => found.queue_url.ok_or_else(|| "the emulator gave the queue no URL".into()),
        Err(aws_sdk_sqs::Error::QueueDoesNotExist(_)) => create(client, queue).await,
        Err(error) => Err(error.into()),
    }
}

async fn create(client: &Client, queue: &Queue) -> Result<String, Box<dyn Error>> {
    let mut request = client.create_queue().queue_name(&queue.name);
    if queue.fifo {
        request = request.attributes(QueueAttributeName::FifoQueue, "true");
    }
    let made = request.send().await?;
    made.queue_url.ok_or_else(|| "the emulator gave the queue no URL".into())
}

/// Sets them on an old queue too: the template may have changed since it was made.
pub(super) async fn set_attributes(
    client: &Client,
    queue: &Queue,
    url: &str,
) -> Result<(), Box<dyn Error>> {
    if queue.attributes.is_empty() {
        return Ok(());
    }
    let mut request = client.set_queue_attributes().queue_url(url);
    for (name, value) in &queue.attributes {
        request = request.attributes(QueueAttributeName::from(name.as_str()), value);
    }
    request.send().await?;
    Ok(())
}
