//! A request whose head is understood: what it needs yet, and what it comes to.

use nacre_core::{
    error::{Code, Error, Result},
    limits,
    op::{Caller, Op, Request},
    value::Value,
};

use super::{
    export::Exporter,
    import::Importer,
    key::Key,
    media::Reader,
    routes::{Body, BodyType, Route},
};

/// The body that is to be read before [`Ask::decode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyWanted {
    /// None: decode with nothing.
    None,
    /// All of it, at most so many bytes; stop reading beyond.
    AtMost(usize),
    /// Bit by bit, into the [`Importer`] that decoding with nothing gives.
    Lines,
}

/// What is to be done.
#[derive(Debug)]
pub enum Task {
    /// One decision.
    Op(Request),
    /// One decision after another, each a page of lines.
    Export(Exporter),
    /// One decision after another, each a block of lines.
    Import(Importer),
    /// Open a socket for the caller.
    Live {
        /// Who, and whose store.
        caller: Caller,
    },
    /// Say how the keys of the caller's store stand, or begin a new one.
    Keys {
        /// Whose store.
        caller: Caller,
        /// Whether to begin a new data key.
        rotate: bool,
    },
    /// Destroy the caller's store.
    Erase,
}

/// A request whose head is understood.
#[derive(Debug)]
pub struct Ask {
    pub(super) route: &'static Route,
    pub(super) caller: Caller,
    pub(super) request_id: String,
    pub(super) reader: Reader,
    pub(super) pending: Pending,
    pub(super) key: Option<Key>,
}

/// What the head alone comes to.
pub(super) enum Pending {
    /// The operation.
    Op(Op),
    /// The operation, given its body; `None` where the body may be left out and is.
    Body(Box<dyn FnOnce(Option<Value>) -> Result<Op>>),
    /// An export.
    Export(Exporter),
    /// An import.
    Import(Importer),
    /// A socket.
    Live,
    /// The store's keys; whether to begin a new one.
    Keys(bool),
    /// The end of the store.
    Erase,
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Pending::Op(_) => "Op",
            Pending::Body(_) => "Body",
            Pending::Export(_) => "Export",
            Pending::Import(_) => "Import",
            Pending::Live => "Live",
            Pending::Keys(_) => "Keys",
            Pending::Erase => "Erase",
        })
    }
}

/// Most bytes of a body that holds no data of contexts.
const SMALL_BYTES: usize = limits::DATA_BYTES;

/// Most bytes of a body with data. Canonical data is the smaller part of what a body may spell
/// with spaces and escapes, so there is room to spare; the data itself is measured when it is
/// taken in.
const DATA_BODY_BYTES: usize = limits::BATCH_BYTES;

/// Most bytes of a body.
pub(super) fn body_limit(body: Body) -> usize {
    match body {
        Body::None | Body::Lines => 0,
        Body::Patch
        | Body::Typed(BodyType::Put | BodyType::Append | BodyType::Preview | BodyType::Batch) => {
            DATA_BODY_BYTES
        }
        Body::Typed(_) | Body::Optional(_) => SMALL_BYTES,
    }
}

/// The refusal of a body of more than `limit` bytes.
pub fn too_large(limit: usize) -> Error {
    Error::new(Code::TooLarge, format!("the request body must be at most {limit} bytes"))
        .limit(limit as u64)
}

impl Ask {
    /// The body that is to be read.
    pub fn body(&self) -> BodyWanted {
        match self.route.body {
            Body::None => BodyWanted::None,
            Body::Lines => BodyWanted::Lines,
            body => BodyWanted::AtMost(body_limit(body)),
        }
    }

    /// What is to be done, given the body (nothing, unless [`BodyWanted::AtMost`]).
    ///
    /// # Errors
    /// `invalid-json`, `invalid-request` and its kin with the pointer, `too-large`, `too-deep`.
    pub fn decode(self, body: &[u8]) -> Result<Task> {
        let Ask { route, caller, request_id, reader, pending, key } = self;
        let (op, idempotency) = match pending {
            Pending::Export(exporter) => return Ok(Task::Export(exporter)),
            Pending::Import(importer) => return Ok(Task::Import(importer)),
            Pending::Live => return Ok(Task::Live { caller }),
            Pending::Keys(rotate) => return Ok(Task::Keys { caller, rotate }),
            Pending::Erase => return Ok(Task::Erase),
            Pending::Op(op) => {
                let idempotency = key.map(|key| key.of_body(&[]));
                (op, idempotency)
            }
            Pending::Body(finish) => {
                if body.len() > body_limit(route.body) {
                    return Err(too_large(body_limit(route.body)));
                }
                let optional = matches!(route.body, Body::Optional(_));
                let value = match body.is_empty() && optional {
                    true => None,
                    false => Some(reader.read(body)?),
                };
                (finish(value)?, key.map(|key| key.of_body(body)))
            }
        };
        Ok(Task::Op(Request { caller, op, idempotency, id: Some(request_id) }))
    }
}
