//! What is asked for: whose pack, how long, in which form.

use alloc::{format, string::String};

use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
};
use nacre_wire::question::{Parameters, parsed};

use crate::tokens::Counter;

/// The tokens of a pack if the caller does not say.
pub const TOKENS_DEFAULT: u64 = 2_000;

/// The fewest tokens that a pack can be bounded to. With a very long id its frame may need more.
pub const TOKENS_LEAST: u64 = 256;

/// The most tokens that a pack can be bounded to.
pub const TOKENS: u64 = 200_000;

/// The form of a pack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Lists, for a prompt.
    #[default]
    Markdown,
    /// Members, for a program.
    Json,
}

impl Format {
    fn parse(text: &str) -> Result<Format> {
        match text {
            "markdown" => Ok(Format::Markdown),
            "json" => Ok(Format::Json),
            _ => Err(Error::new(Code::InvalidRequest, "must be `markdown` or `json`")),
        }
    }
}

/// How a pack names the calls that fetch what it leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Calls {
    /// Requests of HTTP.
    #[default]
    Http,
    /// Tools of the Model Context Protocol.
    Tools,
}

impl Calls {
    /// What fetches a place of a context's view.
    pub(crate) fn view(self, of: &Address) -> String {
        match self {
            Calls::Http => format!("GET /v1/contexts/{of}/resolved?path=…"),
            Calls::Tools => format!("resolve_context {{{},\"path\":\"…\"}}", named(of)),
        }
    }

    /// What fetches insights or progress notes.
    pub(crate) fn entries(self, of: &Address, list: &str) -> String {
        match self {
            Calls::Http => format!("GET /v1/contexts/{of}/{list}"),
            Calls::Tools => {
                format!("manage_context {{\"action\":\"list_{list}\",{}}}", named(of))
            }
        }
    }
}

fn named(of: &Address) -> String {
    format!("\"level\":\"{}\",\"context_id\":\"{}\"", of.level, of.id)
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// The context whose chain is told.
    pub address: Address,
    /// The most tokens.
    pub max_tokens: usize,
    /// How they are counted.
    pub counter: Counter,
    /// The form.
    pub format: Format,
    /// Whether each section says who made its last change, when, and which version it is.
    pub origins: bool,
    /// How it names the calls that fetch what it leaves out.
    pub calls: Calls,
}

impl Ask {
    /// Reads it from named parameters.
    ///
    /// # Errors
    /// `invalid-request`, `invalid-id`.
    pub fn read(from: &mut dyn Parameters) -> Result<Ask> {
        let address = from.address()?;
        let max_tokens = from.number("max_tokens", TOKENS)?.unwrap_or(TOKENS_DEFAULT);
        if max_tokens < TOKENS_LEAST {
            let detail = format!("must be a whole number from {TOKENS_LEAST} to {TOKENS}");
            return Err(from.place("max_tokens", Error::new(Code::InvalidRequest, detail)));
        }
        Ok(Ask {
            address,
            max_tokens: max_tokens as usize,
            counter: parsed(from, "bytes_per_token", ratio)?.unwrap_or(Counter::Cautious),
            format: parsed(from, "format", Format::parse)?.unwrap_or_default(),
            origins: from.flag("origins")?,
            calls: Calls::default(),
        })
    }
}

/// Reads the bytes of a token: 1 to 8, such as `3.5`.
fn ratio(text: &str) -> Result<Counter> {
    let wrong = || Error::new(Code::InvalidRequest, "must be a number from 1 to 8, such as 3.5");
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let ratio: f64 = text.parse().ok().filter(|_| is_plain).ok_or_else(wrong)?;
    if (1.0..=8.0).contains(&ratio) { Ok(Counter::BytesPerToken(ratio)) } else { Err(wrong()) }
}
