//! Which passwords are too easily guessed.

use domain::Password;
use service::port::PasswordJudge;

/// A password that falls within so many guesses falls to who tries the common ones everywhere, and
/// to whoever reads the hashes, in minutes. zxcvbn calls what takes more "somewhat guessable".
const GUESSES_MIN: u64 = 1_000_000;

/// The work grows faster than the text: a hundred mixed characters take most of a second.
const JUDGED_CHARACTERS: usize = 32;

/// Looks for common passwords, words, names, dates, keyboard walks and repeats, and for what is
/// known of the person. Of a long password, its beginning or its end must be hard to guess.
pub(crate) struct GuessingJudge;

impl PasswordJudge for GuessingJudge {
    fn is_weak(&self, password: &Password, about: &[&str]) -> bool {
        // As a whole, because the parts of a long address are hard to guess.
        let plain = password.reveal().to_lowercase();
        if about.iter().any(|known| known.to_lowercase() == plain) {
            return true;
        }
        // The part before the @ is as good a guess as the whole address.
        let parts = about.iter().flat_map(|known| known.split(['@', ' ', '.', '_', '-']));
        let known: Vec<&str> =
            about.iter().copied().chain(parts).filter(|part| part.chars().count() > 2).collect();
        let is_guessed = |part: &str| zxcvbn::zxcvbn(part, &known).guesses() < GUESSES_MIN;
        let whole: Vec<char> = password.reveal().chars().collect();
        let beginning: String = whole.iter().take(JUDGED_CHARACTERS).collect();
        let rest = whole.len().saturating_sub(JUDGED_CHARACTERS);
        let end: String = whole[rest..].iter().collect();
        is_guessed(&beginning) && (rest == 0 || is_guessed(&end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_weak(raw: &str, about: &[&str]) -> bool {
        GuessingJudge.is_weak(&Password::parse(raw.to_owned()).unwrap(), about)
    }

    #[test]
    fn what_everybody_tries_first_is_refused() {
        for raw in ["password", "12345678", "qwertyuiop", "password1", "iloveyou", "aaaaaaaaaaaa"] {
            assert!(is_weak(raw, &[]), "{raw}");
        }
    }

    #[test]
    fn what_is_known_of_the_person_is_refused_and_of_somebody_else_is_not() {
        let about = ["brunhilde-okonkwo", "brunhilde.okonkwo@example.org"];
        for raw in ["brunhilde-okonkwo", "okonkwo1", "brunhilde.okonkwo@example.org"] {
            assert!(is_weak(raw, &about), "{raw}");
        }
        let long = "Brunhilde-Okonkwo-6ef2f4f7b382@Example.org";
        assert!(is_weak(long, &[&long.to_lowercase()]));
        assert!(!is_weak("brunhilde-okonkwo", &["alice", "alice@example.org"]));
    }

    #[test]
    fn a_sentence_is_fine_in_any_script() {
        for raw in ["correct horse battery staple", "Zwölf Boxkämpfer jagen", "пять жирных котов"]
        {
            assert!(!is_weak(raw, &["alice", "alice@example.org"]), "{raw}");
        }
    }

    #[test]
    fn the_longest_password_is_judged_too() {
        let mixed: String = (0..256_u32).filter_map(|n| char::from_u32(33 + n * 37 % 90)).collect();
        assert!(!is_weak(&mixed, &["alice"]));
        assert!(is_weak(&"a".repeat(256), &["alice"]));
        assert!(!is_weak(&format!("{}{}", "a".repeat(200), &mixed[..32]), &["alice"]));
    }
}
