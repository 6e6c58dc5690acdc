//! Every route of the template × everybody who may ask for it.
//!
//! What each gets is written in `routes.txt` and `frames.txt`, a line a route.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod cast;
#[cfg(test)]
mod expired;
#[cfg(test)]
mod frames;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod table;
