//! Request bodies, one type each, and the operations that they become.
//!
//! Unknown members and wrong types are refused with their pointer. An optional member may also be
//! null.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use serde::{Deserialize, de::DeserializeOwned};

use super::within;
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    id::ContextId,
    number::Number,
    patch::JsonPatch,
    pointer::Pointer,
    rules::Rules,
    value::{self, Object, Value},
};
use nacre_store::{
    limits::{self, EXACT_INTEGER},
    moment::Moment,
    op::{Edit, Expect, NewEntry, Patch, Put, Which},
    record::{EntryKind, Reach, Role, Terms},
    store::AsOf,
};

#[cfg(feature = "schema")]
use super::schema;

/// Decodes a body.
///
/// # Errors
/// `invalid-request` with the pointer to the first wrong member.
pub fn decode<T: DeserializeOwned>(body: Value) -> Result<T> {
    value::decode(body)
}

/// Derives the traits that all bodies have.
macro_rules! bodies {
    ($($(#[$doc:meta])* pub struct $name:ident { $($body:tt)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($body)* }
    )*};
}

bodies! {
    /// Create or replace a context.
    pub struct PutBody {
        /// The data.
        #[cfg_attr(feature = "schema", schemars(with = "serde_json::Map<String, serde_json::Value>"))]
        pub data: Object,
        /// The id of the parent, one level up. Required to create a branch or a task, unless
        /// parents are created too. If left out on replacing, the parent is kept.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id_or_null"))]
        pub parent: Option<String>,
        /// Merge rules by JSON Pointer, at most 256. If left out on replacing, the rules are kept.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::rules_or_null"))]
        pub rules: Option<Object>,
        /// The reason for the change, shown in the history; at most 1,024 bytes.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::summary"))]
        pub summary: Option<String>,
    }

    /// Store tombstones.
    pub struct UnsetBody {
        /// JSON Pointers to the members to unset, at least one.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::pointers"))]
        pub pointers: Vec<String>,
        /// The reason for the change, shown in the history; at most 1,024 bytes.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::summary"))]
        pub summary: Option<String>,
    }

    /// Append to a list.
    pub struct AppendBody {
        /// A JSON Pointer to the list; it is created if it is missing.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::pointer"))]
        pub pointer: String,
        /// The values to append.
        #[cfg_attr(feature = "schema", schemars(with = "Vec<serde_json::Value>"))]
        pub values: Vec<Value>,
        /// The reason for the change, shown in the history; at most 1,024 bytes.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::summary"))]
        pub summary: Option<String>,
    }

    /// Add an insight.
    pub struct InsightBody {
        /// The text, 1 byte to 64 KiB.
        #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
        pub content: String,
        /// A label of your choice, 1 to 1,024 bytes.
        #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
        pub category: Option<String>,
        /// The importance, from 0 (minor) to 1 (vital).
        #[cfg_attr(feature = "schema", schemars(range(min = 0.0, max = 1.0)))]
        pub importance: Option<f64>,
        /// The name of the writing agent, 1 to 1,024 bytes.
        #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
        pub agent: Option<String>,
    }

    /// Add a progress note.
    pub struct ProgressBody {
        /// The text, 1 byte to 64 KiB.
        #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
        pub content: String,
        /// The name of the writing agent, 1 to 1,024 bytes.
        #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
        pub agent: Option<String>,
    }

    /// Restore a deleted context.
    pub struct RestoreBody {
        /// The reason for the change, shown in the history; at most 1,024 bytes.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::summary"))]
        pub summary: Option<String>,
    }

    /// Roll back to an earlier version.
    pub struct RollbackBody {
        /// The version to roll back to.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::version"))]
        pub version: u64,
        /// The reason for the change, shown in the history; at most 1,024 bytes.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::summary"))]
        pub summary: Option<String>,
    }

    /// Move a context to another parent.
    pub struct MoveBody {
        /// The id of the new parent, one level up.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
        pub parent: String,
        /// The reason for the change, shown in the history; at most 1,024 bytes.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::summary"))]
        pub summary: Option<String>,
    }

    /// Share a project.
    pub struct MemberBody {
        /// The id of the project.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
        pub project: String,
        /// The role of the user.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::role"))]
        pub role: String,
        /// How far back the user sees: `from-share` (the default) is to this request, `all` to the
        /// project's beginning.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::reach"))]
        pub history: Option<String>,
        /// Whether a token of the user with the scope `secrets:reveal` opens the project's sealed
        /// values; false by default.
        #[serde(default)]
        pub reveal: Option<bool>,
        /// Whether the owner's global layer takes part in the user's views; true by default.
        #[serde(default)]
        pub global: Option<bool>,
    }

    /// Refuse tokens of a user.
    pub struct RevokeUserBody {
        /// Refuse tokens that were issued before this time; now by default.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::optional_time"))]
        pub not_before: Option<String>,
    }

    /// Refuse one token.
    pub struct RevokeTokenBody {
        /// When the token expires: the revocation is dropped some time after that. Without it the
        /// revocation stays until it is deleted.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::optional_time"))]
        pub expires_at: Option<String>,
    }

    /// Stop sharing a project.
    pub struct UnshareBody {
        /// The id of the project.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
        pub project: String,
    }
}

impl PutBody {
    /// Makes the edit.
    ///
    /// # Errors
    /// `invalid-id`, `invalid-rules` with the pointer.
    pub fn into_edit(self, address: Address, create_parents: bool, expect: Expect) -> Result<Edit> {
        Ok(Edit::Put(Put {
            address,
            data: self.data,
            parent: self.parent.map(|parent| id("/parent", &parent)).transpose()?,
            rules: self.rules.map(|table| rules(&table)).transpose()?,
            summary: self.summary,
            create_parents,
            expect,
        }))
    }
}

impl UnsetBody {
    /// Makes the edit.
    ///
    /// # Errors
    /// `invalid-pointer` with the pointer to it.
    pub fn into_edit(self, address: Address, expect: Expect) -> Result<Edit> {
        let patch = Patch::Unset(pointers(self.pointers)?);
        Ok(Edit::Update { address, patch, summary: self.summary, expect })
    }
}

impl AppendBody {
    /// Makes the edit.
    ///
    /// # Errors
    /// `invalid-pointer` with the pointer to it.
    pub fn into_edit(self, address: Address, expect: Expect) -> Result<Edit> {
        let patch =
            Patch::Append { pointer: pointer("/pointer", self.pointer)?, values: self.values };
        Ok(Edit::Update { address, patch, summary: self.summary, expect })
    }
}

impl InsightBody {
    /// Makes the edit.
    pub fn into_edit(self, address: Address) -> Edit {
        let InsightBody { content, category, importance, agent } = self;
        let kind = EntryKind::Insight;
        Edit::AddEntry(NewEntry { address, kind, content, category, importance, agent })
    }
}

impl ProgressBody {
    /// Makes the edit.
    pub fn into_edit(self, address: Address) -> Edit {
        let ProgressBody { content, agent } = self;
        let kind = EntryKind::Progress;
        Edit::AddEntry(NewEntry { address, kind, content, category: None, importance: None, agent })
    }
}

impl RestoreBody {
    /// Makes the edit.
    pub fn into_edit(self, address: Address) -> Edit {
        Edit::Restore { address, summary: self.summary }
    }
}

impl RollbackBody {
    /// Makes the edit.
    pub fn into_edit(self, address: Address, expect: Expect) -> Edit {
        let RollbackBody { version, summary } = self;
        Edit::Rollback { address, version, summary, expect }
    }
}

impl MoveBody {
    /// Makes the edit.
    ///
    /// # Errors
    /// `invalid-id` with the pointer.
    pub fn into_edit(self, address: Address, expect: Expect) -> Result<Edit> {
        let parent = id("/parent", &self.parent)?;
        Ok(Edit::Move { address, parent, summary: self.summary, expect })
    }
}

impl MemberBody {
    /// The project and the terms.
    ///
    /// # Errors
    /// `invalid-id`, `invalid-request` with the pointer.
    pub fn into_parts(self) -> Result<(ContextId, Terms)> {
        let role = Role::parse(&self.role).map_err(|error| error.at("/role"))?;
        let reach = self.history.as_deref().map(Reach::parse).transpose();
        let terms = Terms::from(role);
        let terms = Terms {
            role,
            reach: reach.map_err(|error| error.at("/history"))?.unwrap_or(terms.reach),
            reveal: self.reveal.unwrap_or(terms.reveal),
            global: self.global.unwrap_or(terms.global),
        };
        Ok((id("/project", &self.project)?, terms))
    }
}

impl RevokeUserBody {
    /// The time before which tokens are refused.
    ///
    /// # Errors
    /// `invalid-request` with the pointer.
    pub fn into_time(self) -> Result<Option<Moment>> {
        self.not_before.map(|time| moment("/not_before", &time)).transpose()
    }
}

impl RevokeTokenBody {
    /// The token's expiry.
    ///
    /// # Errors
    /// `invalid-request` with the pointer.
    pub fn into_time(self) -> Result<Option<Moment>> {
        self.expires_at.map(|time| moment("/expires_at", &time)).transpose()
    }
}

impl UnshareBody {
    /// The project.
    ///
    /// # Errors
    /// `invalid-id` with the pointer.
    pub fn into_project(self) -> Result<ContextId> {
        id("/project", &self.project)
    }
}

/// Reads a time of a body.
pub(super) fn moment(place: &'static str, text: &str) -> Result<Moment> {
    Moment::parse(text).map_err(|error| error.at(place))
}

/// Reads a patch: an object is a merge patch (RFC 7396), an array is a JSON Patch (RFC 6902). The
/// data of a context is always an object, so an array is never a merge patch.
///
/// # Errors
/// `invalid-request`, `invalid-pointer`, with the pointer within the patch.
pub fn patch(patch: Value) -> Result<Patch> {
    match patch {
        Value::Object(_) => Ok(Patch::Merge(patch)),
        Value::Array(_) => Ok(Patch::Json(JsonPatch::parse(patch)?)),
        other => Err(Error::new(
            Code::InvalidRequest,
            alloc::format!(
                "a patch must be an object (merge patch) or an array (JSON Patch), not {}",
                other.kind()
            ),
        )
        .at("")),
    }
}

/// The state to read: a version, a past state, or the current one.
///
/// # Errors
/// `invalid-request` for both.
pub fn which(version: Option<u64>, at: Option<AsOf>) -> Result<Which> {
    match (version, at) {
        (None, None) => Ok(Which::Current),
        (Some(version), None) => Ok(Which::Version(version)),
        (None, Some(at)) => Ok(Which::AsOf(at)),
        (Some(_), Some(_)) => {
            Err(Error::new(Code::InvalidRequest, "use either `version` or `at`, not both"))
        }
    }
}

/// Reads a past state: a number is a `seq`, a text as in [`as_of`].
///
/// # Errors
/// `invalid-request` for others.
pub fn state(at: &Value) -> Result<AsOf> {
    match at {
        Value::String(text) => as_of(text),
        Value::Number(Number::Unsigned(seq)) if *seq <= EXACT_INTEGER => Ok(AsOf::Seq(*seq)),
        _ => Err(Error::new(Code::InvalidRequest, "a state must be a `seq` or an RFC 3339 time")),
    }
}

/// Reads a past state: digits are a `seq`, any other text must be a time.
///
/// # Errors
/// `invalid-request` for other texts.
pub fn as_of(text: &str) -> Result<AsOf> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let seq = text.parse().ok().filter(|seq| *seq <= EXACT_INTEGER);
        return seq.map(AsOf::Seq).ok_or_else(|| {
            Error::new(
                Code::InvalidRequest,
                "this `seq` is in the future; use the last `seq` or an earlier one",
            )
        });
    }
    nacre_store::moment::Moment::parse(text).map(AsOf::Time).map_err(|_| {
        Error::new(
            Code::InvalidRequest,
            "a state must be a `seq` or an RFC 3339 time in 1970 or later",
        )
    })
}

pub(super) fn id(place: &str, text: &str) -> Result<ContextId> {
    ContextId::parse(text).map_err(|error| error.at(place))
}

pub(super) fn rules(table: &Object) -> Result<Rules> {
    let rules = bounded(table).and_then(|()| Rules::from_object(table));
    rules.map_err(|error| within("/rules", error))
}

/// Refuses rules that take much time or memory whenever a view is made.
fn bounded(table: &Object) -> Result<()> {
    let mut left = limits::RULE_NAMES;
    for (path, rule) in table.iter() {
        let names = path.split('/').count() - 1;
        let (detail, limit) = if rule.as_str().is_some_and(|rule| rule.len() > limits::RULE_BYTES) {
            ("a rule must be at most 1024 bytes", limits::RULE_BYTES)
        } else if names > limits::DEPTH {
            ("the path of a rule must have at most 64 names, as data has", limits::DEPTH)
        } else if let Some(less) = left.checked_sub(names) {
            left = less;
            continue;
        } else {
            ("the paths of all rules must have at most 4096 names", limits::RULE_NAMES)
        };
        let at = Pointer::from_tokens([path]);
        return Err(Error::new(Code::InvalidRules, detail).at(at).limit(limit as u64));
    }
    Ok(())
}

pub(super) fn pointer(place: &str, text: String) -> Result<Pointer> {
    Pointer::parse(text).map_err(|error| error.at(place))
}

pub(super) fn pointers(texts: Vec<String>) -> Result<Vec<Pointer>> {
    if texts.is_empty() {
        return Err(Error::new(Code::InvalidRequest, "`pointers` must have at least one pointer")
            .at("/pointers"));
    }
    let parse = |(index, text): (usize, String)| {
        let mut place = "/pointers/".to_string();
        place.push_str(&index.to_string());
        pointer(&place, text)
    };
    texts.into_iter().enumerate().map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use nacre_layers::json;

    fn body<T: DeserializeOwned>(text: &str) -> Result<T> {
        decode(json::read(text.as_bytes(), 64).unwrap())
    }

    fn address() -> Address {
        Address::parse("task", "t").unwrap()
    }

    #[track_caller]
    fn refused<T>(outcome: Result<T>, code: Code, pointer: &str) {
        let error = outcome.err().expect("refused");
        assert_eq!((error.code(), error.pointer()), (code, Some(pointer)), "{error}");
    }

    #[test]
    fn what_may_be_left_out_may_be_null() {
        let text = r#"{"data":{"a":null},"parent":null,"rules":null,"summary":null}"#;
        let op = body::<PutBody>(text).unwrap().into_edit(address(), true, Expect::Absent).unwrap();
        let Edit::Put(put) = op else { panic!("{op:?}") };
        assert_eq!(put.data.get("a"), Some(&Value::Null));
        assert!(put.parent.is_none() && put.rules.is_none() && put.summary.is_none());
        assert!(put.create_parents && put.expect == Expect::Absent);
    }

    #[test]
    fn every_refusal_names_its_place() {
        let put = |text| {
            body::<PutBody>(text).and_then(|b| b.into_edit(address(), false, Expect::Anything))
        };
        refused(put(r#"{"data":[]}"#), Code::InvalidRequest, "/data");
        refused(put(r#"{}"#), Code::InvalidRequest, "");
        refused(put(r#"[]"#), Code::InvalidRequest, "");
        refused(put(r#"{"data":{},"x":1}"#), Code::InvalidRequest, "/x");
        refused(put(r#"{"data":{},"parent":"a b"}"#), Code::InvalidId, "/parent");
        refused(put(r#"{"data":{},"rules":{"/a":"best"}}"#), Code::InvalidRules, "/rules/~1a");
        refused(put(r#"{"data":{},"rules":{"a":"deep"}}"#), Code::InvalidRules, "/rules/a");
        refused(put(r#"{"data":{},"rules":[]}"#), Code::InvalidRequest, "/rules");
        refused(put(r#"{"data":{},"summary":1}"#), Code::InvalidRequest, "/summary");

        let unset =
            |text| body::<UnsetBody>(text).and_then(|b| b.into_edit(address(), Expect::Anything));
        refused(unset(r#"{"pointers":["/a","b"]}"#), Code::InvalidPointer, "/pointers/1");
        refused(unset(r#"{"pointers":[]}"#), Code::InvalidRequest, "/pointers");
        refused(unset(r#"{"pointers":[1]}"#), Code::InvalidRequest, "/pointers/0");

        let append =
            |text| body::<AppendBody>(text).and_then(|b| b.into_edit(address(), Expect::Anything));
        refused(append(r#"{"pointer":"a","values":[]}"#), Code::InvalidPointer, "/pointer");
        refused(append(r#"{"pointer":"/a","values":{}}"#), Code::InvalidRequest, "/values");

        refused(
            body::<MemberBody>(r#"{"project":"p","role":"boss"}"#).and_then(MemberBody::into_parts),
            Code::InvalidRequest,
            "/role",
        );
        refused(body::<RollbackBody>(r#"{"version":-1}"#), Code::InvalidRequest, "/version");
        refused(body::<RollbackBody>(r#"{"version":1.5}"#), Code::InvalidRequest, "/version");
        refused(body::<InsightBody>(r#"{"content":null}"#), Code::InvalidRequest, "/content");
    }

    #[test]
    fn a_patch_says_by_its_kind_what_it_is() {
        let read = |text: &str| patch(json::read(text.as_bytes(), 64).unwrap());
        assert!(matches!(read(r#"{"a":null}"#), Ok(Patch::Merge(_))));
        assert!(matches!(read("[]"), Ok(Patch::Json(_))));
        refused(read("null"), Code::InvalidRequest, "");
        refused(read(r#"[{"op":"add","path":"a","value":1}]"#), Code::InvalidPointer, "/0/path");
    }

    #[test]
    fn states_are_seqs_or_times() {
        assert_eq!(as_of("0"), Ok(AsOf::Seq(0)));
        assert!(matches!(as_of("2026-01-01T00:00:00Z"), Ok(AsOf::Time(_))));
        for other in ["", "-1", "1.5", "now", "99999999999999999999999", "9007199254740992"] {
            assert_eq!(as_of(other).unwrap_err().code(), Code::InvalidRequest, "{other}");
        }
    }
}
