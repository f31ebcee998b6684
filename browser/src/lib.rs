//! The core's replica for JavaScript.
//!
//! This shell converts and calls: texts and bytes come in, canonical JSON and packed entries go
//! out, and errors are thrown as the text of their problem details. What is shown, merged, sent and
//! in conflict is decided in `nacre_core::replica`; network, storage and other tabs are the business
//! of the script around it (`npm/`).
//!
//! ```text
//! packed := (key length u32, key, value length u32 or 0xFFFFFFFF for none, value) …   little endian
//! ```
#![no_std]
extern crate alloc;
#[cfg(not(target_family = "wasm"))]
extern crate std; // brings, outside of wasm, what `runtime` does inside

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
    op::Op,
    pointer::Pointer,
    replica::{Choice, Replica, queue_key},
    value::Value,
    wire::{self, operation::PreviewBody, request},
};
use wasm_bindgen::prelude::*;

use pack::{pack, pack_step, unpack};

/// An error as JavaScript gets it: the text of its problem details.
fn thrown(error: Error) -> JsValue {
    JsValue::from_str(&text(wire::problem(&error)))
}

/// Bytes that are UTF-8, as all JSON of the core is.
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

/// A time or a count of JavaScript: whole and below 2⁵³.
fn whole(number: f64) -> u64 {
    number.max(0.0) as u64
}

/// A replica.
#[wasm_bindgen]
pub struct Core(Replica);

#[wasm_bindgen]
impl Core {
    /// Of a user, with nothing in it.
    #[wasm_bindgen(constructor)]
    pub fn new(user: &str) -> Result<Core, JsValue> {
        Replica::new(user).map(Core).map_err(thrown)
    }

    /// Whether it holds a copy.
    pub fn is_open(&self) -> bool {
        self.0.is_open()
    }

    /// The state of the server's store that it holds.
    pub fn seq(&self) -> f64 {
        self.0.seq() as f64
    }

    /// How many writes are not with the server.
    pub fn queued(&self) -> usize {
        self.0.queued()
    }

    /// How many conflicts there are.
    pub fn conflict_count(&self) -> usize {
        self.0.conflict_count()
    }

    /// Takes kept entries in; all of them, when it begins anew.
    pub fn absorb(&mut self, packed: &[u8], anew: bool) -> Result<(), JsValue> {
        unpack(packed).and_then(|entries| self.0.absorb(entries, anew)).map_err(thrown)
    }

    /// Takes newly queued writes in; the keys are places in the queue.
    pub fn queue(&mut self, packed: &[u8]) -> Result<(), JsValue> {
        let place = |(key, kept): (String, Option<Vec<u8>>)| Some((key.parse().ok()?, kept?));
        unpack(packed)
            .and_then(|entries| self.0.queue(entries.into_iter().filter_map(place).collect()))
            .map_err(thrown)
    }

    /// Answers a read, see `read`.
    pub fn read(&self, request: &str) -> Result<Vec<u8>, JsValue> {
        let answer = parse(request).and_then(read::op).and_then(|op| self.0.read(op));
        answer.map(|answer| answer.body).map_err(thrown)
    }

    /// The text of a view as it is.
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

    /// What a write would change.
    pub fn preview(
        &self,
        level: &str,
        id: &str,
        trial: &str,
        now: f64,
    ) -> Result<Vec<u8>, JsValue> {
        let op = || -> Result<Op> {
            let trial: PreviewBody = request::decode(read::trial(trial)?)?;
            trial.into_op(Address::parse(level, id)?)
        };
        let answer = op().and_then(|op| self.0.preview(op, Moment(whole(now))));
        answer.map(|answer| answer.body).map_err(thrown)
    }

    /// Decides writes, see `read`: packed, `answer` and then one entry for each to queue.
    pub fn write(&self, operations: &str, key: &str, now: f64) -> Result<Vec<u8>, JsValue> {
        let decided =
            read::operations(operations).and_then(|all| self.0.write(all, key, Moment(whole(now))));
        let decided = decided.map_err(thrown)?;
        let mut packed = Vec::new();
        pack("answer", Some(&decided.answer.body), &mut packed);
        decided.kept.iter().for_each(|kept| pack("q", Some(kept), &mut packed));
        Ok(packed)
    }

    /// The operations that an import comes to, see `read`.
    pub fn import(source: &str, replace: bool) -> Result<String, JsValue> {
        read::import(source, replace)
            .map(|operations| text(json::write(&operations)))
            .map_err(thrown)
    }

    /// Takes announced changes in.
    pub fn advance(&mut self, changes: &str, seq: f64) -> Result<Vec<u8>, JsValue> {
        let step = list(changes).and_then(|changes| self.0.advance(changes, whole(seq)));
        step.map(pack_step).map_err(thrown)
    }

    /// Holds what an export says; `under` is empty for all of it.
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

    /// Puts the next writes under way.
    pub fn take_off(&mut self, now: f64) -> Result<Vec<u8>, JsValue> {
        self.0.take_off(Moment(whole(now))).map(pack_step).map_err(thrown)
    }

    /// The name of what is under way.
    pub fn flight_name(&self) -> Option<String> {
        self.0.flight_name().map(Into::into)
    }

    /// Whether it has to be recalled before it is sent again.
    pub fn is_in_doubt(&self, now: f64) -> bool {
        self.0.is_in_doubt(Moment(whole(now)))
    }

    /// Takes a page of the audit trail in; null where it cannot be read.
    pub fn recall(&mut self, page: &str, now: f64) -> Result<Vec<u8>, JsValue> {
        parse(page)
            .and_then(|page| self.0.recall(&page, Moment(whole(now))))
            .map(pack_step)
            .map_err(thrown)
    }

    /// The body that is under way.
    pub fn under_way(&self) -> Option<String> {
        self.0.under_way().map(Into::into)
    }

    /// The server has carried the flight out.
    pub fn land(&mut self, answer: &str) -> Result<Vec<u8>, JsValue> {
        parse(answer).and_then(|answer| self.0.land(&answer)).map(pack_step).map_err(thrown)
    }

    /// The server has refused the flight.
    pub fn turn_back(&mut self, problem: &str) -> Result<Vec<u8>, JsValue> {
        parse(problem).and_then(|problem| self.0.turn_back(&problem)).map(pack_step).map_err(thrown)
    }

    /// What tells one state of a topic from another.
    pub fn stamp(&self, level: &str, id: &str, below: bool, view: bool) -> Result<String, JsValue> {
        let address = Address::parse(level, id).map_err(thrown)?;
        Ok(self.0.stamp(&address, below, view))
    }

    /// Writes that are not with the server.
    pub fn pending(&self) -> String {
        text(json::write(&self.0.pending()))
    }

    /// What needs a decision.
    pub fn conflicts(&self) -> Result<String, JsValue> {
        self.0.conflicts().map(|all| text(json::write(&all))).map_err(thrown)
    }

    /// Decides a conflict: packed, `operations` to write and the entries of the step. `choice` is
    /// `"mine"`, `"theirs"`, `{"value": …}` or `{"text": "…"}`, a value as its text.
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

    /// The key of a place in the queue.
    pub fn queue_key(place: f64) -> String {
        queue_key(whole(place))
    }
}
