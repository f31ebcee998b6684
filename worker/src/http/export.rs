//! An export: decides part after part, and writes their text.

use nacre_core::{
    error::Result,
    op::{Caller, Request},
    plan::Reply,
    wire::Export,
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
}

impl Exporter {
    pub(super) fn new(caller: Caller, id: String, reveal: bool) -> Exporter {
        Exporter { caller, id, export: Export::new(reveal) }
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
        while let Some(part) = self.export.next().filter(|_| text.len() < PIECE) {
            let request = Request {
                caller: self.caller.clone(),
                command: part.into(),
                idempotency: None,
                id: Some(self.id.clone()),
            };
            self.export.write(&decide(&request)?, &mut text)?;
        }
        Ok((!text.is_empty()).then_some(text))
    }
}
