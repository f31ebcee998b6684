//! What an export adds to the contexts on request: own templates, then promotions, one per line.
//!
//! ```text
//! {"template":{"description","layers","name","preset","variables"?}}
//! {"promotion":{…}}                                    as in the list of promotions
//! ```
//! An import takes templates back. Promotions tell of commits of their own store, so it passes over
//! them.

use alloc::{string::String, vec::Vec};

use super::{promotion, template, text::ObjectText};
use nacre_layers::{
    error::{Code, Error, Result},
    id::ContextId,
    value::Value,
};
use nacre_store::{
    limits,
    op::{Administration, Inspection},
    plan::Reply,
    record::EntryId,
};

/// A running export of sheets: the next part to decide.
#[derive(Clone, Copy, Debug)]
pub enum Sheets {
    /// All templates.
    Templates,
    /// Promotions before this one.
    Promotions(Option<EntryId>),
    /// Nothing more.
    End,
}

impl Sheets {
    /// The next part to decide; `None` at the end.
    pub fn next(self) -> Option<Inspection> {
        match self {
            Sheets::Templates => Some(Inspection::Templates),
            Sheets::Promotions(before) => {
                Some(Inspection::Promotions { standing: None, before, limit: limits::PAGE_DEFAULT })
            }
            Sheets::End => None,
        }
    }

    /// Appends the lines of the reply to [`Self::next`]. Returns how it goes on.
    ///
    /// # Errors
    /// `internal` for a reply to another question.
    pub fn write(self, reply: &Reply, out: &mut Vec<u8>) -> Result<Sheets> {
        match reply {
            Reply::Templates(templates) => {
                for template in templates.iter().filter(|template| !template.is_preset) {
                    let mut line = ObjectText::open(out);
                    template::write(template, line.member("template"));
                    line.close();
                    out.push(b'\n');
                }
                Ok(Sheets::Promotions(None))
            }
            Reply::Promotions { items, next } => {
                for item in items {
                    let mut line = ObjectText::open(out);
                    promotion::write(item, line.member("promotion"));
                    line.close();
                    out.push(b'\n');
                }
                Ok(next.map_or(Sheets::End, |next| Sheets::Promotions(Some(next))))
            }
            _ => Err(Error::bug("the reply does not belong to this part of the export")),
        }
    }
}

/// What a line of an import is beside a context.
#[derive(Debug)]
pub enum SheetLine {
    /// A template to put.
    Template(Administration),
    /// A promotion, which is passed over.
    Promotion,
}

/// Reads a line of [`Sheets`]; `None` for any other.
///
/// # Errors
/// `invalid-json`, `invalid-request`, `invalid-id`, `invalid-rules`.
pub fn sheet_line(text: &[u8]) -> Result<Option<SheetLine>> {
    let begins = |with: &str| text.trim_ascii_start().starts_with(with.as_bytes());
    if begins("{\"promotion\":") {
        return Ok(Some(SheetLine::Promotion));
    }
    if !begins("{\"template\":") {
        return Ok(None);
    }
    let shape = || {
        let detail = "a line of a template must be {\"template\":{\"name\",\"layers\",…}}";
        Error::new(Code::InvalidRequest, detail).at("/template")
    };
    let Value::Object(mut line) = super::read_json(text)? else { return Err(shape()) };
    let (Some(Value::Object(mut members)), true) = (line.remove("template"), line.is_empty())
    else {
        return Err(shape());
    };
    members.remove("preset");
    let name: Option<String> =
        members.remove("name").and_then(|name| name.as_str().map(Into::into));
    let name = ContextId::parse(&name.ok_or_else(shape)?);
    let name = name.map_err(|error| error.at("/template/name"))?;
    template::put(name, members).map(|put| Some(SheetLine::Template(put)))
}
