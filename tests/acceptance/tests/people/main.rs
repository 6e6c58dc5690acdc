//! What people are to each other: profiles, settings, search, contacts, blocks; and what is left of
//! somebody who goes.

#[cfg(test)]
mod blocks;
#[cfg(test)]
mod calls;
#[cfg(test)]
mod contacts;
#[cfg(test)]
mod erasure;
#[cfg(test)]
mod export;
#[cfg(test)]
mod farewells;
#[cfg(test)]
mod leftovers;
#[cfg(test)]
mod profiles;
#[cfg(test)]
mod residue;
#[cfg(test)]
mod search;
#[cfg(test)]
mod settings;
