//! The address of a context: its level and id.

use alloc::string::String;
use core::fmt;

use crate::{
    error::{Code, Error, Result},
    id::ContextId,
    level::Level,
};

/// Level and id: the name of one context within its owner's store.
///
/// ```
/// use nacre_layers::address::Address;
///
/// let address = Address::parse("task", "cart-latency")?;
/// assert_eq!(address.to_string(), "task/cart-latency");
/// assert!(Address::parse("global", "other").is_err());
/// # Ok::<(), nacre_layers::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The level of the context.
    pub level: Level,
    /// The id within the level.
    pub id: ContextId,
}

impl Address {
    /// Pairs a level with an id.
    ///
    /// # Errors
    /// `invalid-id` if the level is global and the id is not `global`.
    pub fn new(level: Level, id: ContextId) -> Result<Address> {
        if level == Level::Global && id.as_str() != "global" {
            return Err(Error::new(Code::InvalidId, "the id at level `global` must be `global`"));
        }
        Ok(Address { level, id })
    }

    /// Reads a level and an id from text.
    ///
    /// # Errors
    /// `invalid-id` as [`Level::parse`], [`ContextId::parse`] and [`Address::new`] give it.
    pub fn parse(level: &str, id: &str) -> Result<Address> {
        Address::new(Level::parse(level)?, ContextId::parse(id)?)
    }

    /// The global context.
    pub fn global() -> Address {
        Address { level: Level::Global, id: ContextId::global() }
    }

    /// The address one level up under the id `parent`; `None` at the global level.
    pub fn above(level: Level, parent: &ContextId) -> Option<Address> {
        let level = level.above()?;
        let id = if level == Level::Global { ContextId::global() } else { parent.clone() };
        Some(Address { level, id })
    }
}

impl fmt::Display for Address {
    /// `level/id`, as in URLs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.level, self.id)
    }
}

impl From<&Address> for String {
    fn from(address: &Address) -> String {
        alloc::format!("{address}")
    }
}
