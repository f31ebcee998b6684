//! A request whose head is decoded: the body it needs, and the task it becomes.

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
    /// No body.
    None,
    /// The whole body, at most this many bytes.
    AtMost(usize),
    /// In parts, as they arrive, for the [`Importer`].
    Lines,
}

/// The task of a request.
#[derive(Debug)]
pub enum Task {
    /// One operation.
    Op(Request),
    /// A series of operations, each with one page of lines.
    Export(Exporter),
    /// A series of operations, each with one block of lines.
    Import(Importer),
    /// Open a socket for the caller.
    Live {
        /// The caller, and the owner of the store.
        caller: Caller,
    },
    /// Show the state of the store's keys, or start a rotation.
    Keys {
        /// The owner of the store.
        caller: Caller,
        /// Whether to start a rotation of the data key.
        rotate: bool,
    },
    /// Erase the caller's store.
    Erase,
}

/// A request whose head is decoded.
#[derive(Debug)]
pub struct Ask {
    pub(super) route: &'static Route,
    pub(super) caller: Caller,
    pub(super) request_id: String,
    pub(super) reader: Reader,
    pub(super) pending: Pending,
    pub(super) key: Option<Key>,
}

/// The result of decoding the head.
pub(super) enum Pending {
    /// The operation.
    Op(Op),
    /// A function that makes the operation from the body; `None` if an optional body is left out.
    Body(Box<dyn FnOnce(Option<Value>) -> Result<Op>>),
    /// An export.
    Export(Exporter),
    /// An import.
    Import(Importer),
    /// A socket.
    Live,
    /// The keys of the store, and whether to start a rotation.
    Keys(bool),
    /// Erase the store.
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

/// Largest body without data of contexts, in bytes.
const SMALL_BYTES: usize = limits::DATA_BYTES;

/// Largest body with data, in bytes. A body may be longer than its canonical data, because of
/// spaces and escapes; the data itself is measured later.
const DATA_BODY_BYTES: usize = limits::BATCH_BYTES;

/// Largest body, in bytes.
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
    /// The body to read.
    pub fn body(&self) -> BodyWanted {
        match self.route.body {
            Body::None => BodyWanted::None,
            Body::Lines => BodyWanted::Lines,
            body => BodyWanted::AtMost(body_limit(body)),
        }
    }

    /// Makes the task from the body, which is empty unless [`BodyWanted::AtMost`] was asked for.
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
