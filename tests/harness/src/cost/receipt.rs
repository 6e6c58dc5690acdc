//! A bill for one message, line by line.

use std::fmt;

use super::prices;
use super::usage::{Lambda, Poller, Usage};

/// What one kind of call adds to a message.
#[derive(Debug, Clone)]
pub struct Line {
    pub what: &'static str,
    /// For one message.
    pub calls: f64,
    /// Dollars for a million messages.
    pub dollars: f64,
}

/// Calls and dollars of one message on its way from a device to all others.
#[derive(Debug, Clone)]
pub struct Receipt {
    pub messages: f64,
    pub lines: Vec<Line>,
    /// Statements in Postgres for one message; the database is paid by the hour.
    pub statements: f64,
    /// Scans, of all messages together.
    pub scans: f64,
}

impl Receipt {
    /// What was counted while so many messages went through.
    pub fn of(usage: &Usage, messages: usize) -> Self {
        let messages = f64::from(u32::try_from(messages).unwrap_or(u32::MAX)).max(1.0);
        let line = |what, calls: f64, price: f64| Line {
            what,
            calls: calls / messages,
            dollars: calls / messages * price * 1e6,
        };
        let lambda = |part: fn(&Lambda) -> f64| usage.lambda.values().map(part).sum::<f64>();
        let polled = |is_fifo: bool| {
            let calls = |p: &Poller| p.receives - p.empty_receives + p.deletes;
            usage.sqs_pollers.values().filter(|p| p.is_fifo == is_fifo).map(calls).sum::<f64>()
        };
        let gb_seconds = lambda(|l| (l.billed_ms - l.init_ms) / 1e3 * l.memory_mb / 1024.0);
        let (fifo, all) = (usage.counted("sqs.fifo_units"), usage.counted("sqs.units"));
        let lines = vec![
            line("socket: frames of clients", usage.socket.units_in, prices::SOCKET_MESSAGE),
            line("socket: route answers", usage.socket.units_out, prices::SOCKET_MESSAGE),
            line("socket: pushes", usage.management.units, prices::SOCKET_MESSAGE),
            line("lambda: invocations", lambda(|l| l.invocations), prices::INVOCATION),
            line("lambda: GB-seconds", gb_seconds, prices::GB_SECOND),
            line("dynamodb: read units", usage.counted("dynamodb.read_units"), prices::READ_UNIT),
            line(
                "dynamodb: write units",
                usage.counted("dynamodb.write_units"),
                prices::WRITE_UNIT,
            ),
            line("sqs: FIFO requests", fifo + polled(true), prices::FIFO_REQUEST),
            line("sqs: standard requests", all - fifo + polled(false), prices::STANDARD_REQUEST),
        ];
        let statements = usage.counted("sql.statements") / messages;
        // An empty sum is minus zero.
        let scans = usage.counted("dynamodb.scans").abs();
        Self { messages, lines, statements, scans }
    }

    /// For a million messages.
    pub fn dollars(&self) -> f64 {
        self.lines.iter().map(|line| line.dollars).sum()
    }

    /// The same without the time that functions took: that depends on the machine.
    pub fn dollars_of_calls(&self) -> f64 {
        let calls = self.lines.iter().filter(|line| !line.what.contains("GB-seconds"));
        calls.map(|line| line.dollars).sum()
    }

    /// The calls of one line for one message.
    pub fn calls(&self, what: &str) -> f64 {
        self.lines.iter().find(|line| line.what == what).map_or(0.0, |line| line.calls)
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {:<30}{:>14}{:>16}", "", "a message", "$ a million")?;
        for Line { what, calls, dollars } in &self.lines {
            writeln!(f, "  {what:<30}{calls:>14.4}{dollars:>16.3}")?;
        }
        let (dollars, calls) = (self.dollars(), self.dollars_of_calls());
        writeln!(f, "  {:<30}{:>14}{dollars:>16.2}", "in all", "")?;
        writeln!(f, "  {:<30}{:>14}{calls:>16.2}", "without the functions' time", "")?;
        writeln!(f, "  {:<30}{:>14.4}", "SQL statements (by the hour)", self.statements)?;
        write!(f, "  {:.0} messages; {:.0} scans", self.messages, self.scans)
    }
}
