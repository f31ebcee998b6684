//! The laws, by what they are about.

pub mod json;
pub mod patch;
pub mod protocol;
pub mod resolve;
pub mod rows;
pub mod store;
