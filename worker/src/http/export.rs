//! An export: decides part after part, and writes their text.

use nacre_core::{
    error::Result,
    op::{Caller, Inspection, Request},
    plan::Reply,
    wire::{Export, sheets::Sheets},
};

/// Least size of a piece, in bytes, so that small contexts are sent together.
const PIECE: usize = 64 << 10;

/// A running export.
///
/// Decide the first piece before the response begins, so that a refusal can still be a problem:
/// ```text
/// while let Some(piece) = exporter.piece(|request| decide …)? { send it }
/// ```
#[derive(Debug)]
pub struct Exporter {
    caller: Caller,
    id: String,
    export: Export,
    sheets: Sheets,
}

impl Exporter {
    /// With `all`, templates and promotions come after the contexts.
    pub(super) fn new(caller: Caller, id: String, reveal: bool, all: bool) -> Exporter {
        let sheets = if all { Sheets::Templates } else { Sheets::End };
        Exporter { caller, id, export: Export::new(reveal), sheets }
    }

    /// The next piece of text; `None` at the end.
    ///
    /// # Errors
    /// As `decide`.
    pub fn piece(
        &mut self,
        mut decide: impl FnMut(&Request) -> Result<Reply>,
    ) -> Result<Option<Vec<u8>>> {
        let mut text = Vec::new();
        let (caller, id) = (self.caller.clone(), self.id.clone());
        let mut ask = |part: Inspection| {
            let (caller, id) = (caller.clone(), Some(id.clone()));
            decide(&Request { caller, command: part.into(), idempotency: None, id })
        };
        while let Some(part) = self.export.next().filter(|_| text.len() < PIECE) {
            self.export.write(&ask(part)?, &mut text)?;
        }
        while let Some(part) = self.sheets.next().filter(|_| text.len() < PIECE) {
            self.sheets = self.sheets.write(&ask(part)?, &mut text)?;
        }
        Ok((!text.is_empty()).then_some(text))
    }
}
