//! SQLite on this machine in the place of a Durable Object's: same statements, same transactions,
//! an alarm that only notes its time, and calls that fail when a test wants them to.

pub(crate) mod world;

use std::{cell::Cell as Slot, ops::Deref, rc::Rc};

use nacre_core::{
    error::{Code, Error, Result},
    moment::Moment,
};
use nacre_worker::sql::{Bind, Bound, Cell, Counts, Database, NO_TABLE, Row};
use rusqlite::{
    Connection, params_from_iter,
    types::{ToSqlOutput, Value, ValueRef},
};

/// A handle; its clones are the same database.
#[derive(Clone)]
pub(crate) struct Sqlite(Rc<Inner>);

pub(crate) struct Inner {
    pub(crate) connection: Connection,
    pub(crate) alarm: Slot<Option<Moment>>,
    /// Calls until one fails; `None`: none does.
    pub(crate) fuse: Slot<Option<u64>>,
    /// Calls so far.
    pub(crate) calls: Slot<u64>,
    /// Rows that statements have returned so far.
    pub(crate) rows: Slot<u64>,
}

impl Deref for Sqlite {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Sqlite {
    pub(crate) fn new() -> Sqlite {
        Sqlite(Rc::new(Inner {
            connection: Connection::open_in_memory().unwrap(),
            alarm: Slot::new(None),
            fuse: Slot::new(None),
            calls: Slot::new(0),
            rows: Slot::new(0),
        }))
    }

    fn called(&self) -> Result<()> {
        self.calls.set(self.calls.get() + 1);
        match self.fuse.get() {
            Some(0) => Err(Error::new(Code::StoreUnavailable, "the test wants this to fail")),
            Some(left) => {
                self.fuse.set(Some(left - 1));
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// The whole database.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.connection.serialize("main").unwrap().to_vec()
    }
}

struct Parameter<'a>(Bind<'a>);

impl rusqlite::ToSql for Parameter<'_> {
    /// Numbers cross as doubles, as they do from JavaScript.
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Bind::Null => ToSqlOutput::Owned(Value::Null),
            Bind::Number(number) => {
                assert!(number <= nacre_core::limits::EXACT_INTEGER, "{number}");
                ToSqlOutput::Owned(Value::Real(number as f64))
            }
            Bind::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Bind::Blob(blob) => ToSqlOutput::Borrowed(ValueRef::Blob(blob)),
        })
    }
}

fn refused(error: &rusqlite::Error) -> Error {
    Error::new(Code::StoreUnavailable, format!("SQLite: {error}"))
}

impl Database for Sqlite {
    fn query(&self, statement: &str, bindings: &[Bind<'_>]) -> Result<Vec<Row>> {
        self.called()?;
        let mut prepared =
            self.connection.prepare_cached(statement).map_err(|error| refused(&error))?;
        let columns = prepared.column_count();
        let rows =
            prepared.query_map(params_from_iter(bindings.iter().map(|b| Parameter(*b))), |row| {
                (0..columns)
                    .map(|column| {
                        Ok(match row.get_ref(column)? {
                            ValueRef::Null => Cell::Null,
                            ValueRef::Integer(number) => {
                                Cell::Number(u64::try_from(number).unwrap())
                            }
                            ValueRef::Text(text) => {
                                Cell::Text(String::from_utf8(text.into()).unwrap())
                            }
                            ValueRef::Blob(blob) => Cell::Blob(blob.into()),
                            ValueRef::Real(real) => panic!("a double came out: {real}"),
                        })
                    })
                    .collect::<rusqlite::Result<Vec<_>>>()
                    .map(Row::new)
            });
        let rows: Vec<Row> = rows.and_then(Iterator::collect).map_err(|error| refused(&error))?;
        self.rows.set(self.rows.get() + rows.len() as u64);
        Ok(rows)
    }

    fn query_if_there(&self, statement: &str, bindings: &[Bind<'_>]) -> Result<Option<Vec<Row>>> {
        match self.query(statement, bindings) {
            Err(error) if error.detail().contains(NO_TABLE) => Ok(None),
            outcome => outcome.map(Some),
        }
    }

    fn run(&self, statement: &str, bindings: &[Bind<'_>]) -> Result<()> {
        self.query(statement, bindings).map(drop)
    }

    fn run_all(&self, statements: &[Bound<'_>]) -> Result<()> {
        statements.iter().try_for_each(|bound| self.run(&bound.statement, &bound.bindings))
    }

    fn transaction(&self, body: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        let alarm = self.alarm.get();
        self.connection.execute_batch("SAVEPOINT one").unwrap();
        let outcome = body().and_then(|()| self.called());
        match outcome {
            Ok(()) => self.connection.execute_batch("RELEASE one").unwrap(),
            Err(_) => {
                self.connection.execute_batch("ROLLBACK TO one; RELEASE one").unwrap();
                self.alarm.set(alarm);
            }
        }
        outcome
    }

    fn set_alarm(&self, at: Moment) -> Result<()> {
        self.called()?;
        self.alarm.set(Some(at));
        Ok(())
    }

    fn counts(&self) -> Counts {
        Counts { read: self.calls.get(), written: 0 }
    }
}
