//! Rows of sheets.
//!
//! ```text
//! columns: kind (0 promotion, 1 template), name, waits
//! value  : 01  text …
//! ```

use alloc::{string::String, vec::Vec};

use super::{
    Row,
    bytes::{Reader, Writer},
    odd,
};
use crate::{
    seal::RowIdentity,
    sheet::{Sheet, SheetKind},
};
use nacre_layers::error::Result;

/// The columns of a sheet's row.
#[derive(Clone, Debug, PartialEq)]
pub struct SheetColumns {
    /// The kind.
    pub kind: SheetKind,
    /// The name.
    pub name: String,
    /// Whether it waits for a decision.
    pub waits: bool,
}

impl SheetColumns {
    /// The columns with these values.
    ///
    /// # Errors
    /// `store-unavailable` for an unknown kind.
    pub fn of(kind: u64, name: String, waits: u64) -> Result<SheetColumns> {
        let kinds = [SheetKind::Promotion, SheetKind::Template];
        let kind = kinds.into_iter().find(|known| known.number() == kind).ok_or_else(odd)?;
        Ok(SheetColumns { kind, name, waits: waits != 0 })
    }
}

impl Row for Sheet {
    type Columns = SheetColumns;

    fn columns(&self) -> SheetColumns {
        SheetColumns { kind: self.kind, name: self.name.clone(), waits: self.waits }
    }

    fn identity(columns: &SheetColumns) -> RowIdentity {
        RowIdentity::new("sheets")
            .number(columns.kind.number())
            .text(&columns.name)
            .number(columns.waits.into())
    }

    fn encode(&self) -> Result<Vec<u8>> {
        let mut writer = Writer::new();
        writer.rest(&self.text);
        Ok(writer.finish())
    }

    fn decode(columns: SheetColumns, mut plain: Vec<u8>) -> Result<Sheet> {
        let left = Reader::new(&plain)?.left();
        plain.drain(..plain.len() - left);
        let SheetColumns { kind, name, waits } = columns;
        Ok(Sheet { kind, name, waits, text: plain.into() })
    }
}
