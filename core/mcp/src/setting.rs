//! What a request stands in: who asks, by what defaults, within which bounds.

use nacre_layers::address::Address;
use nacre_store::{op::Caller, quota::Standing};

/// What a request stands in.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The caller, and the owner of the store.
    pub caller: Caller,
    /// The context that a call means if it names none: of the token, or of the header
    /// `Nacre-Context`.
    pub default: Option<Address>,
    /// The caller's rate of requests, after this one; `None` where nothing counts.
    pub standing: Option<Standing>,
    /// The most tokens of an answer that a caller may ask for.
    pub most_tokens: u64,
}
