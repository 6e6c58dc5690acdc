//! A small SMTP server that keeps what it is given.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Answers that a test may ask for, by the command that they answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mood {
    #[default]
    Fine,
    /// `RCPT` is refused for good, in words that name the address.
    NoSuchBox,
    /// As that, with a code that says why.
    NoSuchBoxEnhanced,
    /// `RCPT` is refused for good, because of who sends.
    NotFromYou,
    /// `RCPT` is refused for now.
    Busy,
    /// `AUTH` is refused.
    WrongPassword,
    /// The connection ends after the mail was said, without an answer.
    HangsUp,
}

/// One mail as it arrived.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrived {
    pub from: String,
    pub to: Vec<String>,
    /// As it came over the wire, lines ended by `\n`.
    pub data: String,
}

impl Arrived {
    /// The lines above the first empty one, with folded ones put together.
    pub fn headers(&self) -> Vec<String> {
        let (head, _) = self.data.split_once("\n\n").unwrap_or((&self.data, ""));
        head.replace("\n ", " ").replace("\n\t", " ").lines().map(str::to_owned).collect()
    }

    pub fn header(&self, name: &str) -> Vec<String> {
        let start = format!("{}:", name.to_lowercase());
        let headers = self.headers().into_iter();
        let named = headers.filter(|line| line.to_lowercase().starts_with(&start));
        named.map(|line| line[start.len()..].trim().to_owned()).collect()
    }
}

pub struct SmtpServer {
    pub url: String,
    kept: Arc<Kept>,
}

#[derive(Default)]
struct Kept {
    arrived: Mutex<Vec<Arrived>>,
    commands: Mutex<Vec<String>>,
}

impl SmtpServer {
    /// The address with a name and a password in it.
    pub fn url_with(&self, name_and_password: &str) -> String {
        self.url.replace("smtp://", &format!("smtp://{name_and_password}@"))
    }

    /// Every line that was not a part of a mail.
    pub fn commands(&self) -> Vec<String> {
        self.kept.commands.lock().expect("lock").clone()
    }

    pub fn arrived(&self) -> Vec<Arrived> {
        self.kept.arrived.lock().expect("lock").clone()
    }
}

pub async fn smtp_server(mood: Mood) -> SmtpServer {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("smtp://{}", listener.local_addr().expect("an address"));
    let kept: Arc<Kept> = Arc::default();
    let keep = kept.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let keep = keep.clone();
            // A client that hangs up in the middle is none of the test's business.
            tokio::spawn(async move { serve(socket, mood, &keep).await.ok() });
        }
    });
    SmtpServer { url, kept }
}

async fn serve(socket: TcpStream, mood: Mood, kept: &Kept) -> Result<(), std::io::Error> {
    let (read, mut write) = socket.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut mail = Arrived::default();
    write.write_all(b"220 test ESMTP\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        kept.commands.lock().expect("lock").push(line.clone());
        let mut answer = answer(&line, mood, &mut mail);
        if line == "DATA" {
            write.write_all(b"354 go on\r\n").await?;
            while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                mail.data.push_str(line.strip_prefix('.').unwrap_or(&line));
                mail.data.push('\n');
            }
            if mood == Mood::HangsUp {
                return Ok(());
            }
            kept.arrived.lock().expect("lock").push(std::mem::take(&mut mail));
            answer = "250 taken".to_owned();
        }
        write.write_all(format!("{answer}\r\n").as_bytes()).await?;
        if line == "QUIT" {
            break;
        }
    }
    Ok(())
}

/// To everything but `DATA`. Notes from whom a mail is, and to whom.
fn answer(line: &str, mood: Mood, mail: &mut Arrived) -> String {
    let fine = "250 fine".to_owned();
    if line.starts_with("EHLO") {
        return "250-test\r\n250-8BITMIME\r\n250 AUTH PLAIN".to_owned();
    }
    if line.starts_with("AUTH") {
        let refused = mood == Mood::WrongPassword;
        return if refused { format!("535 not {line}") } else { "235 welcome".to_owned() };
    }
    if let Some(from) = line.strip_prefix("MAIL FROM:") {
        from.clone_into(&mut mail.from);
    }
    let Some(to) = line.strip_prefix("RCPT TO:") else { return fine };
    match mood {
        Mood::NoSuchBox => format!("550 there is no {to} here"),
        Mood::NoSuchBoxEnhanced => format!("554 5.1.1 there is no {to} here"),
        Mood::NotFromYou => "550 5.7.1 not from you".to_owned(),
        Mood::Busy => format!("451 later for {to}"),
        _ => {
            mail.to.push(to.to_owned());
            fine
        }
    }
}
