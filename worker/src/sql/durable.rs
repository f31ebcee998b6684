//! The storage of a Durable Object on Cloudflare.

use std::{cell::Cell as Slot, rc::Rc};

use js_sys::{Array, ArrayBuffer, Error as JsError, Uint8Array};
use nacre_core::{error::Result, limits, moment::Moment};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::{Storage, console_error};

use super::{Bind, Cell, Counts, Database, NO_TABLE, Row, odd, refused};

// Every method that can throw is marked `catch`: an exception that passes through Rust frames would
// not run their destructors.
#[wasm_bindgen]
extern "C" {
    #[derive(Clone)]
    type DurableStorage;

    #[wasm_bindgen(method, getter)]
    fn sql(this: &DurableStorage) -> SqlStorage;

    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(
        this: &DurableStorage,
        body: &mut dyn FnMut() -> Result<JsValue, JsValue>,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = setAlarm)]
    fn set_alarm(this: &DurableStorage, at: f64) -> Result<JsValue, JsValue>;

    type SqlStorage;

    #[wasm_bindgen(method, catch, variadic)]
    fn exec(
        this: &SqlStorage,
        statement: &str,
        bindings: Box<[JsValue]>,
    ) -> Result<Cursor, JsValue>;

    type Cursor;

    #[wasm_bindgen(method, catch)]
    fn raw(this: &Cursor) -> Result<Rows, JsValue>;

    #[wasm_bindgen(method, getter, catch, js_name = rowsRead)]
    fn rows_read(this: &Cursor) -> Result<f64, JsValue>;

    #[wasm_bindgen(method, getter, catch, js_name = rowsWritten)]
    fn rows_written(this: &Cursor) -> Result<f64, JsValue>;

    type Rows;

    #[wasm_bindgen(method, catch, js_name = toArray)]
    fn to_array(this: &Rows) -> Result<Array, JsValue>;
}

/// The storage of this object.
pub struct Durable {
    storage: DurableStorage,
    sql: SqlStorage,
    counts: Slot<Counts>,
    also_due: Rc<Slot<Option<Moment>>>,
}

impl Durable {
    /// Takes the storage of the object. There is one alarm; it is never later than `also_due`, even
    /// if the rows ask for a later one.
    pub fn new(storage: &Storage, also_due: Rc<Slot<Option<Moment>>>) -> Durable {
        let storage: DurableStorage =
            JsCast::unchecked_ref::<DurableStorage>(storage.as_raw()).clone();
        let sql = storage.sql();
        Durable { storage, sql, counts: Slot::default(), also_due }
    }

    fn exec(&self, statement: &str, bindings: &[Bind<'_>]) -> Result<Result<Cursor, JsValue>> {
        let values = bindings.iter().map(|binding| js_value(*binding)).collect::<Result<_>>()?;
        Ok(self.sql.exec(statement, values))
    }

    fn rows(&self, cursor: &Cursor) -> Result<Vec<Row>> {
        let rows = cursor.raw().and_then(|rows| rows.to_array()).map_err(failed)?;
        self.count(cursor);
        rows.iter()
            .map(|row| {
                let cells: &Array = row.dyn_ref().ok_or_else(odd)?;
                cells.iter().map(cell).collect::<Result<_>>().map(Row::new)
            })
            .collect()
    }

    fn count(&self, cursor: &Cursor) {
        let mut counts = self.counts.get();
        counts.read += cursor.rows_read().unwrap_or_default() as u64;
        counts.written += cursor.rows_written().unwrap_or_default() as u64;
        self.counts.set(counts);
    }
}

impl Database for Durable {
    fn query(&self, statement: &str, bindings: &[Bind<'_>]) -> Result<Vec<Row>> {
        self.rows(&self.exec(statement, bindings)?.map_err(failed)?)
    }

    fn query_if_there(&self, statement: &str, bindings: &[Bind<'_>]) -> Result<Option<Vec<Row>>> {
        match self.exec(statement, bindings)? {
            Ok(cursor) => self.rows(&cursor).map(Some),
            Err(thrown) if message(&thrown).is_some_and(|said| said.starts_with(NO_TABLE)) => {
                Ok(None)
            }
            Err(thrown) => Err(failed(thrown)),
        }
    }

    fn run(&self, statement: &str, bindings: &[Bind<'_>]) -> Result<()> {
        self.count(&self.exec(statement, bindings)?.map_err(failed)?);
        Ok(())
    }

    fn transaction(&self, body: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        let mut outcome = None;
        let mut run = || match body() {
            Ok(()) => Ok(JsValue::UNDEFINED),
            Err(error) => {
                outcome = Some(error);
                Err(JsError::new("rolled back").into())
            }
        };
        let committed = self.storage.transaction_sync(&mut run);
        match (committed, outcome) {
            (_, Some(error)) => Err(error),
            (Ok(_), None) => Ok(()),
            (Err(thrown), None) => Err(failed(thrown)),
        }
    }

    fn set_alarm(&self, at: Moment) -> Result<()> {
        let at = self.also_due.get().map_or(at, |due| due.min(at));
        // The output gate already waits for this write, so the promise is not needed.
        self.storage.set_alarm(Bind::exact(at.0)?).map(drop).map_err(failed)
    }

    fn counts(&self) -> Counts {
        self.counts.get()
    }
}

fn js_value(binding: Bind<'_>) -> Result<JsValue> {
    Ok(match binding {
        Bind::Null => JsValue::NULL,
        Bind::Number(number) => Bind::exact(number)?.into(),
        Bind::Text(text) => text.into(),
        Bind::Blob(bytes) => Uint8Array::from(bytes).into(),
    })
}

fn cell(value: JsValue) -> Result<Cell> {
    if value.is_null() {
        return Ok(Cell::Null);
    }
    if let Some(number) = value.as_f64() {
        let exact = (0.0..=limits::EXACT_INTEGER as f64).contains(&number) && number.fract() == 0.0;
        return if exact { Ok(Cell::Number(number as u64)) } else { Err(odd()) };
    }
    if let Some(text) = value.as_string() {
        return Ok(Cell::Text(text));
    }
    match value.dyn_ref::<ArrayBuffer>() {
        Some(buffer) => Ok(Cell::Blob(Uint8Array::new(buffer).to_vec())),
        None => Err(odd()),
    }
}

fn message(thrown: &JsValue) -> Option<String> {
    thrown.dyn_ref::<JsError>().map(|error| error.message().into())
}

/// Logs the database's message. It names tables and columns, never values.
fn failed(thrown: JsValue) -> nacre_core::error::Error {
    console_error!("storage: {}", message(&thrown).as_deref().unwrap_or("threw no error"));
    refused()
}
