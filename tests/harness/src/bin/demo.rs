//! Two people talk in the terminal over a started system, and one of them loses the socket in the
//! middle and misses nothing.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use harness::{Api, Client, Device, Failure, Result, State, WAIT};
use tokio::time::sleep;
use uuid::Uuid;

/// Two people talk over the system that scripts/start started.
#[derive(Parser)]
#[command(name = "demo")]
struct Arguments {
    /// Where the system answers
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// Between two things that are said, so that one can read along
    #[arg(long, default_value_t = 500)]
    pause_ms: u64,
    /// Plain text
    #[arg(long, env = "NO_COLOR", value_parser = clap::builder::FalseyValueParser::new(),
        action = clap::ArgAction::SetTrue)]
    no_color: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let is_colored = !arguments.no_color && std::io::stdout().is_terminal();
    match Demo::run(&arguments, Paint(is_colored)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("demo: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Colours, or none.
#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    fn warning(self, text: &str) -> String {
        self.with("33;1", text)
    }
}

struct Demo {
    paint: Paint,
    pause: Duration,
    ada: Device,
    bob: Device,
    conversation: Uuid,
    said: usize,
}

impl Demo {
    async fn run(arguments: &Arguments, paint: Paint) -> Result<()> {
        let api = Api::new(&arguments.url)?;
        greet(&api).await?;
        let ada = Client::register(&api, "ada").await?;
        let bob = Client::register(&api, "bob").await?;
        let conversation = ada.open_direct(bob.id()).await?.id;
        println!("{} and {} have signed up at {}", ada.me.username, bob.me.username, api.base());
        println!("conversation {conversation}, a socket each");
        println!("{}\n", paint.dim("✓ stored: it has its number   ✓✓ on the other's screen too"));
        let demo = Self {
            paint,
            pause: Duration::from_millis(arguments.pause_ms.min(10_000)),
            ada: Device::start(&ada, &[conversation]).await?,
            bob: Device::start(&bob, &[conversation]).await?,
            conversation,
            said: 0,
        };
        demo.play().await
    }

    async fn play(mut self) -> Result<()> {
        self.ada_says("Have you seen the engine? It weaves algebraic patterns.").await?;
        self.bob_says("Just as the loom weaves flowers and leaves.").await?;
        self.ada_says("When are you here?").await?;
        self.bob_says("In an hour. A tunnel is com").await?;

        self.note("Bob's socket is cut without a word: no close frame, no goodbye.");
        self.bob.go_offline();
        self.bob.until("the cut", WAIT, |state| !state.is_online()).await?;
        let shown_before = self.bob.transcript(self.conversation).len();
        for text in ["Coming?", "Bob? You are breaking up.", "I shall tell you the rest anyway."] {
            self.ada_says_into_the_void(text).await?;
        }
        self.note("Bob writes in the tunnel; his app keeps it in its outbox.");
        self.bob.post(self.conversation, "…ing. Keep talking, I cannot hear you.");
        self.said += 1;
        sleep(self.pause).await;

        self.note("Bob is back: a new ticket, a new socket, and what he missed.");
        self.bob.go_online();
        self.both_show_everything().await?;
        for message in &self.bob.transcript(self.conversation)[shown_before..] {
            let who = if message.sender_id == self.ada.client().id() { "Ada" } else { "Bob" };
            self.line(who, message.seq, "✓✓", message.text.as_deref().unwrap_or_default());
            sleep(self.pause / 2).await;
        }
        self.bob_says("I have it all. Not a word is missing.").await?;
        self.ada_says("Good. That was the point.").await?;
        self.summary().await
    }

    async fn ada_says(&mut self, text: &str) -> Result<()> {
        let id = self.ada.post(self.conversation, text);
        self.shown("Ada", id, text).await
    }

    async fn bob_says(&mut self, text: &str) -> Result<()> {
        let id = self.bob.post(self.conversation, text);
        self.shown("Bob", id, text).await
    }

    async fn shown(&mut self, who: &str, id: Uuid, text: &str) -> Result<()> {
        self.said += 1;
        self.both_show_everything().await?;
        self.line(who, self.number_on(&self.ada, id)?, "✓✓", text);
        sleep(self.pause).await;
        Ok(())
    }

    /// Stored, and on her own screen; his is dark.
    async fn ada_says_into_the_void(&mut self, text: &str) -> Result<()> {
        let id = self.ada.post(self.conversation, text);
        self.said += 1;
        self.shows_everything(&self.ada, "Ada").await?;
        self.line("Ada", self.number_on(&self.ada, id)?, "✓", text);
        sleep(self.pause).await;
        Ok(())
    }

    fn number_on(&self, device: &Device, id: Uuid) -> Result<i64> {
        let shown = device.transcript(self.conversation);
        let found = shown.iter().find(|message| message.client_id == id);
        found.map(|message| message.seq).ok_or_else(|| Failure::new("a message was lost"))
    }

    async fn shows_everything(&self, device: &Device, who: &str) -> Result<()> {
        let (conversation, said) = (self.conversation, self.said);
        let has_all = |state: &State| state.transcript(conversation).len() >= said;
        device.until(&format!("{said} messages on {who}'s screen"), WAIT, has_all).await
    }

    async fn both_show_everything(&self) -> Result<()> {
        self.shows_everything(&self.ada, "Ada").await?;
        self.shows_everything(&self.bob, "Bob").await
    }

    fn line(&self, who: &str, number: i64, ticks: &str, text: &str) {
        let name = self.paint.with(if who == "Ada" { "35;1" } else { "36;1" }, who);
        let number = self.paint.dim(&format!("#{number:<3}"));
        println!("  {number} {name}  {text} {}", self.paint.good(ticks));
    }

    fn note(&self, text: &str) {
        println!("\n  {}", self.paint.warning(&format!("⚡ {text}")));
    }

    /// Checked, not claimed.
    async fn summary(&self) -> Result<()> {
        let history = self.ada.client().history(self.conversation).await?;
        let screens = [&self.ada, &self.bob].map(|device| device.transcript(self.conversation));
        let numbers: Vec<i64> = history.iter().map(|message| message.seq).collect();
        let is_gapless = numbers.iter().copied().eq(1..=i64::try_from(self.said).unwrap_or(0));
        println!("\nsaid {}, in the history {}", self.said, history.len());
        println!("on Ada's screen {}, on Bob's {}", screens[0].len(), screens[1].len());
        if !is_gapless {
            return Err(Failure::new(format!("the numbers are {numbers:?}: something was lost")));
        }
        if screens.iter().any(|screen| *screen != history) {
            return Err(Failure::new("a screen differs from the history"));
        }
        let verdict = "nothing lost, nothing twice, one order for both";
        println!("{}", self.paint.good(verdict));
        Ok(())
    }
}

/// Says what to do when nobody is there.
async fn greet(api: &Api) -> Result<()> {
    let greeted = api.get("/health/live").await;
    let is_alive = greeted.is_ok_and(|answer| answer.status == 200);
    is_alive.then_some(()).ok_or_else(|| {
        Failure::new(format!(
            "no Confab answers at {}. Start it with scripts/start in another terminal, wait for \
             its ready line, and try again (--url names another address).",
            api.base()
        ))
    })
}
