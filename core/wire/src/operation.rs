//! One operation as data, in the same form in a batch, a preview and over a socket.

use alloc::{format, string::String, vec::Vec};

use serde::Deserialize;

use super::{
    members::Members,
    request::{
        self, AppendBody, InsightBody, MoveBody, ProgressBody, PutBody, RestoreBody, RollbackBody,
        UnsetBody, id, pointer, which,
    },
    within,
};
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    hash::Hash,
    json,
    level::Level,
    value::Value,
};
use nacre_store::{
    limits,
    op::{Batch, BatchItem, Edit, Expect, Idempotency, Op, Read, Resolve},
    store::AsOf,
};

#[cfg(feature = "schema")]
use super::schema;

/// Up to 500 operations in one request.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BatchBody {
    /// Whether all operations succeed or none (default). If false, each one succeeds or fails by
    /// itself.
    pub transaction: Option<bool>,
    /// The operations in order, at most 500. Later ones see the results of earlier ones.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::operations"))]
    pub operations: Vec<Value>,
}

/// The writes of a preview: either a merge patch or JSON Patch of the context, or operations.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PreviewBody {
    /// An edit of the context: a merge patch or a JSON Patch.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::patch"))]
    pub patch: Option<Value>,
    /// Writes as in a batch, at most 500.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::operations_or_null"))]
    pub operations: Option<Vec<Value>>,
}

/// The action of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename_all = "snake_case"))]
pub enum Action {
    /// Create a context that does not exist.
    Create,
    /// Create or replace a context.
    Put,
    /// Edit a context with a merge patch (an object) or a JSON Patch (an array).
    Update,
    /// Append to a list.
    Append,
    /// Store tombstones.
    Unset,
    /// Delete a context; it can be restored.
    Delete,
    /// Restore everything that a delete removed.
    Restore,
    /// Roll back to an earlier version.
    Rollback,
    /// Move a context to another parent.
    Move,
    /// Add an insight.
    AddInsight,
    /// Add a progress note.
    AddProgress,
    /// Read a context.
    Get,
    /// Read a resolved view.
    Resolve,
}

impl Action {
    const NAMES: [(&'static str, Action); 13] = [
        ("create", Action::Create),
        ("put", Action::Put),
        ("update", Action::Update),
        ("append", Action::Append),
        ("unset", Action::Unset),
        ("delete", Action::Delete),
        ("restore", Action::Restore),
        ("rollback", Action::Rollback),
        ("move", Action::Move),
        ("add_insight", Action::AddInsight),
        ("add_progress", Action::AddProgress),
        ("get", Action::Get),
        ("resolve", Action::Resolve),
    ];

    fn parse(text: &str) -> Result<Action> {
        let known = Action::NAMES.into_iter().find(|(name, _)| *name == text);
        known.map(|(_, action)| action).ok_or_else(|| {
            let names = Action::NAMES.map(|(name, _)| name).join(", ");
            Error::new(Code::InvalidRequest, format!("this must be one of {names}")).at("/action")
        })
    }
}

/// One operation. The action decides which members are allowed.
#[cfg(feature = "schema")]
#[derive(Debug, schemars::JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Operation {
    /// The action.
    pub action: Action,
    /// The context's level.
    #[schemars(schema_with = "schema::level")]
    pub level: String,
    /// The context's id.
    #[schemars(schema_with = "schema::id")]
    pub context_id: String,
    /// An idempotency key, 1 to 255 bytes: a repeat gets the first result again. Only for writes.
    #[schemars(length(min = 1, max = 255))]
    pub idempotency_key: Option<String>,
    /// The version that must be current. For put, update, append, unset, delete, rollback, move.
    #[schemars(range(min = 1))]
    pub expect_version: Option<u64>,
    /// The reason for the change, at most 1,024 bytes. For every write except entries.
    #[schemars(default)]
    #[schemars(schema_with = "schema::summary")]
    pub summary: Option<String>,
    /// The data. For create, put.
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    pub data: Option<nacre_layers::value::Object>,
    /// The id of the parent, one level up. For create, put, move.
    #[schemars(default)]
    #[schemars(schema_with = "schema::id_or_null")]
    pub parent: Option<String>,
    /// Merge rules by JSON Pointer. For create, put.
    #[schemars(default)]
    #[schemars(schema_with = "schema::rules_or_null")]
    pub rules: Option<nacre_layers::value::Object>,
    /// Whether to create missing parents. For create, put.
    pub create_parents: Option<bool>,
    /// The edit. For update.
    #[schemars(default)]
    #[schemars(schema_with = "schema::patch")]
    pub patch: Option<Value>,
    /// A JSON Pointer to the list. For append.
    #[schemars(default)]
    #[schemars(schema_with = "schema::pointer_or_null")]
    pub pointer: Option<String>,
    /// The values to append. For append.
    #[schemars(with = "Option<Vec<serde_json::Value>>")]
    pub values: Option<Vec<Value>>,
    /// JSON Pointers to the members to unset. For unset.
    #[schemars(default)]
    #[schemars(schema_with = "schema::pointers_or_null")]
    pub pointers: Option<Vec<String>>,
    /// Whether to delete the contexts below too. For delete.
    pub cascade: Option<bool>,
    /// The version. For rollback, get.
    #[schemars(range(min = 1))]
    pub version: Option<u64>,
    /// The text, 1 byte to 64 KiB. For add_insight, add_progress.
    #[schemars(length(min = 1))]
    pub content: Option<String>,
    /// A label of your choice, 1 to 1,024 bytes. For add_insight.
    #[schemars(length(min = 1))]
    pub category: Option<String>,
    /// The importance, from 0 (minor) to 1 (vital). For add_insight.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub importance: Option<f64>,
    /// The name of the writing agent, 1 to 1,024 bytes. For add_insight, add_progress.
    #[schemars(length(min = 1))]
    pub agent: Option<String>,
    /// A past state: a `seq` or an RFC 3339 time. For get, resolve.
    #[schemars(default)]
    #[schemars(schema_with = "schema::as_of")]
    pub at: Option<Value>,
    /// A JSON Pointer to one part of the view. For resolve.
    #[schemars(default)]
    #[schemars(schema_with = "schema::pointer_or_null")]
    pub path: Option<String>,
    /// Whether to include origins. For resolve.
    pub explain: Option<bool>,
    /// Whether to show sealed values. For get, resolve.
    pub reveal: Option<bool>,
}

impl BatchBody {
    /// Makes the batch. An operation that cannot be read stays in its place as an error.
    ///
    /// # Errors
    /// `too-many-operations`.
    pub fn into_batch(self) -> Result<Batch> {
        let transaction = self.transaction.unwrap_or(true);
        let operations = operations(self.operations)?
            .map(|(place, operation)| item(operation).map_err(|error| within(&place, error)))
            .collect();
        Ok(Batch { transaction, operations })
    }
}

impl PreviewBody {
    /// Makes the question.
    ///
    /// # Errors
    /// As [`item`], with the pointer in the body; `invalid-request` unless exactly one of the two
    /// members is present.
    pub fn into_read(self, address: Address) -> Result<Read> {
        let edits = match (self.patch, self.operations) {
            (Some(patch), None) => {
                let patch = request::patch(patch).map_err(|error| within("/patch", error))?;
                let expect = Expect::Anything;
                Vec::from([Edit::Update { address: address.clone(), patch, summary: None, expect }])
            }
            (None, Some(list)) => operations(list)?
                .map(|(place, operation)| trial(operation).map_err(|error| within(&place, error)))
                .collect::<Result<_>>()?,
            _ => {
                return Err(Error::new(
                    Code::InvalidRequest,
                    "a preview must have either `patch` or `operations`",
                )
                .at(""));
            }
        };
        Ok(Read::Preview { address, edits })
    }
}

/// Reads one operation.
///
/// # Errors
/// `invalid-request`, `invalid-id`, `invalid-pointer`, `invalid-rules`, with the pointer within the
/// operation.
pub fn item(operation: Value) -> Result<BatchItem> {
    let fingerprint = fingerprint(&operation);
    let mut members = Members::of(operation)?;
    let idempotency = match members.take::<String>("idempotency_key")? {
        Some(key) => {
            check_key(&key).map_err(|error| error.at("/idempotency_key"))?;
            Some(Idempotency { key, request: fingerprint })
        }
        None => None,
    };
    let op = Given(members).into_op()?;
    if idempotency.is_some() && !op.is_write() {
        return Err(Error::new(
            Code::InvalidRequest,
            "`idempotency_key` is only allowed on writes",
        )
        .at("/idempotency_key"));
    }
    Ok(BatchItem { op, idempotency })
}

/// Checks an idempotency key.
///
/// # Errors
/// `invalid-request` if it is empty or longer than [`limits::IDEMPOTENCY_KEY_BYTES`].
pub fn check_key(key: &str) -> Result<()> {
    if key.is_empty() || key.len() > limits::IDEMPOTENCY_KEY_BYTES {
        return Err(Error::new(Code::InvalidRequest, "the idempotency key must be 1 to 255 bytes")
            .limit(limits::IDEMPOTENCY_KEY_BYTES as u64));
    }
    Ok(())
}

/// Reads an operation of a preview: a write without a key.
fn trial(operation: Value) -> Result<Edit> {
    let BatchItem { op, idempotency } = item(operation)?;
    if idempotency.is_some() {
        return Err(Error::new(
            Code::InvalidRequest,
            "`idempotency_key` is not allowed in a preview",
        )
        .at("/idempotency_key"));
    }
    match op {
        Op::Edit(edit) => Ok(edit),
        Op::Read(_) => {
            Err(Error::new(Code::InvalidRequest, "a preview must contain only writes")
                .at("/action"))
        }
    }
}

/// Checks the number of operations, and adds the pointer of each one.
fn operations(list: Vec<Value>) -> Result<impl Iterator<Item = (String, Value)>> {
    if list.len() > limits::BATCH_OPERATIONS {
        return Err(Error::new(
            Code::TooManyOperations,
            "a request must have at most 500 operations; split it",
        )
        .at("/operations")
        .limit(limits::BATCH_OPERATIONS as u64));
    }
    let placed = |(index, operation)| (format!("/operations/{index}"), operation);
    Ok(list.into_iter().enumerate().map(placed))
}

/// The hash of an operation with a key: of its canonical text. Without a key the work is skipped.
fn fingerprint(operation: &Value) -> Hash {
    match operation.as_object().is_some_and(|members| members.contains("idempotency_key")) {
        true => Hash::of(&json::write(operation)),
        false => Hash::of(b""),
    }
}

/// The members of an operation. [`Operation`] describes them.
struct Given(Members);

impl Given {
    /// Makes the operation, and checks that every member belongs to it.
    fn into_op(mut self) -> Result<Op> {
        let action = Action::parse(&self.0.required::<String>("action")?)?;
        let address = self.address()?;
        let op: Op = match action {
            Action::Get => Read::Get {
                address,
                which: which(self.0.take("version")?, self.state()?)
                    .map_err(|error| error.at("/at"))?,
                reveal: self.0.flag("reveal")?,
            }
            .into(),
            Action::Resolve => Read::Resolve(Resolve {
                address,
                path: self.0.take("path")?.map(|path| pointer("/path", path)).transpose()?,
                as_of: self.state()?,
                explain: self.0.flag("explain")?,
                reveal: self.0.flag("reveal")?,
            })
            .into(),
            _ => self.edit(action, address)?.into(),
        };
        // The action has taken all members that it uses.
        self.0.end()?;
        Ok(op)
    }

    fn address(&mut self) -> Result<Address> {
        let level: String = self.0.required("level")?;
        let level = Level::parse(&level).map_err(|error| error.at("/level"))?;
        let id = id("/context_id", &self.0.required::<String>("context_id")?)?;
        Address::new(level, id).map_err(|error| error.at("/context_id"))
    }

    /// The edit of an action that is one, from the body of the request that is the same edit.
    fn edit(&mut self, action: Action, address: Address) -> Result<Edit> {
        let summary = match action {
            Action::AddInsight | Action::AddProgress => None,
            _ => self.0.take("summary")?,
        };
        match action {
            Action::Create | Action::Put => {
                let expect = match action {
                    Action::Create => Expect::Absent,
                    _ => self.expect()?,
                };
                let body = PutBody {
                    data: self.0.required("data")?,
                    parent: self.0.take("parent")?,
                    rules: self.0.take("rules")?,
                    summary,
                };
                body.into_edit(address, self.0.flag("create_parents")?, expect)
            }
            Action::Update => {
                let patch = request::patch(self.0.required("patch")?);
                let patch = patch.map_err(|error| within("/patch", error))?;
                Ok(Edit::Update { address, patch, summary, expect: self.expect()? })
            }
            Action::Append => {
                let (pointer, values) = (self.0.required("pointer")?, self.0.required("values")?);
                AppendBody { pointer, values, summary }.into_edit(address, self.expect()?)
            }
            Action::Unset => {
                let pointers = self.0.required("pointers")?;
                UnsetBody { pointers, summary }.into_edit(address, self.expect()?)
            }
            Action::Delete => {
                let cascade = self.0.flag("cascade")?;
                Ok(Edit::Delete { address, cascade, summary, expect: self.expect()? })
            }
            Action::Restore => Ok(RestoreBody { summary }.into_edit(address)),
            Action::Rollback => {
                let version = self.0.required("version")?;
                Ok(RollbackBody { version, summary }.into_edit(address, self.expect()?))
            }
            Action::Move => {
                let parent = self.0.required("parent")?;
                MoveBody { parent, summary }.into_edit(address, self.expect()?)
            }
            Action::AddInsight => {
                let body = InsightBody {
                    content: self.0.required("content")?,
                    category: self.0.take("category")?,
                    importance: self.0.take("importance")?,
                    agent: self.0.take("agent")?,
                };
                Ok(body.into_edit(address))
            }
            Action::AddProgress => {
                let content = self.0.required("content")?;
                Ok(ProgressBody { content, agent: self.0.take("agent")? }.into_edit(address))
            }
            Action::Get | Action::Resolve => Err(Error::bug("this action is not an edit")),
        }
    }

    /// The past state that is asked for.
    fn state(&mut self) -> Result<Option<AsOf>> {
        let state = self.0.take("at")?.map(|at| request::state(&at)).transpose();
        state.map_err(|error| error.at("/at"))
    }

    fn expect(&mut self) -> Result<Expect> {
        match self.0.take("expect_version")? {
            None => Ok(Expect::Anything),
            Some(0) => Err(Error::new(
                Code::InvalidRequest,
                "`expect_version` must be 1 or more; use the action `create` if the context must \
                 not exist",
            )
            .at("/expect_version")),
            Some(version) => Ok(Expect::Version(version)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<BatchItem> {
        item(json::read(text.as_bytes(), 70).unwrap())
    }

    /// The least and the most that each action takes, beside `action`, `level` and `context_id`.
    const MEMBERS: &[(&str, &str, &str)] = &[
        (
            "create",
            r#""data":{}"#,
            r#""parent":"p","rules":{"/a":"lock"},"summary":"s","create_parents":true,"idempotency_key":"k""#,
        ),
        (
            "put",
            r#""data":{}"#,
            r#""parent":"p","rules":{},"summary":"s","create_parents":true,"expect_version":1,"idempotency_key":"k""#,
        ),
        (
            "update",
            r#""patch":{"a":1}"#,
            r#""summary":"s","expect_version":1,"idempotency_key":"k""#,
        ),
        (
            "append",
            r#""pointer":"/a","values":[1]"#,
            r#""summary":"s","expect_version":1,"idempotency_key":"k""#,
        ),
        (
            "unset",
            r#""pointers":["/a"]"#,
            r#""summary":"s","expect_version":1,"idempotency_key":"k""#,
        ),
        ("delete", "", r#""cascade":true,"summary":"s","expect_version":1,"idempotency_key":"k""#),
        ("restore", "", r#""summary":"s","idempotency_key":"k""#),
        ("rollback", r#""version":1"#, r#""summary":"s","expect_version":2,"idempotency_key":"k""#),
        ("move", r#""parent":"p""#, r#""summary":"s","expect_version":2,"idempotency_key":"k""#),
        (
            "add_insight",
            r#""content":"c""#,
            r#""category":"x","importance":0.5,"agent":"a","idempotency_key":"k""#,
        ),
        ("add_progress", r#""content":"c""#, r#""agent":"a","idempotency_key":"k""#),
        ("get", "", r#""at":7,"reveal":true"#),
        ("resolve", "", r#""at":"2026-01-01T00:00:00Z","path":"/a","explain":true,"reveal":true"#),
    ];

    fn text(action: &str, members: &[&str]) -> String {
        let mut text = format!(r#"{{"action":"{action}","level":"task","context_id":"t""#);
        for member in members.iter().filter(|member| !member.is_empty()) {
            text.push(',');
            text.push_str(member);
        }
        text + "}"
    }

    #[test]
    fn every_action_takes_what_it_needs_and_may_have() {
        for (action, least, most) in MEMBERS {
            read(&text(action, &[least])).unwrap_or_else(|error| panic!("{action}: {error}"));
            read(&text(action, &[least, most])).unwrap_or_else(|error| panic!("{action}: {error}"));
            if !least.is_empty() {
                let error = read(&text(action, &[])).unwrap_err();
                assert_eq!(error.code(), Code::InvalidRequest, "{action}");
                assert!(error.detail().contains("is required"), "{action}: {error}");
            }
        }
    }

    #[test]
    fn members_of_other_actions_are_refused_by_name() {
        let all: &[(&str, &str)] = &[
            ("data", "{}"),
            ("parent", r#""p""#),
            ("rules", "{}"),
            ("create_parents", "false"),
            ("patch", "{}"),
            ("pointer", r#""/a""#),
            ("values", "[]"),
            ("pointers", r#"["/a"]"#),
            ("cascade", "false"),
            ("version", "1"),
            ("content", r#""c""#),
            ("category", r#""c""#),
            ("importance", "1"),
            ("agent", r#""a""#),
            ("at", "1"),
            ("path", r#""""#),
            ("explain", "false"),
            ("reveal", "false"),
            ("summary", r#""s""#),
            ("expect_version", "1"),
            ("idempotency_key", r#""k""#),
        ];
        for (action, least, most) in MEMBERS {
            for (name, value) in all {
                let member = format!(r#""{name}":{value}"#);
                let belongs = format!("{least},{most},").contains(&format!(r#""{name}":"#));
                // `version` is the other way to say `at`.
                if belongs || (*action == "get" && *name == "version") {
                    continue;
                }
                let error = read(&text(action, &[least, &member])).unwrap_err();
                assert_eq!(error.pointer(), Some(&*format!("/{name}")), "{action}: {error}");
                // Null says that it is not there.
                read(&text(action, &[least, &format!(r#""{name}":null"#)])).unwrap();
            }
        }
    }

    #[test]
    fn refusals_name_their_place() {
        for (body, code, place) in [
            (
                r#"{"action":"fly","level":"task","context_id":"t"}"#,
                Code::InvalidRequest,
                "/action",
            ),
            (r#"{"action":"get","level":"moon","context_id":"t"}"#, Code::InvalidId, "/level"),
            (
                r#"{"action":"get","level":"task","context_id":"t t"}"#,
                Code::InvalidId,
                "/context_id",
            ),
            (
                r#"{"action":"get","level":"global","context_id":"t"}"#,
                Code::InvalidId,
                "/context_id",
            ),
            (r#"{"action":"get","level":"task"}"#, Code::InvalidRequest, ""),
            (
                r#"{"action":"get","level":"task","context_id":"t","x":1}"#,
                Code::InvalidRequest,
                "/x",
            ),
            (
                r#"{"action":"get","level":"task","context_id":"t","at":-1}"#,
                Code::InvalidRequest,
                "/at",
            ),
            (
                r#"{"action":"get","level":"task","context_id":"t","at":1,"version":1}"#,
                Code::InvalidRequest,
                "/at",
            ),
            (
                r#"{"action":"resolve","level":"task","context_id":"t","path":"a"}"#,
                Code::InvalidPointer,
                "/path",
            ),
            (
                r#"{"action":"update","level":"task","context_id":"t","patch":[{"op":"add"}]}"#,
                Code::InvalidRequest,
                "/patch/0",
            ),
            (
                r#"{"action":"delete","level":"task","context_id":"t","expect_version":0}"#,
                Code::InvalidRequest,
                "/expect_version",
            ),
            (
                r#"{"action":"delete","level":"task","context_id":"t","idempotency_key":""}"#,
                Code::InvalidRequest,
                "/idempotency_key",
            ),
        ] {
            let error = read(body).unwrap_err();
            assert_eq!((error.code(), error.pointer()), (code, Some(place)), "{body}: {error}");
        }
    }

    #[test]
    fn a_batch_keeps_unreadable_operations_in_their_place() {
        let body = json::read(
            br#"{"transaction":false,"operations":[
                {"action":"get","level":"task","context_id":"t"},
                {"action":"get","level":"task","context_id":"t","x":1}, 7]}"#,
            70,
        );
        let body: BatchBody = request::decode(body.unwrap()).unwrap();
        let batch = body.into_batch().unwrap();
        assert!(!batch.transaction);
        let places: Vec<_> = batch
            .operations
            .iter()
            .map(|item| item.as_ref().err().and_then(|error| error.pointer()))
            .collect();
        assert_eq!(places, [None, Some("/operations/1/x"), Some("/operations/2")]);
    }

    #[test]
    fn a_batch_holds_five_hundred_operations_and_no_more() {
        let batch =
            |count| BatchBody { transaction: None, operations: alloc::vec![Value::Null; count] };
        assert!(batch(500).into_batch().is_ok());
        let error = batch(501).into_batch().unwrap_err();
        assert_eq!((error.code(), error.limit_value()), (Code::TooManyOperations, Some(500)));
    }

    #[test]
    fn the_same_key_for_another_operation_is_another_request() {
        let request = |content: &str| {
            let member = format!(r#""content":"{content}","idempotency_key":"k""#);
            read(&text("add_progress", &[&member])).unwrap().idempotency.unwrap().request
        };
        assert_eq!(request("a"), request("a"));
        assert_ne!(request("a"), request("b"));
    }

    #[test]
    fn a_preview_takes_one_of_two_bodies_and_only_writes() {
        let preview = |text: &str| {
            request::decode::<PreviewBody>(json::read(text.as_bytes(), 70).unwrap())
                .and_then(|body| body.into_read(Address::parse("task", "t").unwrap()))
        };
        assert!(preview(r#"{"patch":{"a":1}}"#).is_ok());
        assert!(preview(r#"{"operations":[]}"#).is_ok());
        for (body, place) in [
            (r#"{}"#, ""),
            (r#"{"patch":{},"operations":[]}"#, ""),
            (r#"{"patch":[{"op":"x","path":""}]}"#, "/patch/0/op"),
            (r#"{"patch":true}"#, "/patch"),
            (
                r#"{"operations":[{"action":"get","level":"task","context_id":"t"}]}"#,
                "/operations/0/action",
            ),
        ] {
            assert_eq!(preview(body).unwrap_err().pointer(), Some(place), "{body}");
        }
    }
}
