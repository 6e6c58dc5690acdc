//! Everything that can be made to go wrong.

use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    Push(PushFault),
    Frame(FrameFault),
    /// The function has run; the client does not hear its answer.
    AnswerDrop,
    SocketCut {
        every: Option<Duration>,
    },
    Disconnect(DisconnectFault),
    Function(FunctionFault),
}

/// For posts to `@connections`; the poster is told 200 unless it is `Status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PushFault {
    Drop,
    Delay(Duration),
    Duplicate,
    /// Waits until the next push to the socket has gone.
    Swap,
    Status(u16),
}

/// For messages of a client on their way to the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameFault {
    Drop,
    Delay(Duration),
    Duplicate,
    /// Waits until the socket's next frame has been handled.
    Swap,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DisconnectFault {
    Skip,
    Delay(Duration),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FunctionFault {
    /// Answers an error without running.
    Error,
    Kill(KillPoint),
}

/// When `kill -9` comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KillPoint {
    /// Before it reads a byte of the event: certainly nothing is done.
    Before,
    /// Behind its answer, which is lost: certainly everything is done.
    After,
    /// So long after it got the event, if it still works on it.
    Delay(Duration),
    /// As soon as it prints a line with this text.
    Log(String),
}
