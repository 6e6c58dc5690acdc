//! What a message costs: calls counted on the running system, priced by one table.

mod load;
pub mod prices;
mod receipt;
mod usage;

pub use load::Load;
pub use receipt::{Line, Receipt};
pub use usage::Usage;
