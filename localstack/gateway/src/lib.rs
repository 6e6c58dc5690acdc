pub mod invoke;
pub mod model;
