//! All faults at once, for a short while. `scripts/chaos` does it for longer.

use std::time::Duration;

use harness::chaos::Campaign;
use harness::{aws_endpoint_url, test_database_url};

#[tokio::test]
async fn a_short_campaign_of_faults_breaks_no_promise() {
    let campaign = Campaign {
        seed: 20_260_301,
        duration: Duration::from_secs(25),
        people: 5,
        healing: Duration::from_secs(150),
        superuser_url: test_database_url().unwrap(),
        aws_endpoint_url: aws_endpoint_url().unwrap(),
    };
    let verdict = campaign.run(|_| {}).await.unwrap();
    println!("{verdict}");
    assert!(verdict.is_clean(), "{verdict}");
    assert!(verdict.faults.values().sum::<usize>() >= 10, "{verdict}");
    assert!(verdict.stored >= 50, "{verdict}");
}
