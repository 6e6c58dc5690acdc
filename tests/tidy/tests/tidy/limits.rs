//! `domain/limits.rs` and the documents say the same numbers.
//!
//! A document lists a limit as a row of a table: `` | `MESSAGES_BURST` | 20 | why | ``. Ranges are
//! written `3–32`, numbers `30,720`, durations in any unit (`900 s`, `15 min`, `500 ms`).

use crate::repository::{assert_none, files_under, read};

/// `pub const NAME: Type = value;` of the source, as (name, value).
fn declared() -> Vec<(String, String)> {
    let source = read("shared/domain/src/limits.rs");
    let statements = source.split("pub const ").skip(1);
    statements
        .map(|statement| {
            let (head, rest) = statement.split_once('=').expect("a value");
            let (value, _) = rest.split_once(';').expect("an end");
            let name = head.split(':').next().unwrap_or_default();
            let value = value.trim_start_matches('=').trim();
            (name.trim().to_owned(), value.to_owned())
        })
        .collect()
}

/// `15 * 60` or `8_000`.
fn product(expression: &str) -> Option<u64> {
    expression.split('*').map(|factor| factor.trim().replace('_', "").parse::<u64>().ok()).product()
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let mut text = digits[..first].to_owned();
    for start in (first..digits.len()).step_by(3) {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(&digits[start..start + 3]);
    }
    text
}

/// Every way to write a duration that is a whole number of its unit.
fn durations(milliseconds: u64) -> Vec<String> {
    let units = [
        ("ms", 1),
        ("s", 1_000),
        ("min", 60_000),
        ("h", 3_600_000),
        ("days", 86_400_000),
        ("day", 86_400_000),
    ];
    let whole = units.into_iter().filter(|(_, length)| milliseconds.is_multiple_of(*length));
    whole.map(|(unit, length)| format!("{} {unit}", grouped(milliseconds / length))).collect()
}

/// The spellings of a value of `limits.rs` that a document may use.
fn spellings(value: &str) -> Vec<String> {
    let argument = |function: &str| {
        let inner = value.split_once(function)?.1;
        product(inner.trim_start_matches('(').trim_end_matches(')'))
    };
    if let Some(seconds) = argument("from_secs") {
        return durations(seconds * 1_000);
    }
    if let Some(milliseconds) = argument("from_millis") {
        return durations(milliseconds);
    }
    if let Some((low, high)) = value.split_once("..=") {
        let ends = (product(low), product(high));
        let (Some(low), Some(high)) = ends else { return Vec::new() };
        return vec![format!("{}–{}", grouped(low), grouped(high))];
    }
    product(value).map(grouped).into_iter().collect()
}

/// Is `wanted` in `row` as a whole number, not as a part of a longer one?
fn says(row: &str, wanted: &str) -> bool {
    row.match_indices(wanted).any(|(at, _)| {
        let before = row[..at].chars().next_back();
        let after = row[at + wanted.len()..].chars().next();
        let joins = |letter: char| letter.is_alphanumeric() || letter == ',' || letter == '–';
        let ends = |letter: char| letter.is_alphanumeric() || letter == '–';
        !before.is_some_and(joins) && !after.is_some_and(ends)
    })
}

#[test]
fn every_limit_stands_in_a_document_with_its_value() {
    let documents: Vec<_> =
        files_under("docs").into_iter().filter(|file| file.has_extension("md")).collect();
    let mut offences = Vec::new();
    for (name, value) in declared() {
        let spellings = spellings(&value);
        assert!(!spellings.is_empty(), "tests/tidy cannot read the value of {name}: {value}");
        let cell = format!("| `{name}` |");
        let mut rows = documents.iter().flat_map(|file| file.text.lines());
        match rows.find(|row| row.starts_with(&cell)) {
            None => offences.push(format!("no row `{cell} {} | …`", spellings[0])),
            Some(row) if !spellings.iter().any(|wanted| says(&row[cell.len()..], wanted)) => {
                offences.push(format!("{name} is {spellings:?}, the row says: {row}"));
            }
            Some(_) => {}
        }
    }
    assert_none("docs/*.md", &offences);
}

#[test]
fn the_reader_of_limits_understands_their_spellings() {
    assert_eq!(spellings("8_000"), ["8,000"]);
    assert_eq!(spellings("1..=8_000"), ["1–8,000"]);
    assert_eq!(spellings("Duration::from_millis(500)"), ["500 ms"]);
    assert_eq!(spellings("Duration::from_secs(15 * 60)"), ["900,000 ms", "900 s", "15 min"]);
    assert!(says(" 15 min, then", "15 min") && !says(" 115 min", "15 min"));
    assert!(!says(" 8,000 ", "8,00") && !says(" 3–32 ", "3"));
}
