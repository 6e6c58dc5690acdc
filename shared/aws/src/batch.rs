//! SQS takes ten entries and 256 KiB a call.

/// Entries of one call.
pub(crate) const ENTRIES_PER_CALL: usize = 10;
/// Bytes of one call. SQS takes four times as much today; this is what every queue takes.
pub(crate) const BYTES_PER_CALL: usize = 256 * 1024;

/// Puts bodies together to calls, in their order. One that is too large for any call goes alone.
pub(crate) fn calls(bodies: Vec<String>) -> Vec<Vec<String>> {
    let mut calls: Vec<Vec<String>> = Vec::new();
    let mut room = 0;
    for body in bodies {
        match calls.last_mut() {
            Some(call) if call.len() < ENTRIES_PER_CALL && body.len() <= room => {
                room -= body.len();
                call.push(body);
            }
            _ => {
                room = BYTES_PER_CALL.saturating_sub(body.len());
                calls.push(vec![body]);
            }
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(of: &[usize]) -> Vec<Vec<usize>> {
        let bodies = of.iter().map(|size| "x".repeat(*size)).collect();
        calls(bodies).iter().map(|call| call.iter().map(String::len).collect()).collect()
    }

    #[test]
    fn no_call_has_more_than_ten_entries_or_256_kib() {
        let half = BYTES_PER_CALL / 2;
        assert_eq!(sizes(&[half, half, 1]), [vec![half, half], vec![1]]);
        assert_eq!(sizes(&[1; 21]), [vec![1; 10], vec![1; 10], vec![1]]);
        assert_eq!(sizes(&[]), Vec::<Vec<usize>>::new());
    }

    #[test]
    fn a_body_that_is_too_large_goes_alone() {
        let large = BYTES_PER_CALL + 1;
        assert_eq!(sizes(&[1, large, 1]), [vec![1], vec![large], vec![1]]);
    }
}
