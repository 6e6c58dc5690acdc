//! Passes what a process writes on to the gateway's standard error, line by line and unchanged.

use std::io::Write;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// A longer line is cut; the rest of it is dropped.
const MAX_LINE_BYTES: usize = 64 * 1024;

pub(super) fn pass_on(output: Option<impl AsyncRead + Unpin + Send + 'static>) {
    if let Some(output) = output {
        tokio::spawn(copy(BufReader::new(output)));
    }
}

async fn copy(mut output: impl AsyncBufReadExt + Unpin) {
    let mut line = Vec::new();
    loop {
        let (used, is_whole) = match output.fill_buf().await {
            Ok([]) | Err(_) => break,
            Ok(bytes) => {
                let end = bytes.iter().position(|byte| *byte == b'\n');
                let taken = end.map_or(bytes.len(), |end| end + 1);
                let room = MAX_LINE_BYTES.saturating_sub(line.len());
                line.extend(bytes.iter().take(end.unwrap_or(taken).min(room)));
                (taken, end.is_some())
            }
        };
        output.consume(used);
        if is_whole {
            write(&mut line);
        }
    }
    if !line.is_empty() {
        write(&mut line);
    }
}

/// One write a line, so that lines of several processes do not mix.
fn write(line: &mut Vec<u8>) {
    line.push(b'\n');
    // Nobody reads the log any more: there is nowhere left to say so.
    let _ = std::io::stderr().lock().write_all(line);
    line.clear();
}
