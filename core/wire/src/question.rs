//! A question about contexts from named parameters: those of a query string, or the members of an
//! object.

use alloc::{format, string::String};

use super::{
    Cursor,
    request::{as_of, which},
};
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    id::ContextId,
    level::Level,
    pointer::Pointer,
};
use nacre_store::{
    limits,
    op::{Inspection, Read, Resolve},
    promotion::Standing,
    record::EntryKind,
    store::{AsOf, Filter},
};

/// The questions, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Read one context.
    Get,
    /// List contexts.
    List,
    /// Read a resolved view.
    Resolve,
    /// Compare two states of a view.
    ViewDiff,
    /// List insights.
    Insights,
    /// List progress notes.
    Progress,
    /// List versions.
    History,
    /// Compare two versions of a context.
    Diff,
}

/// Where a question's parameters come from. `None` and `false` are parameters that were left out.
pub trait Parameters {
    /// The context that the question is about.
    ///
    /// # Errors
    /// `invalid-id`.
    fn address(&mut self) -> Result<Address>;
    /// A text.
    ///
    /// # Errors
    /// `invalid-request`.
    fn text(&mut self, name: &'static str) -> Result<Option<String>>;
    /// A whole number from 1 to `most`.
    ///
    /// # Errors
    /// `invalid-request`.
    fn number(&mut self, name: &'static str, most: u64) -> Result<Option<u64>>;
    /// Whether something is wanted.
    ///
    /// # Errors
    /// `invalid-request`.
    fn flag(&mut self, name: &'static str) -> Result<bool>;
    /// A past state.
    ///
    /// # Errors
    /// `invalid-request`.
    fn state(&mut self, name: &'static str) -> Result<Option<AsOf>> {
        let text = self.text(name)?;
        text.as_deref().map(as_of).transpose().map_err(|error| self.place(name, error))
    }
    /// The context of a parameter that names one.
    ///
    /// # Errors
    /// `invalid-id`, `invalid-request`.
    fn context(&mut self, name: &'static str) -> Result<Option<Address>>;
    /// Adds the parameter to an error.
    fn place(&self, name: &'static str, error: Error) -> Error;
}

impl Question {
    /// Reads the question.
    ///
    /// # Errors
    /// `invalid-request`, `invalid-id`, `invalid-pointer`, `invalid-cursor`.
    pub fn read(self, from: &mut dyn Parameters) -> Result<Read> {
        Ok(match self {
            Question::Get => Read::Get {
                address: from.address()?,
                which: which(version(from, "version")?, from.state("at")?)
                    .map_err(|error| from.place("at", error))?,
                reveal: from.flag("reveal")?,
            },
            Question::List => Read::List {
                filter: Filter {
                    level: parsed(from, "level", Level::parse)?,
                    parent: parsed(from, "parent", ContextId::parse)?,
                    under: from.context("under")?,
                    prefix: from.text("prefix")?,
                },
                after: parsed(from, "cursor", Cursor::read_list)?,
                limit: limit(from)?,
                data: from.flag("data")?,
                reveal: from.flag("reveal")?,
            },
            Question::Resolve => Read::Resolve(Resolve {
                address: from.address()?,
                path: parsed(from, "path", |path| Pointer::parse(path))?,
                as_of: from.state("at")?,
                explain: from.flag("explain")?,
                reveal: from.flag("reveal")?,
            }),
            Question::ViewDiff => {
                let state = from.state("from")?;
                Read::ViewDiff {
                    address: from.address()?,
                    from: required(from, "from", state)?,
                    to: from.state("to")?,
                }
            }
            Question::Insights | Question::Progress => Read::Entries {
                address: from.address()?,
                kind: match self {
                    Question::Insights => EntryKind::Insight,
                    _ => EntryKind::Progress,
                },
                before: parsed(from, "cursor", Cursor::read_entry)?,
                limit: limit(from)?,
                reveal: from.flag("reveal")?,
            },
            Question::History => Read::History {
                address: from.address()?,
                before: parsed(from, "cursor", Cursor::read_history)?,
                limit: limit(from)?,
            },
            Question::Diff => {
                let earlier = version(from, "from")?;
                Read::Diff {
                    address: from.address()?,
                    from: required(from, "from", earlier)?,
                    to: version(from, "to")?,
                }
            }
        })
    }
}

/// Reads the question for the audit trail.
///
/// # Errors
/// `invalid-request`, `invalid-cursor`.
pub fn audit(from: &mut dyn Parameters) -> Result<Inspection> {
    let before = parsed(from, "cursor", Cursor::read_audit)?;
    Ok(Inspection::Audit { before, limit: limit(from)? })
}

/// Reads the question for the list of promotions.
///
/// # Errors
/// `invalid-request`.
pub fn promotions(from: &mut dyn Parameters) -> Result<Inspection> {
    Ok(Inspection::Promotions {
        standing: parsed(from, "state", Standing::parse)?,
        before: parsed(from, "cursor", Cursor::read_promotion)?,
        limit: limit(from)?,
    })
}

/// A parameter that `parse` reads; its errors name the parameter.
///
/// # Errors
/// Those of `parse`.
pub fn parsed<T>(
    from: &mut dyn Parameters,
    name: &'static str,
    parse: impl FnOnce(&str) -> Result<T>,
) -> Result<Option<T>> {
    let text = from.text(name)?;
    text.as_deref().map(parse).transpose().map_err(|error| from.place(name, error))
}

/// Adds the name of a query's parameter to an error.
pub fn in_query(name: &str, error: Error) -> Error {
    let named = Error::new(error.code(), format!("query parameter `{name}`: {}", error.detail()));
    match error.limit_value() {
        Some(limit) => named.limit(limit),
        None => named,
    }
}

fn version(from: &mut dyn Parameters, name: &'static str) -> Result<Option<u64>> {
    from.number(name, limits::EXACT_INTEGER)
}

fn limit(from: &mut dyn Parameters) -> Result<usize> {
    let limit = from.number("limit", limits::PAGE as u64)?;
    Ok(limit.and_then(|limit| limit.try_into().ok()).unwrap_or(limits::PAGE_DEFAULT))
}

fn required<T>(from: &dyn Parameters, name: &'static str, value: Option<T>) -> Result<T> {
    let missing = || Error::new(Code::InvalidRequest, "this parameter is required");
    value.ok_or_else(|| from.place(name, missing()))
}

/// The refusal of a number that is not from 1 to `most`.
pub fn not_from_one_to(most: u64) -> Error {
    if most == limits::EXACT_INTEGER {
        return Error::new(Code::InvalidRequest, "must be a whole number, 1 or more");
    }
    Error::new(Code::InvalidRequest, format!("must be a whole number from 1 to {most}")).limit(most)
}
