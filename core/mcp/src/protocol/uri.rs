//! The names of resources.

use alloc::{format, string::String};

use nacre_layers::address::Address;
use nacre_store::topic::Topic;

const CONTEXTS: &str = "nacre://contexts/";
const VIEWS: &str = "nacre://views/";

/// The context pack of the default context.
pub(super) const START: &str = "nacre://start";

/// The URIs of all contexts and of all views (RFC 6570).
pub(super) const TEMPLATES: [&str; 2] =
    ["nacre://contexts/{level}/{id}", "nacre://views/{level}/{id}"];

/// What a URI names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Named {
    /// A stored layer.
    Context(Address),
    /// What a chain comes to.
    View(Address),
    /// What a task should know at its start.
    Start,
}

impl Named {
    /// Reads a URI; `None` if it names no resource.
    pub(crate) fn parse(uri: &str) -> Option<Named> {
        let address = |rest: &str| {
            let (level, id) = rest.split_once('/')?;
            Address::parse(level, id).ok()
        };
        if uri == START {
            return Some(Named::Start);
        }
        match (uri.strip_prefix(CONTEXTS), uri.strip_prefix(VIEWS)) {
            (Some(rest), _) => address(rest).map(Named::Context),
            (_, Some(rest)) => address(rest).map(Named::View),
            _ => None,
        }
    }

    /// What tells that the resource has changed. `default` is the context that [`Named::Start`] means.
    pub(super) fn topic(self, default: Option<&Address>) -> Topic {
        match self {
            Named::Context(address) => Topic::Context(address),
            Named::View(address) => Topic::Resolved(address),
            Named::Start => Topic::Resolved(default.cloned().unwrap_or_else(Address::global)),
        }
    }
}

/// The URI of a stored layer.
pub(super) fn context(address: &Address) -> String {
    format!("{CONTEXTS}{address}")
}

/// The URI of a view.
pub(super) fn view(address: &Address) -> String {
    format!("{VIEWS}{address}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_come_back_as_they_were_made() {
        let address = Address::parse("task", "fix:1~a").unwrap();
        assert_eq!(Named::parse(&context(&address)), Some(Named::Context(address.clone())));
        assert_eq!(Named::parse(&view(&address)), Some(Named::View(address)));
        assert_eq!(Named::parse(START), Some(Named::Start));
        for other in
            ["", "nacre://", "nacre://views/task", "nacre://views/task/a/b", "x://views/task/a"]
        {
            assert_eq!(Named::parse(other), None, "{other}");
        }
    }
}
