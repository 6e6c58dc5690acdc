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
    /// `RCPT` is refused for now.
    Busy,
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
    arrived: Arc<Mutex<Vec<Arrived>>>,
}

impl SmtpServer {
    pub fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().expect("lock").clone()
    }
}

pub async fn smtp_server(mood: Mood) -> SmtpServer {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("smtp://{}", listener.local_addr().expect("an address"));
    let arrived: Arc<Mutex<Vec<Arrived>>> = Arc::default();
    let kept = arrived.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let kept = kept.clone();
            // A client that hangs up in the middle is none of the test's business.
            tokio::spawn(async move { serve(socket, mood, &kept).await.ok() });
        }
    });
    SmtpServer { url, arrived }
}

async fn serve(
    socket: TcpStream,
    mood: Mood,
    kept: &Mutex<Vec<Arrived>>,
) -> Result<(), std::io::Error> {
    let (read, mut write) = socket.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut mail = Arrived::default();
    write.write_all(b"220 test ESMTP\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let command = line.to_uppercase();
        let answer = if command.starts_with("EHLO") {
            "250-test\r\n250 8BITMIME".to_owned()
        } else if command.starts_with("MAIL FROM:") {
            mail.from = line["MAIL FROM:".len()..].to_owned();
            "250 fine".to_owned()
        } else if command.starts_with("RCPT TO:") {
            let to = line["RCPT TO:".len()..].to_owned();
            match mood {
                Mood::NoSuchBox => format!("550 there is no {to} here"),
                Mood::Busy => format!("451 later for {to}"),
                Mood::Fine | Mood::HangsUp => {
                    mail.to.push(to);
                    "250 fine".to_owned()
                }
            }
        } else if command == "DATA" {
            write.write_all(b"354 go on\r\n").await?;
            while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                mail.data.push_str(line.strip_prefix('.').unwrap_or(&line));
                mail.data.push('\n');
            }
            if mood == Mood::HangsUp {
                return Ok(());
            }
            kept.lock().expect("lock").push(std::mem::take(&mut mail));
            "250 taken".to_owned()
        } else if command == "QUIT" {
            write.write_all(b"221 bye\r\n").await?;
            return Ok(());
        } else {
            "250 fine".to_owned()
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}
