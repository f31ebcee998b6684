//! A request whose head is decoded: the body it needs, and the task it becomes.

use nacre_core::{
    address::Address,
    error::{Code, Error, Result},
    limits,
    op::{Caller, Command, Request},
    pack::Ask,
    retrieval::{GivenVector, Question},
    value::Value,
};

use super::{
    export::Exporter,
    import::Importer,
    key::Key,
    media::Reader,
    routes::{Body, BodyType, Route},
};

/// The body that is to be read before [`Routed::decode`].
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
    /// One command.
    Command(Request),
    /// A series of commands, each with one page of lines.
    Export(Exporter),
    /// A series of commands, each with one block of lines.
    Import(Importer),
    /// Open a socket for the caller.
    Live,
    /// Show what the caller uses and may use.
    Usage {
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
    /// Search the store.
    Search {
        /// The caller, and the owner of the store.
        caller: Caller,
        /// What is searched for.
        question: Question,
    },
    /// Put a view into a prompt.
    Pack {
        /// The caller, and the owner of the store.
        caller: Caller,
        /// What is asked for.
        ask: Ask,
    },
    /// Give a context a vector, or take it away.
    GiveVector {
        /// The context.
        address: Address,
        /// The vector.
        given: GivenVector,
    },
    /// Show how far the index of searches is, or make it anew.
    Reindex {
        /// Whether to make it anew.
        begin: bool,
    },
    /// Erase the caller's store.
    Erase,
}

/// A request whose head is decoded.
#[derive(Debug)]
pub struct Routed {
    pub(super) route: &'static Route,
    pub(super) caller: Caller,
    pub(super) request_id: String,
    pub(super) reader: Reader,
    pub(super) decoded: Decoded,
    pub(super) key: Option<Key>,
}

/// The result of decoding the head.
pub(super) enum Decoded {
    /// The task.
    Task(Box<Task>),
    /// A function that makes the command from the body; `None` if an optional body is left out.
    Body(Finish),
    /// The body is a question.
    Question,
    /// The body is a vector for this context.
    Vector(Address),
}

/// Makes the command from a body.
pub(super) type Finish = Box<dyn FnOnce(Option<Value>) -> Result<Command>>;

impl std::fmt::Debug for Decoded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Decoded::Task(task) => task.fmt(f),
            Decoded::Body(_) => f.write_str("Body"),
            Decoded::Question => f.write_str("Question"),
            Decoded::Vector(address) => write!(f, "Vector({address})"),
        }
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

impl Routed {
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
        let Routed { route, caller, request_id, reader, decoded, key } = self;
        if let Decoded::Task(task) = decoded {
            return Ok(*task);
        }
        if body.len() > body_limit(route.body) {
            return Err(too_large(body_limit(route.body)));
        }
        let optional = matches!(route.body, Body::Optional(_));
        let value = match body.is_empty() && optional {
            true => None,
            false => Some(reader.read(body)?),
        };
        match decoded {
            Decoded::Task(task) => Ok(*task),
            Decoded::Body(finish) => {
                let (command, idempotency) = (finish(value)?, key.map(|key| key.of_body(body)));
                Ok(Task::Command(Request { caller, command, idempotency, id: Some(request_id) }))
            }
            Decoded::Question => {
                let question = Question::of_body(value.unwrap_or(Value::Null))?;
                Ok(Task::Search { caller, question })
            }
            Decoded::Vector(address) => {
                let given = GivenVector::of_body(value.unwrap_or(Value::Null))?;
                Ok(Task::GiveVector { address, given })
            }
        }
    }
}
