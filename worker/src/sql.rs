//! The synchronous half of a Durable Object's storage: SQL, transactions, the alarm.
//!
//! [`Database`] is the interface that the store needs; tests run the same statements on plain
//! SQLite. [`Durable`] implements it with its own bindings: those of the `worker` crate have no
//! `transactionSync`, let exceptions escape from cursors, bind booleans as text and round integers
//! silently.

mod durable;

use std::borrow::Cow;

use nacre_core::{
    error::{Code, Error, Result},
    limits,
    moment::Moment,
};

pub use durable::Durable;

/// One bound parameter. Booleans are bound as 0 or 1.
#[derive(Clone, Copy, Debug)]
pub enum Bind<'a> {
    /// NULL.
    Null,
    /// An integer, at most [`limits::EXACT_INTEGER`]: JavaScript numbers hold no more.
    Number(u64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
}

impl Bind<'_> {
    /// The number as it crosses into JavaScript.
    ///
    /// # Errors
    /// `internal` past [`limits::EXACT_INTEGER`].
    pub(crate) fn exact(number: u64) -> Result<f64> {
        if number > limits::EXACT_INTEGER {
            return Err(Error::bug("an integer is too large for the database"));
        }
        Ok(number as f64)
    }
}

impl<'a> From<Option<&'a str>> for Bind<'a> {
    fn from(text: Option<&'a str>) -> Bind<'a> {
        text.map_or(Bind::Null, Bind::Text)
    }
}

impl From<Option<u64>> for Bind<'_> {
    fn from(number: Option<u64>) -> Self {
        number.map_or(Bind::Null, Bind::Number)
    }
}

/// A statement with its parameters.
#[derive(Clone, Debug)]
pub struct Bound<'a> {
    /// The SQL.
    pub statement: Cow<'static, str>,
    /// The parameters.
    pub bindings: Vec<Bind<'a>>,
}

/// One cell of a result.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// NULL.
    Null,
    /// An exact integer of 0 or more.
    Number(u64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Cell {
    /// The cell as a parameter.
    pub fn bind(&self) -> Bind<'_> {
        match self {
            Cell::Null => Bind::Null,
            Cell::Number(number) => Bind::Number(*number),
            Cell::Text(text) => Bind::Text(text),
            Cell::Blob(blob) => Bind::Blob(blob),
        }
    }
}

/// One row of a result, read cell by cell from the first on.
#[derive(Debug)]
pub struct Row(std::vec::IntoIter<Cell>);

impl Row {
    /// A row of these cells.
    pub fn new(cells: Vec<Cell>) -> Row {
        Row(cells.into_iter())
    }

    /// The next cell as a number.
    ///
    /// # Errors
    /// `store-unavailable` if it is not.
    pub fn number(&mut self) -> Result<u64> {
        if let Some(Cell::Number(number)) = self.0.next() { Ok(number) } else { Err(odd()) }
    }

    /// The next cell as text.
    ///
    /// # Errors
    /// `store-unavailable` if it is not.
    pub fn text(&mut self) -> Result<String> {
        if let Some(Cell::Text(text)) = self.0.next() { Ok(text) } else { Err(odd()) }
    }

    /// The next cell as bytes.
    ///
    /// # Errors
    /// `store-unavailable` if it is not.
    pub fn blob(&mut self) -> Result<Vec<u8>> {
        if let Some(Cell::Blob(blob)) = self.0.next() { Ok(blob) } else { Err(odd()) }
    }

    /// The next cell as a number, if it is not NULL.
    ///
    /// # Errors
    /// `store-unavailable` if it has another type.
    pub fn optional_number(&mut self) -> Result<Option<u64>> {
        match self.0.next() {
            Some(Cell::Null) => Ok(None),
            Some(Cell::Number(number)) => Ok(Some(number)),
            _ => Err(odd()),
        }
    }

    /// The next cell as text, if it is not NULL.
    ///
    /// # Errors
    /// `store-unavailable` if it has another type.
    pub fn optional_text(&mut self) -> Result<Option<String>> {
        match self.0.next() {
            Some(Cell::Null) => Ok(None),
            Some(Cell::Text(text)) => Ok(Some(text)),
            _ => Err(odd()),
        }
    }

    /// The next cell as bytes, if it is not NULL.
    ///
    /// # Errors
    /// `store-unavailable` if it has another type.
    pub fn optional_blob(&mut self) -> Result<Option<Vec<u8>>> {
        match self.0.next() {
            Some(Cell::Null) => Ok(None),
            Some(Cell::Blob(blob)) => Ok(Some(blob)),
            _ => Err(odd()),
        }
    }

    /// The remaining cells.
    pub fn cells(&self) -> &[Cell] {
        self.0.as_slice()
    }
}

/// Rows that statements touched. A deployment is billed for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows read, of tables and indexes.
    pub read: u64,
    /// Rows written, of tables and indexes.
    pub written: u64,
}

impl Counts {
    /// The sum.
    #[must_use]
    pub fn plus(self, more: Counts) -> Counts {
        Counts { read: self.read + more.read, written: self.written + more.written }
    }

    /// The difference to `before`.
    #[must_use]
    pub fn since(self, before: Counts) -> Counts {
        Counts {
            read: self.read.saturating_sub(before.read),
            written: self.written.saturating_sub(before.written),
        }
    }
}

/// The storage of one object.
pub trait Database {
    /// Runs one statement and gives all its rows.
    ///
    /// # Errors
    /// `store-unavailable` when the database refuses it.
    fn query(&self, statement: &str, bindings: &[Bind<'_>]) -> Result<Vec<Row>>;

    /// The same for a table that may be missing; `None` if it is.
    ///
    /// # Errors
    /// `store-unavailable` when the database refuses the statement for another reason.
    fn query_if_there(&self, statement: &str, bindings: &[Bind<'_>]) -> Result<Option<Vec<Row>>>;

    /// Runs one statement without a result.
    ///
    /// # Errors
    /// `store-unavailable` when the database refuses it.
    fn run(&self, statement: &str, bindings: &[Bind<'_>]) -> Result<()>;

    /// Runs statements without results, in order.
    ///
    /// # Errors
    /// `store-unavailable` when the database refuses one; those before it stay.
    fn run_all(&self, statements: &[Bound<'_>]) -> Result<()>;

    /// Runs `body` as one transaction: an error of `body` or of the commit undoes everything,
    /// including the alarm.
    ///
    /// # Errors
    /// The error of `body`; `store-unavailable` if the commit fails.
    fn transaction(&self, body: &mut dyn FnMut() -> Result<()>) -> Result<()>;

    /// Sets the alarm, which replaces any earlier one.
    ///
    /// # Errors
    /// `store-unavailable`.
    fn set_alarm(&self, at: Moment) -> Result<()>;

    /// Rows touched since the object woke up.
    fn counts(&self) -> Counts;
}

/// The start of SQLite's message about a missing table.
pub const NO_TABLE: &str = "no such table";

/// The error of a failed statement. The database's message is logged, and callers do not see it.
pub(crate) fn refused() -> Error {
    Error::new(Code::StoreUnavailable, "the database is not available; try again")
}

/// The error of a row that Nacre cannot have written.
pub(crate) fn odd() -> Error {
    Error::new(
        Code::StoreUnavailable,
        "a stored row cannot be read: no version of Nacre has written it",
    )
}
