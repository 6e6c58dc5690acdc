//! The command line. Every option but `--faults` can be given by the environment too.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use http::Uri;

/// What `--help` says at its end.
const PAGES: &str = "\
Pages of the gateway itself:
  GET  /_gateway/functions        the functions' processes
  GET  /_gateway/schedules        the template's rules and their rates
  POST /_gateway/schedules/RULE   fires the rule of this logical id now and answers when its
                                  function has answered (502 if that failed)
  GET  /_gateway/usage            counters of what AWS would bill, since the start
  DELETE /_gateway/usage          begins counting anew

With --faults (without it these answer 404):
  POST   /_gateway/faults              adds a rule and answers 201 {\"id\": n}
  GET    /_gateway/faults              the rules, how often each was asked and has fired
  DELETE /_gateway/faults[/ID]         removes all rules, or one
  GET    /_gateway/faults/connections  the open sockets' ids, oldest first
A rule is a JSON object: {\"fault\": NAME}, and for each fault if wanted probability (0 to 1),
times (fires at most so often), skip (the first so many matches pass) and seed; and:
  push.drop push.duplicate push.swap   connection_id, frame_type (the type in the pushed JSON)
  push.delay                           the same and ms
  push.status                          the same and status: 410, 429 or 500
  frame.drop frame.duplicate frame.swap, frame.delay with ms, answer.drop
                                       connection_id, frame_type (route key or type of the frame)
  socket.cut                           connection_id; cuts now, and with every_ms again and again
  disconnect.skip, disconnect.delay with ms
                                       connection_id
  function.error                       function
  function.kill                        function; point: \"before\", \"after\", {\"delay_ms\": n} or
                                       {\"log\": text} (each line with the text is a match)";

/// Runs template.yaml on this machine: the HTTP API, the WebSocket API, the functions, their
/// queues. DynamoDB, SQS, S3 and secrets come from an emulator, Postgres is real.
#[derive(Debug, Clone, Parser)]
#[command(name = "gateway", version, after_help = PAGES)]
pub struct Cli {
    /// The template that says what to run
    #[arg(long, env = "CONFAB_TEMPLATE", default_value = "template.yaml")]
    pub template: PathBuf,
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, env = "CONFAB_PORT", default_value_t = 8080)]
    pub port: u16,
    /// The directory of the functions' binaries
    #[arg(long, env = "CONFAB_BINARIES", default_value = "target/debug")]
    pub binaries: PathBuf,
    /// The stack's name, with which the names of tables, queues and buckets begin
    #[arg(long, env = "CONFAB_STACK", default_value = "confab", value_parser = stack_name)]
    pub stack: String,
    /// A value for one of the template's parameters; in the environment separated by semicolons
    #[arg(
        long = "parameter",
        env = "CONFAB_PARAMETERS",
        value_name = "NAME=VALUE",
        value_delimiter = ';',
        value_parser = parameter
    )]
    pub parameters: Vec<(String, String)>,
    /// The most processes of one function
    #[arg(
        long,
        env = "CONFAB_MAX_PROCESSES",
        default_value_t = 3,
        value_parser = clap::value_parser!(u32).range(1..=100)
    )]
    pub max_processes: u32,
    /// Send events to this Lambda Invoke API (cargo lambda watch) instead of hosting functions
    #[arg(long, env = "CONFAB_INVOKE", value_name = "URL", value_parser = invoke_url)]
    pub invoke: Option<Uri>,
    /// End when standard input closes
    #[arg(long, env = "CONFAB_EXIT_WITH_STDIN")]
    pub exit_with_stdin: bool,
    /// How much faster the sockets' idle and two-hour limits and the schedules' intervals pass;
    /// for tests
    #[arg(long, env = "CONFAB_CLOCK_RATE", default_value_t = 1.0, value_parser = clock_rate)]
    pub clock_rate: f64,
    /// Test mode: let /_gateway/faults break things on purpose. Only for a --stack whose name
    /// begins with test-, and not with --invoke
    #[arg(long, conflicts_with = "print_environment")]
    pub faults: bool,
    /// Create the resources, print every function's environment as JSON, and exit
    #[arg(long)]
    pub print_environment: bool,
    /// With --print-environment: one KEY=VALUE line per variable of any function
    #[arg(long, requires = "print_environment")]
    pub union: bool,
    /// The database that the functions use
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// The emulator of DynamoDB, SQS, S3 and Secrets Manager
    #[arg(long, env = "AWS_ENDPOINT_URL")]
    pub aws_endpoint_url: String,
    #[arg(long, env = "AWS_REGION", default_value = "us-east-1")]
    pub aws_region: String,
    /// Where setpriv is, and what functions get as PATH
    #[arg(long, env = "PATH", default_value = "/usr/bin:/bin", hide = true)]
    pub path: String,
    /// error, warn, info or debug; given to the functions too
    #[arg(long, env = "LOG_LEVEL")]
    pub log_level: Option<String>,
    #[arg(long, env = "RUST_BACKTRACE", hide = true)]
    pub rust_backtrace: Option<String>,
}

/// What the name of a stack that may be broken begins with.
const TEST_PREFIX: &str = "test-";

impl Cli {
    /// The second and third lock of `--faults`: it must be a test's own stack, and nobody else
    /// may reach the gateway.
    pub fn faults_are_allowed(&self, address: SocketAddr) -> Result<bool, String> {
        let refused = |why: &str| Err(format!("--faults is refused: {why}"));
        if !self.faults {
            return Ok(false);
        }
        if !address.ip().is_loopback() {
            return refused("the gateway listens on more than the loopback address");
        }
        if !self.stack.starts_with(TEST_PREFIX) {
            return refused("the name of the --stack must begin with test-");
        }
        if self.invoke.is_some() {
            return refused("the functions of --invoke cannot be killed from here");
        }
        Ok(true)
    }

    /// What every function's process gets beside the template's environment.
    pub fn process_environment(&self) -> BTreeMap<String, String> {
        let mut environment = self.emulator_environment();
        environment.insert("PATH".to_owned(), self.path.clone());
        let optional = [("LOG_LEVEL", &self.log_level), ("RUST_BACKTRACE", &self.rust_backtrace)];
        for (name, value) in optional {
            if let Some(value) = value {
                environment.insert(name.to_owned(), value.clone());
            }
        }
        environment
    }

    /// How a function finds the emulator.
    pub fn emulator_environment(&self) -> BTreeMap<String, String> {
        let pairs = [
            ("AWS_ENDPOINT_URL", self.aws_endpoint_url.as_str()),
            ("AWS_REGION", self.aws_region.as_str()),
            ("AWS_ACCESS_KEY_ID", crate::resources::ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", crate::resources::ACCESS_KEY),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("must be NAME=VALUE".to_owned()),
    }
}

/// CloudFormation's rule, in lower case because bucket names begin with it.
fn stack_name(text: &str) -> Result<String, String> {
    let is_letter = |c: char| c.is_ascii_lowercase();
    let is_rest = |c: char| is_letter(c) || c.is_ascii_digit() || c == '-';
    if text.len() <= 32 && text.starts_with(is_letter) && text.chars().all(is_rest) {
        Ok(text.to_owned())
    } else {
        Err("must be 1 to 32 of a-z, 0-9 and -, a letter first".to_owned())
    }
}

fn invoke_url(text: &str) -> Result<Uri, String> {
    match text.parse::<Uri>() {
        Ok(uri) if uri.scheme_str() == Some("http") && uri.host().is_some() => Ok(uri),
        _ => Err("must be an http:// URL".to_owned()),
    }
}

fn clock_rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        _ => Err("must be a number above 0".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::Parser;

    const REQUIRED: [&str; 5] =
        ["gateway", "--database-url", "postgres://h/d", "--aws-endpoint-url", "http://127.0.0.1:1"];

    fn parse(more: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(REQUIRED.iter().chain(more))
    }

    #[test]
    fn parameters_are_names_and_values() {
        let cli = parse(&["--parameter", "A=1", "--parameter", "B=x=y,z"]).unwrap();
        let expected = [("A", "1"), ("B", "x=y,z")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(cli.parameters, expected);
    }

    #[test]
    fn faults_need_the_flag_a_test_stack_and_the_loopback_address() {
        let near = "127.0.0.1:1".parse().unwrap();
        let far = "192.0.2.1:1".parse().unwrap();
        let allowed = |more: &[&str], address| parse(more).unwrap().faults_are_allowed(address);
        let test = ["--faults", "--stack", "test-1"];
        assert_eq!(allowed(&test, near), Ok(true));
        assert_eq!(allowed(&["--stack", "test-1"], near), Ok(false));
        assert!(allowed(&test, far).unwrap_err().contains("loopback"));
        assert!(allowed(&["--faults"], near).unwrap_err().contains("test-"));
        assert!(allowed(&["--faults", "--stack", "my-test-1"], near).is_err());
        let remote = [&test[..], &["--invoke", "http://127.0.0.1:9"]].concat();
        assert!(allowed(&remote, near).unwrap_err().contains("--invoke"));
    }

    #[test]
    fn bad_values_are_refused_at_the_door() {
        for bad in [
            ["--parameter", "novalue"],
            ["--max-processes", "0"],
            ["--clock-rate", "-1"],
            ["--stack", "Upper"],
            ["--invoke", "ftp://host"],
            ["--port", "65536"],
        ] {
            assert!(parse(&bad).is_err(), "{bad:?}");
        }
        assert!(parse(&["--union"]).is_err(), "--union means nothing by itself");
    }
}
