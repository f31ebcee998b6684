//! The topics of subscriptions.

use nacre_layers::address::Address;

/// The topic of a subscription.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Changes of one context.
    Context(Address),
    /// Changes of a context and of everything below it.
    Subtree(Address),
    /// Differences of a context's resolved view.
    Resolved(Address),
}

impl Topic {
    /// The context that the topic names.
    pub fn address(&self) -> &Address {
        match self {
            Topic::Context(address) | Topic::Subtree(address) | Topic::Resolved(address) => address,
        }
    }

    /// The name of the topic's member in messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Topic::Context(_) => "context",
            Topic::Subtree(_) => "subtree",
            Topic::Resolved(_) => "resolved",
        }
    }
}
