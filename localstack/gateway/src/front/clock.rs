//! The gateway's time: real for what events say, accelerated for what limits last.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Knows the time and how fast limits pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    rate: f64,
}

impl Clock {
    /// # Errors
    /// The rate is not a positive number.
    pub fn new(rate: f64) -> std::io::Result<Self> {
        if rate.is_finite() && rate > 0.0 {
            return Ok(Self { rate });
        }
        let text = format!("the clock rate must be a number greater than 0, not {rate}");
        Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, text))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the gateway plays the platform, which stamps its events with the real time"
    )]
    pub fn now() -> Stamp {
        Stamp(OffsetDateTime::now_utc())
    }

    /// How long a limit of sockets lasts in real time. At least a millisecond, so that no rate
    /// turns a limit into a busy loop.
    pub fn shorten(self, limit: Duration) -> Duration {
        Duration::try_from_secs_f64(limit.as_secs_f64() / self.rate)
            .unwrap_or(limit)
            .max(Duration::from_millis(1))
    }
}

/// One moment, in the forms in which API Gateway writes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp(OffsetDateTime);

impl Stamp {
    pub fn epoch_ms(self) -> i64 {
        i64::try_from(self.0.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
    }

    /// `09/Feb/2024:18:23:28 +0000`
    pub fn common_log(self) -> String {
        let at = self.0;
        let month = at.month().to_string();
        format!(
            "{:02}/{}/{}:{:02}:{:02}:{:02} +0000",
            at.day(),
            month.get(..3).unwrap_or(&month),
            at.year(),
            at.hour(),
            at.minute(),
            at.second()
        )
    }

    pub fn rfc3339(self) -> String {
        let whole_ms = self.0.replace_millisecond(self.0.millisecond()).unwrap_or(self.0);
        whole_ms.format(&Rfc3339).unwrap_or_default()
    }

    /// `2026-11-21T14:00:00Z`, as EventBridge writes it.
    pub fn rfc3339_seconds(self) -> String {
        self.0.replace_nanosecond(0).unwrap_or(self.0).format(&Rfc3339).unwrap_or_default()
    }

    pub fn plus(self, elapsed: Duration) -> Self {
        Self(self.0 + elapsed)
    }
}
