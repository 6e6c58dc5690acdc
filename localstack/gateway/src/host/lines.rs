//! Passes what a process writes on to the gateway's standard error, line by line and unchanged,
//! and shows each line to whoever looks for something in it.

use std::io::Write;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// A longer line is cut; the rest of it is dropped.
const MAX_LINE_BYTES: usize = 64 * 1024;

pub(super) fn pass_on(
    output: Option<impl AsyncRead + Unpin + Send + 'static>,
    look: impl Fn(&[u8]) + Send + 'static,
) {
    if let Some(output) = output {
        tokio::spawn(copy(BufReader::new(output), move |line| {
            look(line);
            // One write a line, so that lines of several processes do not mix. If nobody reads
            // the log any more, there is nowhere left to say so.
            let _ = std::io::stderr().lock().write_all(line);
        }));
    }
}

/// Calls `write` with each line and its line break.
async fn copy(mut output: impl AsyncBufReadExt + Unpin, mut write: impl FnMut(&[u8])) {
    let mut line = Vec::new();
    loop {
        let (used, is_whole) = match output.fill_buf().await {
            Ok([]) | Err(_) => break,
            Ok(bytes) => {
                let end = bytes.iter().position(|byte| *byte == b'\n');
                let content = end.unwrap_or(bytes.len());
                let room = MAX_LINE_BYTES.saturating_sub(line.len());
                line.extend(bytes.iter().take(content.min(room)));
                (end.map_or(content, |end| end + 1), end.is_some())
            }
        };
        output.consume(used);
        if is_whole {
            line.push(b'\n');
            write(&line);
            line.clear();
        }
    }
    if !line.is_empty() {
        line.push(b'\n');
        write(&line);
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_LINE_BYTES, copy};

    async fn lines(output: &str) -> Vec<String> {
        let mut lines = Vec::new();
        let write = |line: &[u8]| lines.push(String::from_utf8(line.to_vec()).unwrap());
        // A small buffer, so that lines come in pieces.
        copy(tokio::io::BufReader::with_capacity(7, output.as_bytes()), write).await;
        lines
    }

    #[tokio::test]
    async fn lines_pass_unchanged_and_one_at_a_time() {
        let expected = ["{\"level\":\"INFO\"}\n", "\n", "the last, without its end\n"];
        assert_eq!(lines("{\"level\":\"INFO\"}\n\nthe last, without its end").await, expected);
        assert_eq!(lines("").await, Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_cut() {
        let output = format!("{}\nshort\n", "x".repeat(3 * MAX_LINE_BYTES));
        let lines = lines(&output).await;
        assert_eq!(lines[0].len(), MAX_LINE_BYTES + 1);
        assert_eq!(lines[1], "short\n");
    }
}
