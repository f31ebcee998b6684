//! The core's replica for JavaScript.
//!
//! This shell converts and calls. Texts and bytes come in; canonical JSON and packed entries go
//! out; errors are thrown as the text of their problem details. `nacre_core::replica` decides what
//! is shown, merged, sent and in conflict. The scripts in `npm/` handle network, storage and other
//! tabs.
//!
//! ```text
//! packed := (key length u32, key, value length u32 or 0xFFFFFFFF for none, value) …   little endian
//! ```
#![no_std]
extern crate alloc;
#[cfg(not(target_family = "wasm"))]
extern crate std; // outside of wasm, `std` provides what `runtime` provides inside

mod pack;
mod read;
#[cfg(target_family = "wasm")]
mod runtime;

use alloc::{string::String, vec::Vec};

use nacre_core::{
    address::Address,
    error::{Code, Error, Result},
    json, limits,
    moment::Moment,
    op::Read,
    pointer::Pointer,
    replica::{Choice, Replica, queue_key},
    value::Value,
    wire::{self, operation::PreviewBody, request},
};
use wasm_bindgen::prelude::*;

use pack::{pack, pack_step, unpack};

/// An error for JavaScript: the text of its problem details.
fn thrown(error: Error) -> JsValue {
    JsValue::from_str(&text(wire::problem(&error)))
}

/// The text of bytes. All JSON of the core is UTF-8.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_default()
}

fn parse(text: &str) -> Result<Value> {
    wire::read_json(text.as_bytes())
}

fn list(text: &str) -> Result<Vec<Value>> {
    match parse(text)? {
        Value::Array(items) => Ok(items),
        _ => Err(Error::new(Code::InvalidRequest, "the value must be an array").at("")),
    }
}

fn no_choice() -> Error {
    Error::new(Code::InvalidRequest, "the choice must be `mine`, `theirs` or a value").at("")
}

/// A time or a count from JavaScript: a whole number below 2⁵³.
fn whole(number: f64) -> u64 {
    number.max(0.0) as u64
}

/// A replica of one store, for one user.
#[wasm_bindgen]
pub struct Core(Replica);

#[wasm_bindgen]
impl Core {
    /// Creates an empty replica for a user.
    #[wasm_bindgen(constructor)]
    pub fn new(user: &str) -> Result<Core, JsValue> {
        Replica::new(user).map(Core).map_err(thrown)
    }

    /// Whether it holds a copy of the store.
    pub fn is_open(&self) -> bool {
        self.0.is_open()
    }

    /// The `seq` of the server's state that it holds.
    pub fn seq(&self) -> f64 {
        self.0.seq() as f64
    }

    /// The number of unsent writes.
    pub fn queued(&self) -> usize {
        self.0.queued()
    }

    /// The number of open conflicts.
    pub fn conflict_count(&self) -> usize {
        self.0.conflict_count()
    }

    /// Takes stored entries; `anew` means that they are all entries, and replace the present state.
    pub fn absorb(&mut self, packed: &[u8], anew: bool) -> Result<(), JsValue> {
        unpack(packed).and_then(|entries| self.0.absorb(entries, anew)).map_err(thrown)
    }

    /// Takes newly queued writes; the keys are their places in the queue.
    pub fn queue(&mut self, packed: &[u8]) -> Result<(), JsValue> {
        let place = |(key, kept): (String, Option<Vec<u8>>)| Some((key.parse().ok()?, kept?));
        unpack(packed)
            .and_then(|entries| self.0.queue(entries.into_iter().filter_map(place).collect()))
            .map_err(thrown)
    }

    /// Answers a read, see `read`.
    pub fn read(&self, request: &str) -> Result<Vec<u8>, JsValue> {
        let answer = parse(request)
            .and_then(read::question)
            .and_then(|question| self.0.read(&question, Moment(0)));
        answer.map(|answer| answer.body).map_err(thrown)
    }

    /// The text of a view, without its envelope.
    pub fn view(&self, level: &str, id: &str) -> Result<Vec<u8>, JsValue> {
        let view = Address::parse(level, id).and_then(|address| self.0.view(&address));
        view.map(|view| view.text.clone()).map_err(thrown)
    }

    /// The part at `path` of a document.
    pub fn part(document: &[u8], path: String) -> Result<Vec<u8>, JsValue> {
        let part = || {
            let path = Pointer::parse(path)?;
            let value = json::read(document, limits::DEPTH)?;
            path.get(&value).map(json::write).ok_or_else(Error::not_found)
        };
        part().map_err(thrown)
    }

    /// Previews a write.
    pub fn preview(
        &self,
        level: &str,
        id: &str,
        trial: &str,
        now: f64,
    ) -> Result<Vec<u8>, JsValue> {
        let question = || -> Result<Read> {
            let trial: PreviewBody = request::decode(read::trial(trial)?)?;
            trial.into_read(Address::parse(level, id)?)
        };
        let now = Moment(whole(now));
        let answer = question().and_then(|question| self.0.read(&question, now));
        answer.map(|answer| answer.body).map_err(thrown)
    }

    /// Brings a draft forward; `edits` is `{"base": …, "draft": …}`, see `read`.
    pub fn merge(&self, level: &str, id: &str, edits: &str) -> Result<String, JsValue> {
        let merged = || {
            let (base, draft) = read::edits(edits)?;
            self.0.merge(&Address::parse(level, id)?, &base, &draft)
        };
        merged().map(|merged| text(json::write(&merged))).map_err(thrown)
    }

    /// Decides writes (see `read`). Returns packed entries: `answer`, then one entry to queue for
    /// each write.
    pub fn write(&self, operations: &str, key: &str, now: f64) -> Result<Vec<u8>, JsValue> {
        let decided =
            read::operations(operations).and_then(|all| self.0.write(all, key, Moment(whole(now))));
        let decided = decided.map_err(thrown)?;
        let mut packed = Vec::new();
        pack("answer", Some(&decided.answer.body), &mut packed);
        decided.kept.iter().for_each(|kept| pack("q", Some(kept), &mut packed));
        Ok(packed)
    }

    /// The operations of an import (see `read`).
    pub fn import(source: &str, replace: bool) -> Result<String, JsValue> {
        read::import(source, replace)
            .map(|operations| text(json::write(&operations)))
            .map_err(thrown)
    }

    /// Takes announced changes.
    pub fn advance(&mut self, changes: &str, seq: f64) -> Result<Vec<u8>, JsValue> {
        let step = list(changes).and_then(|changes| self.0.advance(changes, whole(seq)));
        step.map(pack_step).map_err(thrown)
    }

    /// Replaces the copy with an export. `level` is empty for a whole store.
    pub fn open(
        &mut self,
        export: &[u8],
        seq: f64,
        level: &str,
        id: &str,
    ) -> Result<Vec<u8>, JsValue> {
        let under = match level {
            "" => None,
            level => Some(Address::parse(level, id).map_err(thrown)?),
        };
        self.0.open(export, whole(seq), under.as_ref()).map(pack_step).map_err(thrown)
    }

    /// Starts sending the next writes.
    pub fn take_off(&mut self, now: f64) -> Result<Vec<u8>, JsValue> {
        self.0.take_off(Moment(whole(now))).map(pack_step).map_err(thrown)
    }

    /// The idempotency key of the writes that are being sent.
    pub fn flight_name(&self) -> Option<String> {
        self.0.flight_name().map(Into::into)
    }

    /// Whether the audit trail must be checked before the writes are sent again.
    pub fn is_in_doubt(&self, now: f64) -> bool {
        self.0.is_in_doubt(Moment(whole(now)))
    }

    /// Takes a page of the audit trail; null if it cannot be read.
    pub fn recall(&mut self, page: &str, now: f64) -> Result<Vec<u8>, JsValue> {
        parse(page)
            .and_then(|page| self.0.recall(&page, Moment(whole(now))))
            .map(pack_step)
            .map_err(thrown)
    }

    /// Takes an answer to the flight that says nothing about its writes. Returns a packed step.
    pub fn pass_over(&mut self, problem: &str) -> Result<Vec<u8>, JsValue> {
        parse(problem).and_then(|problem| self.0.pass_over(&problem)).map(pack_step).map_err(thrown)
    }

    /// The request body of the writes that are being sent.
    pub fn under_way(&self) -> Option<String> {
        self.0.under_way().map(Into::into)
    }

    /// Tells that the server has stored the sent writes.
    pub fn land(&mut self, answer: &str) -> Result<Vec<u8>, JsValue> {
        parse(answer).and_then(|answer| self.0.land(&answer)).map(pack_step).map_err(thrown)
    }

    /// Tells that the server has refused the sent writes.
    pub fn turn_back(&mut self, problem: &str) -> Result<Vec<u8>, JsValue> {
        parse(problem).and_then(|problem| self.0.turn_back(&problem)).map(pack_step).map_err(thrown)
    }

    /// A text that changes whenever the state of a topic changes.
    pub fn stamp(&self, level: &str, id: &str, below: bool, view: bool) -> Result<String, JsValue> {
        let address = Address::parse(level, id).map_err(thrown)?;
        Ok(self.0.stamp(&address, below, view))
    }

    /// Queues a refused write again. Returns a packed step.
    pub fn retry(&mut self, key: &str) -> Result<Vec<u8>, JsValue> {
        self.0.retry(key).map(pack_step).map_err(thrown)
    }

    /// Removes a write that is not being sent, and its conflicts. Returns a packed step.
    pub fn discard(&mut self, key: &str) -> Result<Vec<u8>, JsValue> {
        self.0.discard(key).map(pack_step).map_err(thrown)
    }

    /// The number of refused writes.
    pub fn refused_count(&self) -> usize {
        self.0.refused()
    }

    /// The writes that are not with the server: queued, in flight or refused.
    pub fn pending(&self) -> String {
        text(json::write(&self.0.pending()))
    }

    /// The open conflicts.
    pub fn conflicts(&self) -> Result<String, JsValue> {
        self.0.conflicts().map(|all| text(json::write(&all))).map_err(thrown)
    }

    /// Settles a conflict. Returns packed entries: `operations` to write, and those of the step.
    /// `choice` is `"mine"`, `"theirs"`, `{"value": …}`, or `{"text": "…"}` with a value as JSON
    /// text.
    pub fn settle(&self, id: &str, choice: &str) -> Result<Vec<u8>, JsValue> {
        let settled = || {
            let choice = match parse(choice)? {
                Value::String(text) if text == "mine" => Choice::Mine,
                Value::String(text) if text == "theirs" => Choice::Theirs,
                Value::Object(mut object) => {
                    match (object.remove("value"), object.remove("text")) {
                        (Some(value), None) => Choice::Other(value),
                        (None, Some(Value::String(text))) => Choice::Other(parse(&text)?),
                        _ => return Err(no_choice()),
                    }
                }
                _ => return Err(no_choice()),
            };
            self.0.settle(id, choice)
        };
        let (operations, step) = settled().map_err(thrown)?;
        let mut packed = Vec::new();
        pack("operations", Some(&json::write(&Value::Array(operations))), &mut packed);
        packed.extend(pack_step(step));
        Ok(packed)
    }

    /// The storage key of a place in the queue.
    pub fn queue_key(place: f64) -> String {
        queue_key(whole(place))
    }
}
