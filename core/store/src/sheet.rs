//! Sheets: rows that only decisions of their own kind read. A store keeps them by name.

use alloc::{rc::Rc, string::String};

/// What a sheet holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SheetKind {
    /// A promotion. Its name grows with time.
    Promotion,
    /// A template of the owner. Its name is the template's.
    Template,
}

impl SheetKind {
    /// The number in columns.
    pub const fn number(self) -> u64 {
        match self {
            SheetKind::Promotion => 0,
            SheetKind::Template => 1,
        }
    }
}

/// A row of one kind.
#[derive(Clone, PartialEq)]
pub struct Sheet {
    /// The kind.
    pub kind: SheetKind,
    /// The name, unique within the kind.
    pub name: String,
    /// Whether somebody still has to decide about it, so that lists of these find it quickly.
    pub waits: bool,
    /// What it says, as JSON. Empty text is the end of the sheet.
    pub text: Rc<[u8]>,
}

impl Sheet {
    /// The end of a sheet.
    pub fn ended(kind: SheetKind, name: &str) -> Sheet {
        Sheet { kind, name: name.into(), waits: false, text: Rc::default() }
    }

    /// Whether it ends the sheet.
    pub fn is_end(&self) -> bool {
        self.text.is_empty()
    }
}

impl core::fmt::Debug for Sheet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // Sheets hold users' data, so the debug text shows only sizes.
        write!(f, "Sheet({:?} {}, {} bytes)", self.kind, self.name, self.text.len())
    }
}
