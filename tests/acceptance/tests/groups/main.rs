//! Conversations that can be run: roles, members, invites, preferences, and who sees what.

#[cfg(test)]
mod calls;
#[cfg(test)]
mod copies;
#[cfg(test)]
mod crowd;
#[cfg(test)]
mod history;
#[cfg(test)]
mod invites;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod members;
#[cfg(test)]
mod preferences;
#[cfg(test)]
mod races;
#[cfg(test)]
mod removal;
#[cfg(test)]
mod roles;

#[cfg(test)]
use acceptance::{people, template};
