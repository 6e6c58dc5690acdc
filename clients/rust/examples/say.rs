//! Signs in, catches up, says something, and waits until everybody's history has it.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use client::core::{Settings, State, Tick};
use client::shell::{App, HttpWire, WireError};
use protocol::body::Login;
use tokio::time::timeout;
use uuid::Uuid;

const WAIT: Duration = Duration::from_secs(30);
const SHOWN: usize = 20;

/// Says something in a conversation; without one, lists what there is.
#[derive(Parser)]
struct Arguments {
    /// Where the system answers
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// User name or e-mail address
    #[arg(long)]
    login: String,
    /// The password
    #[arg(long, env = "CONFAB_PASSWORD", hide_env_values = true)]
    password: String,
    /// The conversation
    #[arg(long)]
    to: Option<Uuid>,
    /// What to say; without it, the conversation is shown
    text: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("say: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), WireError> {
    let login = Login {
        login: Some(arguments.login),
        password: Some(arguments.password),
        device_name: Some("say".to_owned()),
        totp: None,
    };
    let (wire, signed_in) = HttpWire::sign_in(&arguments.url, &login).await?;
    // An app has its own source of chance; here a session id is as good.
    let seed = signed_in.session_id.as_u64_pair().1;
    let settings = Settings { seed, ..Settings::default() };
    let app = App::start(wire, State::new(signed_in.user.id, settings));
    app.connect();
    within("catch up", app.until(State::is_caught_up)).await?;
    let Some(conversation) = arguments.to else {
        app.look(list);
        return Ok(());
    };
    if let Some(text) = arguments.text {
        // A name that is kept on every retry; an app draws it when the person presses send.
        let shown = app.look(|state| state.cursor(conversation));
        let client_id = Uuid::new_v5(&signed_in.session_id, shown.to_string().as_bytes());
        app.tell(|state, now| state.post_text(conversation, client_id, &text, now));
        within("send it", app.until(|state| state.unsettled() == 0)).await?;
        if let Some(code) = app.look(|state| state.refusals(conversation).remove(&client_id)) {
            return Err(WireError::Failed(format!("the server refused it: {code}")));
        }
    }
    within("learn who has it", app.until(|state| state.knows_ticks(conversation))).await?;
    app.look(|state| show(state, conversation));
    app.close().await;
    Ok(())
}

async fn within(what: &str, wait: impl Future<Output = ()>) -> Result<(), WireError> {
    let waited = timeout(WAIT, wait).await;
    waited.map_err(|_| WireError::Failed(format!("could not {what} within {WAIT:?}")))
}

fn list(state: &State) {
    for (id, conversation) in state.conversations() {
        let title = conversation.and_then(|known| known.title.as_deref()).unwrap_or("direct");
        println!("{id}  {title}  {} unread", state.unread(id));
    }
}

fn show(state: &State, conversation: Uuid) {
    let messages = state.transcript(conversation);
    for message in &messages[messages.len().saturating_sub(SHOWN)..] {
        let is_own = message.sender_id == state.me();
        let tick = match state.tick(conversation, message.seq) {
            _ if !is_own => "",
            Tick::Stored => "✓",
            Tick::Delivered => "✓✓",
            Tick::Read => "✓✓ read",
        };
        let text = message.text.as_deref().unwrap_or("(deleted)");
        println!("#{} {}: {text} {tick}", message.seq, message.sender_id);
    }
}
