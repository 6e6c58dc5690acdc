//! Who is there, from what each of their devices says.

use std::str::FromStr;

use crate::Invalid;

/// What a device was told by the person in front of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Status {
    #[default]
    Online,
    Away,
    Dnd,
    /// Looks offline to everybody else.
    Invisible,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Away => "away",
            Self::Dnd => "dnd",
            Self::Invisible => "invisible",
        }
    }
}

impl FromStr for Status {
    type Err = Invalid;

    fn from_str(raw: &str) -> Result<Self, Invalid> {
        match raw {
            "online" => Ok(Self::Online),
            "away" => Ok(Self::Away),
            "dnd" => Ok(Self::Dnd),
            "invisible" => Ok(Self::Invisible),
            _ => {
                let detail = "must be \"online\", \"away\", \"dnd\" or \"invisible\"";
                Err(Invalid::new("invalid_status", detail))
            }
        }
    }
}

/// What others see of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Presence {
    Online,
    Away,
    Dnd,
    #[default]
    Offline,
}

impl Presence {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Away => "away",
            Self::Dnd => "dnd",
            Self::Offline => "offline",
        }
    }

    /// One person of several devices. `invisible` and `dnd` are wishes of the person and hold for
    /// all devices; `away` only where every device is.
    pub fn of_devices(statuses: impl IntoIterator<Item = Status>) -> Self {
        let statuses: Vec<_> = statuses.into_iter().collect();
        let has = |status| statuses.contains(&status);
        if statuses.is_empty() || has(Status::Invisible) {
            Self::Offline
        } else if has(Status::Dnd) {
            Self::Dnd
        } else if has(Status::Online) {
            Self::Online
        } else {
            Self::Away
        }
    }
}

impl FromStr for Presence {
    type Err = Invalid;

    fn from_str(raw: &str) -> Result<Self, Invalid> {
        match raw {
            "online" => Ok(Self::Online),
            "away" => Ok(Self::Away),
            "dnd" => Ok(Self::Dnd),
            "offline" => Ok(Self::Offline),
            _ => Err(Invalid::new("invalid_presence", "is not a presence")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_devices_are_one_person() {
        use Status::{Away, Dnd, Invisible, Online};
        let of = |statuses: &[Status]| Presence::of_devices(statuses.iter().copied());
        assert_eq!(of(&[]), Presence::Offline);
        assert_eq!(of(&[Online]), Presence::Online);
        assert_eq!(of(&[Away, Online]), Presence::Online);
        assert_eq!(of(&[Away, Away]), Presence::Away);
        assert_eq!(of(&[Online, Dnd, Away]), Presence::Dnd);
        assert_eq!(of(&[Online, Dnd, Invisible]), Presence::Offline);
    }

    #[test]
    fn names_are_read_back_as_they_are_written() {
        for status in [Status::Online, Status::Away, Status::Dnd, Status::Invisible] {
            assert_eq!(status.as_str().parse::<Status>().unwrap(), status);
        }
        for presence in [Presence::Online, Presence::Away, Presence::Dnd, Presence::Offline] {
            assert_eq!(presence.as_str().parse::<Presence>().unwrap(), presence);
        }
        assert!("offline".parse::<Status>().is_err());
        assert!("invisible".parse::<Presence>().is_err());
    }
}
