//! Cutting a part of the history to what one answer can carry. Two hundred messages of control
//! characters, each written as six bytes, would be too large for Lambda to answer, for good.

use domain::{Message, limits};

use crate::port::ChangesPage;
use crate::{MessagePage, Window};

/// What a message takes beside its text, its mentions and the people of its event, at most.
const FIXED_BYTES: usize = 1_024;
const MENTION_BYTES: usize = 128;
const USER_ID_BYTES: usize = 42;
const REACTION_BYTES: usize = 64;

/// A cut part ends where the next one begins, as a full one does.
pub(crate) fn changes(mut page: ChangesPage) -> ChangesPage {
    let kept = fitting(page.items.iter());
    if kept < page.items.len() {
        page.items.truncate(kept);
        page.through = page.items.last().map_or(page.through, |message| message.rev);
        page.has_more = true;
    }
    page
}

/// Keeps what is nearest to where the window begins.
pub(crate) fn page(mut page: MessagePage, window: Window) -> MessagePage {
    let start = match window {
        Window::After(_) => 0,
        Window::Newest | Window::Before(_) => page.items.len(),
        Window::Around(seq) => page.items.partition_point(|message| message.seq < seq),
    };
    let mut nearest: Vec<usize> = (0..page.items.len()).collect();
    nearest.sort_by_key(|index| (2 * index + 1).abs_diff(2 * start));
    nearest.truncate(fitting(nearest.iter().map(|index| &page.items[*index])));
    let first = nearest.iter().min().copied().unwrap_or(0);
    page.has_more_before |= first > 0;
    page.has_more_after |= first + nearest.len() < page.items.len();
    page.items.truncate(first + nearest.len());
    page.items.drain(..first);
    page
}

/// How many of them one answer can carry; one always.
fn fitting<'a>(messages: impl Iterator<Item = &'a Message>) -> usize {
    let mut total = 0;
    let fits = |message: &&Message| {
        total += answer_bytes(message);
        total <= limits::ANSWER_ITEMS_MAX_BYTES
    };
    messages.take_while(fits).count().max(1)
}

/// At most so many bytes of Lambda's answer, which carries our JSON as a string in its own.
fn answer_bytes(message: &Message) -> usize {
    let text = message.text.as_ref().map_or("", |text| text.as_str());
    let people = message.event.as_ref().map_or(0, |event| event.user_ids.len());
    let mentions = message.mentions.len() * MENTION_BYTES;
    let text = text.chars().map(written_bytes).sum::<usize>();
    let reactions = message.reactions.iter().map(|reaction| {
        reaction.emoji.as_str().len() + REACTION_BYTES + reaction.user_ids.len() * USER_ID_BYTES
    });
    FIXED_BYTES + text + mentions + people * USER_ID_BYTES + reactions.sum::<usize>()
}

fn written_bytes(character: char) -> usize {
    match character {
        '"' | '\\' => r#"\\\""#.len(),
        control if control.is_ascii_control() => r"\\u0001".len(),
        other => other.len_utf8(),
    }
}
