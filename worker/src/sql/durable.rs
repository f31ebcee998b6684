//! The storage of a Durable Object on Cloudflare.

use std::{cell::Cell as Slot, rc::Rc};

use js_sys::{Array, ArrayBuffer, Error as JsError, Uint8Array};
use nacre_core::{error::Result, limits, moment::Moment};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::{Storage, console_error};

use super::{Bind, Bound, Cell, Counts, Database, NO_TABLE, Row, odd, refused};

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
}

// One call for a statement with all its parameters: each call crosses into JavaScript and back.
#[wasm_bindgen(module = "/src/sql/durable.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    fn run(
        sql: &SqlStorage,
        statements: &str,
        shape: &[f64],
        texts: &str,
        blobs: &[u8],
    ) -> Result<f64, JsValue>;

    #[wasm_bindgen(catch)]
    fn query(
        sql: &SqlStorage,
        statement: &str,
        shape: &[f64],
        texts: &str,
        blobs: &[u8],
    ) -> Result<Array, JsValue>;
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

    /// Reads what `query` gives.
    fn rows(&self, found: &Array) -> Result<Vec<Row>> {
        let mut cells = found.iter();
        let mut number = || cells.next().and_then(|number| number.as_f64()).ok_or_else(odd);
        let (touched, columns) = (number()?, number()?);
        self.count(touched);
        let mut rows = Vec::new();
        while cells.len() > 0 {
            let row = cells.by_ref().take((columns as usize).max(1)).map(cell);
            rows.push(Row::new(row.collect::<Result<_>>()?));
        }
        Ok(rows)
    }

    fn count(&self, touched: f64) {
        let touched = touched as u64;
        let mut counts = self.counts.get();
        counts.read += touched & u64::from(u32::MAX);
        counts.written += touched >> 32;
        self.counts.set(counts);
    }
}

/// Parameters as one list of numbers, one text and one run of bytes. `durable.js` takes them apart.
#[derive(Default)]
struct Packed {
    /// For each parameter its kind, and its value or its length; 0 for NULL.
    shape: Vec<f64>,
    texts: String,
    blobs: Vec<u8>,
}

impl Packed {
    fn of(bindings: &[Bind<'_>]) -> Result<Packed> {
        let mut packed = Packed::default();
        packed.add(bindings)?;
        Ok(packed)
    }

    /// Ends the parameters of a statement.
    fn end(&mut self) {
        self.shape.extend([4.0, 0.0]);
    }

    fn add(&mut self, bindings: &[Bind<'_>]) -> Result<()> {
        for binding in bindings {
            let (kind, number) = match *binding {
                Bind::Null => (0.0, 0.0),
                Bind::Number(number) => (1.0, Bind::exact(number)?),
                Bind::Text(text) => {
                    self.texts.push_str(text);
                    (2.0, text.encode_utf16().count() as f64)
                }
                Bind::Blob(bytes) => {
                    self.blobs.extend_from_slice(bytes);
                    (3.0, bytes.len() as f64)
                }
            };
            self.shape.extend([kind, number]);
        }
        Ok(())
    }
}

impl Database for Durable {
    fn query(&self, statement: &str, bindings: &[Bind<'_>]) -> Result<Vec<Row>> {
        let Packed { shape, texts, blobs } = Packed::of(bindings)?;
        self.rows(&query(&self.sql, statement, &shape, &texts, &blobs).map_err(failed)?)
    }

    fn query_if_there(&self, statement: &str, bindings: &[Bind<'_>]) -> Result<Option<Vec<Row>>> {
        let Packed { shape, texts, blobs } = Packed::of(bindings)?;
        match query(&self.sql, statement, &shape, &texts, &blobs) {
            Ok(found) => self.rows(&found).map(Some),
            Err(thrown) if message(&thrown).is_some_and(|said| said.starts_with(NO_TABLE)) => {
                Ok(None)
            }
            Err(thrown) => Err(failed(thrown)),
        }
    }

    fn run(&self, statement: &str, bindings: &[Bind<'_>]) -> Result<()> {
        let Packed { shape, texts, blobs } = Packed::of(bindings)?;
        self.count(run(&self.sql, statement, &shape, &texts, &blobs).map_err(failed)?);
        Ok(())
    }

    fn run_all(&self, statements: &[Bound<'_>]) -> Result<()> {
        let mut packed = Packed::default();
        for Bound { bindings, .. } in statements {
            packed.add(bindings)?;
            packed.end();
        }
        let texts: Vec<&str> = statements.iter().map(|bound| &*bound.statement).collect();
        let Packed { shape, texts: bound, blobs } = packed;
        let touched = run(&self.sql, &texts.join("\0"), &shape, &bound, &blobs);
        self.count(touched.map_err(failed)?);
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
