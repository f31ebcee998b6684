//! The types of answers. Members without a value are `null`, except where absence and null differ
//! in meaning; those are left out.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};

use serde::Serialize;

use nacre_layers::{
    patch::{JsonPatch, Operation},
    value::{Object, Value},
};
use nacre_store::{
    plan::{Affected, DiffLine, HistoryItem, Preview, Warning},
    record::{Audit, Deed, Entry, EntryKind, Member, Record},
    revocation::{Revocation, Subject},
};

#[cfg(feature = "schema")]
use super::schema;

/// Derives the traits that all answers have.
macro_rules! answers {
    ($($(#[$doc:meta])* pub struct $name:ident $(<$life:lifetime>)? { $($body:tt)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $name $(<$life>)? { $($body)* }
    )*};
}

answers! {
    /// A context at one of its versions.
    pub struct LayerText<'a> {
        /// The id of the context.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
        pub id: &'a str,
        /// The level of the context.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
        pub level: &'a str,
        /// The version.
        pub version: u64,
    }

    /// A stored context.
    pub struct ContextText<'a> {
        /// The time when the context was first created.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::time"))]
        pub created_at: String,
        /// The data; left out of a list unless requested.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "serde_json::Map<String, serde_json::Value>"))]
        pub data: Option<&'a Object>,
        /// The id of the context.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
        pub id: &'a str,
        /// The level of the context.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
        pub level: &'a str,
        /// What may surprise about the write that gave this answer; left out if nothing does.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub notices: Vec<NoticeText<'a>>,
        /// The id of the parent, one level up; null for global.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id_or_null"))]
        pub parent: Option<&'a str>,
        /// The merge rules that the context sets.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::rules"))]
        pub rules: Object,
        /// The time of the last change.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::time"))]
        pub updated_at: String,
        /// The user who made the last change.
        pub updated_by: &'a str,
        /// The number of the version, from 1.
        pub version: u64,
    }

    /// What may surprise about a write that is done.
    pub struct NoticeText<'a> {
        /// The kind: `hides-inherited` if a value now hides a list or an object from above,
        /// `ignored-by-lock` if a lock above ignores a value, `duplicate-key` if a later item of a
        /// `keyed` list hides an earlier one, `sealed-by-content` if a text looks like a credential,
        /// `history-left-out` if an import could not take back a history.
        pub code: &'a str,
        /// One sentence.
        pub detail: &'a str,
        /// The place in the written layer.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::pointer"))]
        pub pointer: &'a str,
    }

    /// A resolved view.
    pub struct ViewText<'a> {
        /// The layers, global first.
        pub chain: Vec<LayerText<'a>>,
        /// The document, or the requested part of it.
        #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
        pub data: &'a Value,
        /// The content hash of the whole view, with sealed values as markers.
        pub hash: String,
        /// The context's id.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
        pub id: &'a str,
        /// With `explain`: values without effect, because a layer above locks their path or, for
        /// items of a `keyed` list, because a later item of their layer has the same key.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "Vec<IgnoredText<'a>>"))]
        pub ignored: Option<Vec<IgnoredText<'a>>>,
        /// The context's level.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
        pub level: &'a str,
        /// With `explain`: the origin of each value, by JSON Pointer.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<&'a str, OriginText<'a>>"))]
        pub origins: Option<BTreeMap<&'a str, OriginText<'a>>>,
        /// The `seq` of the state that the view shows.
        pub seq: u64,
    }

    /// The origin of a value.
    pub struct OriginText<'a> {
        /// The user who last changed that context.
        pub by: &'a str,
        /// The context's id.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
        pub id: &'a str,
        /// The context's level.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
        pub level: &'a str,
        /// The merge rule that applied.
        pub rule: &'a str,
        /// Contexts whose value it hides, nearest first.
        pub shadowed: Vec<LayerText<'a>>,
        /// The context's version.
        pub version: u64,
    }

    /// A value without effect.
    pub struct IgnoredText<'a> {
        /// The id of the context with the value.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
        pub id: &'a str,
        /// The level of that context.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
        pub level: &'a str,
        /// The context with the lock; `null` for an item that a later one with the same key hides.
        pub locked_by: Option<LayerText<'a>>,
        /// A JSON Pointer to the value.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::pointer"))]
        pub pointer: &'a str,
        /// The version of that context.
        pub version: u64,
    }

    /// The result of a delete.
    pub struct DeletedText<'a> {
        /// The number of deleted contexts, including the named one.
        pub deleted: usize,
        /// The context's id.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
        pub id: &'a str,
        /// The context's level.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
        pub level: &'a str,
        /// The version that the delete made.
        pub version: u64,
    }

    /// The result of a restore.
    pub struct RestoredText<'a> {
        /// The context's id.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
        pub id: &'a str,
        /// The context's level.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
        pub level: &'a str,
        /// What may surprise about it; left out if nothing does.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub notices: Vec<NoticeText<'a>>,
        /// All restored contexts, upper levels first.
        pub restored: Vec<LayerText<'a>>,
        /// The version that the restore made.
        pub version: u64,
    }

    /// One operation of a JSON Patch (RFC 6902), with the layers that caused it.
    pub struct PatchLine<'a> {
        /// The source pointer, for `move` and `copy`.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::pointer"))]
        pub from: Option<&'a str>,
        /// In a diff of views: the contexts that caused the change.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub layers: Vec<LayerText<'a>>,
        /// `add`, `remove`, `replace`, `move`, `copy` or `test`.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::patch_name"))]
        pub op: &'static str,
        /// A JSON Pointer to the value.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::pointer"))]
        pub path: &'a str,
        /// The value, for `add`, `replace` and `test`.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
        pub value: Option<&'a Value>,
    }

    /// The difference between two states.
    pub struct DiffText<'a> {
        /// A JSON Patch that turns the earlier state into the later one.
        pub patch: Vec<PatchLine<'a>>,
    }

    /// The result of a preview.
    pub struct PreviewText<'a> {
        /// Views that would change.
        pub affected: Vec<AffectedText<'a>>,
        /// Contexts below that override a part of the change.
        pub overridden_by: Vec<OverrideText<'a>>,
        /// The number of views at and below the changed contexts that would not change.
        pub unchanged: usize,
    }

    /// One view that would change.
    pub struct AffectedText<'a> {
        /// The changes of the view.
        pub changes: Vec<ChangeText<'a>>,
        /// The id of the context.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
        pub id: &'a str,
        /// The level of the context.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
        pub level: &'a str,
    }

    /// One value that would change.
    pub struct ChangeText<'a> {
        /// The value after the writes; left out if there would be none.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
        pub after: Option<&'a Value>,
        /// The value before the writes; left out if there is none.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
        pub before: Option<&'a Value>,
        /// A JSON Pointer to the value.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::pointer"))]
        pub pointer: &'a str,
    }

    /// A context that overrides a part of a change.
    pub struct OverrideText<'a> {
        /// The id of the context.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
        pub id: &'a str,
        /// The level of the context.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
        pub level: &'a str,
        /// A JSON Pointer to the value.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::pointer"))]
        pub pointer: &'a str,
    }

    /// An insight.
    pub struct InsightText<'a> {
        /// The name of the agent that wrote it.
        pub agent: Option<&'a str>,
        /// The time.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::time"))]
        pub at: String,
        /// The user.
        pub by: &'a str,
        /// A label chosen by the writer.
        pub category: Option<&'a str>,
        /// The text of the entry.
        pub content: &'a str,
        /// The id of the entry, unique in the store.
        pub id: String,
        /// The importance, from 0 (minor) to 1 (vital).
        pub importance: Option<f64>,
    }

    /// A progress note.
    pub struct ProgressText<'a> {
        /// The name of the agent that wrote it.
        pub agent: Option<&'a str>,
        /// The time.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::time"))]
        pub at: String,
        /// The user.
        pub by: &'a str,
        /// The text of the entry.
        pub content: &'a str,
        /// The id of the entry, unique in the store.
        pub id: String,
    }

    /// One version of a context.
    pub struct VersionText<'a> {
        /// The time.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::time"))]
        pub at: String,
        /// The user.
        pub by: &'a str,
        /// The kind of change that made it.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::change"))]
        pub change: &'static str,
        /// A JSON Patch from the previous version's data to this one; null if the previous version
        /// is no longer kept.
        pub patch: Option<Vec<PatchLine<'a>>>,
        /// The `seq` of the commit.
        pub seq: u64,
        /// The reason for the change; null if none was given.
        pub summary: Option<&'a str>,
        /// The version.
        pub version: u64,
    }

    /// The result of an import.
    pub struct ImportedText<'a> {
        /// The number of new contexts.
        pub created: usize,
        /// What may surprise about it, at most 100 notices; left out if nothing does.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub notices: Vec<NoticeText<'a>>,
        /// The number of replaced contexts.
        pub replaced: usize,
        /// The store's `seq` after the import.
        pub seq: u64,
    }

    /// The state of a store's keys.
    pub struct KeysText<'a> {
        /// The id of the data key that seals.
        pub data_key: &'a str,
        /// Whether a rotation is running: older values are being resealed.
        pub rotating: bool,
    }

    /// How far the index of searches is.
    pub struct ReindexText {
        /// The number of documents in the index.
        pub documents: u64,
        /// Contexts that the reindex has done. It is over when they are as many as `of`.
        pub done: u64,
        /// Contexts that it has to do, deleted ones too.
        pub of: u64,
    }

    /// What the caller uses of the store, and may use.
    pub struct UsageText<'a> {
        /// Stocks by name. Guests see only their own.
        pub quotas: BTreeMap<&'a str, QuotaText>,
        /// The rate of requests.
        pub requests: RequestsText,
        /// The rate of searches.
        pub searches: RequestsText,
    }

    /// One stock.
    pub struct QuotaText {
        /// The most there may be.
        pub limit: u64,
        /// What there is.
        pub used: u64,
    }

    /// The requests, or the searches, that the caller may send.
    pub struct RequestsText {
        /// The most at once.
        pub burst: u64,
        /// What is left of them now.
        pub left: u64,
        /// How many come back in a second.
        pub per_second: u64,
    }

    /// A user with whom a project is shared.
    pub struct MemberText<'a> {
        /// Whether the owner's global layer takes part in the user's views.
        pub global: bool,
        /// How far back the user sees.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::reach"))]
        pub history: &'static str,
        /// The project's id.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
        pub project: &'a str,
        /// Whether a token of the user with the scope `secrets:reveal` opens the project's sealed
        /// values.
        pub reveal: bool,
        /// The role of the user.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::role"))]
        pub role: &'static str,
        /// The time when the user became a member.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::time"))]
        pub since: String,
        /// The user.
        pub user: &'a str,
    }

    /// All members.
    pub struct MembersText<'a> {
        /// In order of project and user.
        pub items: Vec<MemberText<'a>>,
    }

    /// Revoked tokens: those of a user that were issued before a time, or a single one.
    pub struct RevocationText<'a> {
        /// When it was made or last changed.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::time"))]
        pub at: String,
        /// Who made it.
        pub by: &'a str,
        /// When the single token expires, if that is known.
        pub expires_at: Option<String>,
        /// Tokens of the user that were issued before this time are refused.
        pub not_before: Option<String>,
        /// The id of the single token, its `jti`.
        pub token: Option<&'a str>,
        /// The user.
        pub user: Option<&'a str>,
    }

    /// All revocations.
    pub struct RevocationsText<'a> {
        /// Users first, each kind in order of name.
        pub items: Vec<RevocationText<'a>>,
    }

    /// One commit in the audit trail.
    pub struct AuditText<'a> {
        /// The time.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::time"))]
        pub at: String,
        /// The user.
        pub by: &'a str,
        /// The actions of the commit, in order.
        pub deeds: Vec<DeedText<'a>>,
        /// The `X-Request-Id` of the request.
        pub request_id: Option<&'a str>,
        /// The `seq` of the commit.
        pub seq: u64,
    }

    /// One action of a commit.
    pub struct DeedText<'a> {
        /// The name of the action: `create`, `update`, `delete`, `add_insight`, `put_member`,
        /// `reveal` and so on.
        pub action: &'static str,
        /// The id of the context; null if it concerns none.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id_or_null"))]
        pub id: Option<&'a str>,
        /// The level of the context; null if it concerns none.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level_or_null"))]
        pub level: Option<&'static str>,
        /// The user whose membership it changed; null for other actions.
        pub member: Option<&'a str>,
        /// The pointers to the sealed values that it revealed, without the values; for a template its
        /// name as a pointer; absent for other actions. One empty pointer stands for more than 16 KiB
        /// of pointers.
        #[serde(skip_serializing_if = "<[String]>::is_empty")]
        pub pointers: &'a [String],
        /// The version that it made or revealed; null if it did neither.
        pub version: Option<u64>,
    }
}

/// A page of a list.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "{T}Page"))]
pub struct PageText<T> {
    /// The items of the page.
    pub items: Vec<T>,
    /// The `cursor` of the next page; null on the last one.
    pub next_cursor: Option<String>,
}

/// An entry of either list.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum EntryText<'a> {
    /// An insight.
    Insight(InsightText<'a>),
    /// A progress note.
    Progress(ProgressText<'a>),
}

impl<'a> LayerText<'a> {
    /// The current state of a context.
    pub fn of(record: &'a Record) -> LayerText<'a> {
        LayerText {
            id: record.address.id.as_str(),
            level: record.address.level.as_str(),
            version: record.version,
        }
    }
}

impl<'a> PatchLine<'a> {
    /// An operation without layers.
    pub fn of(operation: &'a Operation) -> PatchLine<'a> {
        let (from, value) = match operation {
            Operation::Add { value, .. }
            | Operation::Replace { value, .. }
            | Operation::Test { value, .. } => (None, Some(value)),
            Operation::Move { from, .. } | Operation::Copy { from, .. } => {
                (Some(from.as_str()), None)
            }
            Operation::Remove { .. } => (None, None),
        };
        PatchLine {
            from,
            layers: Vec::new(),
            op: operation.name(),
            path: operation.path().as_str(),
            value,
        }
    }

    fn all(patch: &'a JsonPatch) -> Vec<PatchLine<'a>> {
        patch.operations.iter().map(PatchLine::of).collect()
    }
}

impl<'a> DiffText<'a> {
    /// The difference between two states.
    pub fn of(lines: &'a [DiffLine]) -> DiffText<'a> {
        let patch = lines.iter().map(|line| PatchLine {
            layers: line
                .layers
                .iter()
                .map(|(address, version)| LayerText {
                    id: address.id.as_str(),
                    level: address.level.as_str(),
                    version: *version,
                })
                .collect(),
            ..PatchLine::of(&line.operation)
        });
        DiffText { patch: patch.collect() }
    }
}

impl<'a> PreviewText<'a> {
    /// The result of a preview.
    pub fn of(preview: &'a Preview) -> PreviewText<'a> {
        let affected = |affected: &'a Affected| AffectedText {
            changes: affected
                .changes
                .iter()
                .map(|(pointer, before, after)| ChangeText {
                    after: after.as_ref(),
                    before: before.as_ref(),
                    pointer,
                })
                .collect(),
            id: affected.address.id.as_str(),
            level: affected.address.level.as_str(),
        };
        let overriding = preview.overridden_by.iter().map(|(address, pointer)| OverrideText {
            id: address.id.as_str(),
            level: address.level.as_str(),
            pointer,
        });
        PreviewText {
            affected: preview.affected.iter().map(affected).collect(),
            overridden_by: overriding.collect(),
            unchanged: preview.unchanged,
        }
    }
}

impl<'a> EntryText<'a> {
    /// An entry.
    pub fn of(entry: &'a Entry) -> EntryText<'a> {
        let id = alloc::format!("{}-{}", entry.id.seq, entry.id.n);
        let at = entry.at.to_string();
        let (agent, by, content) = (entry.agent.as_deref(), entry.by.as_str(), &*entry.content);
        match entry.kind {
            EntryKind::Insight => EntryText::Insight(InsightText {
                agent,
                at,
                by,
                category: entry.category.as_deref(),
                content,
                id,
                importance: entry.importance,
            }),
            EntryKind::Progress => EntryText::Progress(ProgressText { agent, at, by, content, id }),
        }
    }
}

impl<'a> VersionText<'a> {
    /// A version.
    pub fn of(item: &'a HistoryItem) -> VersionText<'a> {
        let version = &item.version;
        VersionText {
            at: version.at.to_string(),
            by: version.by.as_str(),
            change: version.change.as_str(),
            patch: item.patch.as_ref().map(PatchLine::all),
            seq: version.seq,
            summary: version.summary.as_deref(),
            version: version.version,
        }
    }
}

impl<'a> NoticeText<'a> {
    /// All warnings of a write.
    pub fn all(warnings: &'a [Warning]) -> Vec<NoticeText<'a>> {
        let notice =
            |Warning { code, pointer, detail }: &'a Warning| NoticeText { code, detail, pointer };
        warnings.iter().map(notice).collect()
    }
}

impl<'a> MemberText<'a> {
    /// A member.
    pub fn of(member: &'a Member) -> MemberText<'a> {
        MemberText {
            global: member.terms.global,
            history: member.terms.reach.as_str(),
            project: member.project.as_str(),
            reveal: member.terms.reveal,
            role: member.terms.role.as_str(),
            since: member.since.to_string(),
            user: member.user.as_str(),
        }
    }
}

impl<'a> RevocationText<'a> {
    /// A revocation.
    pub fn of(revocation: &'a Revocation) -> RevocationText<'a> {
        let time = revocation.time.map(|time| time.to_string());
        let (user, token, not_before, expires_at) = match &revocation.subject {
            Subject::User(user) => (Some(user.as_str()), None, time, None),
            Subject::Token(id) => (None, Some(id.as_str()), None, time),
        };
        let (at, by) = (revocation.at.to_string(), revocation.by.as_str());
        RevocationText { at, by, expires_at, not_before, token, user }
    }
}

impl<'a> AuditText<'a> {
    /// A commit.
    pub fn of(audit: &'a Audit) -> AuditText<'a> {
        let deed = |deed: &'a Deed| DeedText {
            action: deed.action,
            id: deed.address.as_ref().map(|address| address.id.as_str()),
            level: deed.address.as_ref().map(|address| address.level.as_str()),
            member: deed.member.as_ref().map(|member| member.as_str()),
            pointers: &deed.pointers,
            version: deed.version,
        };
        AuditText {
            at: audit.at.to_string(),
            by: audit.by.as_str(),
            deeds: audit.deeds.iter().map(deed).collect(),
            request_id: audit.request.as_deref(),
            seq: audit.seq,
        }
    }
}
