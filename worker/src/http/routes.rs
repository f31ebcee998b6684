//! The table of all routes: method, path, parameters, body, scopes, answers and errors.
//!
//! It routes requests and generates the OpenAPI document, so the two always agree.

use nacre_core::{access::Scopes, error::Code};

pub use super::route::{Action, Body, BodyType, Conditions, Kind, Method, Param, Route, Shape};
use super::{
    errors::{EDIT_ERRORS, EDITS_ERRORS, ENTRY_ERRORS, SEARCH_BY_BODY_ERRORS, VECTOR_ERRORS},
    promotion_routes,
    shared::{
        AT, CURSOR, ENDING, LIMIT, OWNER_PARAM, READING, REVEAL, SETTING, SUMMARY, WRITING,
        optional, required,
    },
    template_routes,
};

/// Every route. The first literal segment that differs decides between paths of the same length.
pub const ROUTES: &[Route] = &[
    Route {
        path: "/healthz",
        action: Action::Health,
        name: "health",
        summary: "Checks that the service runs.",
        needs: Scopes::NONE,
        answers: &[(200, Shape::Health)],
        errors: &[],
        ..READING
    },
    Route {
        path: "/openapi.json",
        action: Action::Describe,
        name: "describe",
        summary: "Returns this document.",
        needs: Scopes::NONE,
        answers: &[(200, Shape::Description)],
        errors: &[],
        ..READING
    },
    Route {
        path: "/.well-known/security.txt",
        action: Action::SecurityTxt,
        name: "securityTxt",
        summary: "Says where to report a vulnerability (RFC 9116), if the deployment says so.",
        needs: Scopes::NONE,
        answers: &[(200, Shape::Text)],
        errors: &[Code::NotFound],
        ..READING
    },
    Route {
        path: "/v1/contexts",
        action: Action::List,
        name: "listContexts",
        summary: "Lists contexts, ordered by level and id.",
        query: &[
            optional("level", Kind::Level, "Only contexts of this level."),
            optional("parent", Kind::Id, "Only contexts with this parent."),
            optional("under", Kind::Address, "Only this context and those below it: `level/id`."),
            optional("prefix", Kind::IdPrefix, "Only contexts whose id starts with this text."),
            CURSOR,
            LIMIT,
            optional("data", Kind::Flag, "Whether to include the data of each context."),
            REVEAL,
        ],
        answers: &[(200, Shape::Contexts)],
        errors: &[Code::InvalidId, Code::NotFound],
        ..READING
    },
    Route {
        path: "/v1/contexts/{level}/{id}",
        action: Action::Get,
        name: "getContext",
        summary: "Reads one stored layer.",
        query: &[
            optional("version", Kind::Version, "The version to read; the current one by default."),
            AT,
            REVEAL,
        ],
        conditions: Conditions::Read,
        answers: &[(200, Shape::Context)],
        errors: &[Code::InvalidId, Code::NotFound, Code::HistoryExpired, Code::VersionConflict],
        ..READING
    },
    Route {
        method: Method::Put,
        path: "/v1/contexts/{level}/{id}",
        action: Action::Put,
        name: "putContext",
        summary: "Creates a context, or replaces its data.",
        query: &[optional(
            "create_parents",
            Kind::Flag,
            "Whether to create missing parents as empty contexts.",
        )],
        body: Body::Typed(BodyType::Put),
        conditions: Conditions::Create,
        answers: &[(200, Shape::Context), (201, Shape::Context)],
        errors: &[
            Code::InvalidJson,
            Code::InvalidId,
            Code::NotFound,
            Code::ParentNotFound,
            Code::Locked,
            Code::VersionConflict,
            Code::TooLarge,
            Code::TooDeep,
            Code::UnsupportedMediaType,
            Code::InvalidRules,
        ],
        ..WRITING
    },
    Route {
        method: Method::Patch,
        path: "/v1/contexts/{level}/{id}",
        action: Action::Patch,
        name: "patchContext",
        summary: "Edits the stored layer with a merge patch or a JSON Patch.",
        query: &[SUMMARY],
        body: Body::Patch,
        errors: EDIT_ERRORS,
        ..WRITING
    },
    Route {
        method: Method::Delete,
        path: "/v1/contexts/{level}/{id}",
        action: Action::Delete,
        name: "deleteContext",
        summary: "Deletes a context. It can be restored as long as history is kept.",
        query: &[
            optional("cascade", Kind::Flag, "Whether to delete the contexts below it too."),
            SUMMARY,
        ],
        answers: &[(200, Shape::Deleted)],
        errors: &[
            Code::InvalidId,
            Code::NotFound,
            Code::HasChildren,
            Code::VersionConflict,
            Code::TooLarge,
        ],
        ..WRITING
    },
    Route {
        path: "/v1/contexts/{level}/{id}/unset",
        action: Action::Unset,
        name: "unset",
        summary: "Stores tombstones, which hide inherited values.",
        body: Body::Typed(BodyType::Unset),
        errors: EDIT_ERRORS,
        ..WRITING
    },
    Route {
        path: "/v1/contexts/{level}/{id}/append",
        action: Action::Append,
        name: "append",
        summary: "Appends to a list, and creates the list if it is missing.",
        body: Body::Typed(BodyType::Append),
        errors: EDIT_ERRORS,
        ..WRITING
    },
    Route {
        path: "/v1/contexts/{level}/{id}/insights",
        action: Action::AddInsight,
        name: "addInsight",
        summary: "Adds an insight.",
        body: Body::Typed(BodyType::Insight),
        conditions: Conditions::None,
        answers: &[(201, Shape::Insight)],
        errors: ENTRY_ERRORS,
        ..WRITING
    },
    Route {
        path: "/v1/contexts/{level}/{id}/insights",
        action: Action::Insights,
        name: "listInsights",
        summary: "Lists insights, newest first.",
        query: &[REVEAL, CURSOR, LIMIT],
        answers: &[(200, Shape::Insights)],
        ..READING
    },
    Route {
        path: "/v1/contexts/{level}/{id}/progress",
        action: Action::AddProgress,
        name: "addProgress",
        summary: "Adds a progress note.",
        body: Body::Typed(BodyType::Progress),
        conditions: Conditions::None,
        answers: &[(201, Shape::Progress)],
        errors: ENTRY_ERRORS,
        ..WRITING
    },
    Route {
        path: "/v1/contexts/{level}/{id}/progress",
        action: Action::Progress,
        name: "listProgress",
        summary: "Lists progress notes, newest first.",
        query: &[REVEAL, CURSOR, LIMIT],
        answers: &[(200, Shape::ProgressNotes)],
        ..READING
    },
    Route {
        path: "/v1/contexts/{level}/{id}/restore",
        action: Action::Restore,
        name: "restoreContext",
        summary: "Restores a context with everything that its delete removed.",
        body: Body::Optional(BodyType::Restore),
        conditions: Conditions::None,
        answers: &[(200, Shape::Restored)],
        errors: &[
            Code::InvalidJson,
            Code::InvalidId,
            Code::NotFound,
            Code::ParentNotFound,
            Code::AlreadyExists,
            Code::TooLarge,
            Code::TooDeep,
            Code::UnsupportedMediaType,
        ],
        ..WRITING
    },
    Route {
        path: "/v1/contexts/{level}/{id}/move",
        action: Action::Move,
        name: "moveContext",
        summary: "Moves a branch or a task to another parent.",
        body: Body::Typed(BodyType::Move),
        errors: &[
            Code::InvalidJson,
            Code::InvalidId,
            Code::NotFound,
            Code::ParentNotFound,
            Code::Locked,
            Code::VersionConflict,
            Code::TooLarge,
            Code::TooDeep,
            Code::UnsupportedMediaType,
        ],
        ..WRITING
    },
    Route {
        path: "/v1/contexts/{level}/{id}/rollback",
        action: Action::Rollback,
        name: "rollbackContext",
        summary: "Creates a new version with the data and rules of an old one.",
        body: Body::Typed(BodyType::Rollback),
        errors: &[
            Code::InvalidJson,
            Code::InvalidId,
            Code::NotFound,
            Code::Locked,
            Code::HistoryExpired,
            Code::VersionConflict,
            Code::TooLarge,
            Code::TooDeep,
            Code::UnsupportedMediaType,
        ],
        ..WRITING
    },
    Route {
        path: "/v1/contexts/{level}/{id}/history",
        action: Action::History,
        name: "listHistory",
        summary: "Lists versions, newest first.",
        query: &[CURSOR, LIMIT],
        answers: &[(200, Shape::History)],
        errors: &[Code::InvalidId, Code::NotFound, Code::HistoryExpired],
        ..READING
    },
    Route {
        path: "/v1/contexts/{level}/{id}/diff",
        action: Action::Diff,
        name: "diffVersions",
        summary: "Returns the changes between two versions.",
        query: &[
            required("from", Kind::Version, "The earlier version."),
            optional("to", Kind::Version, "The later version; the current one by default."),
        ],
        answers: &[(200, Shape::Diff)],
        errors: &[Code::InvalidId, Code::NotFound, Code::HistoryExpired],
        ..READING
    },
    Route {
        path: "/v1/contexts/{level}/{id}/resolved",
        action: Action::Resolve,
        name: "resolveContext",
        summary: "Reads the resolved view.",
        query: &[
            optional("path", Kind::Pointer, "A JSON Pointer to the part of the view to return."),
            AT,
            optional("explain", Kind::Flag, "Whether to include the origin of every value."),
            REVEAL,
        ],
        conditions: Conditions::Read,
        answers: &[(200, Shape::View)],
        errors: &[
            Code::InvalidId,
            Code::InvalidPointer,
            Code::NotFound,
            Code::HistoryExpired,
            Code::VersionConflict,
            Code::TooLarge,
        ],
        ..READING
    },
    Route {
        path: "/v1/contexts/{level}/{id}/resolved/diff",
        action: Action::ViewDiff,
        name: "diffViews",
        summary: "Returns the changes of a view between two states, and the layers that made them.",
        query: &[
            required("from", Kind::AsOf, "The earlier state: a `seq` or an RFC 3339 time."),
            optional("to", Kind::AsOf, "The later state; the current one by default."),
        ],
        answers: &[(200, Shape::Diff)],
        errors: &[Code::InvalidId, Code::NotFound, Code::HistoryExpired],
        ..READING
    },
    Route {
        path: "/v1/contexts/{level}/{id}/pack",
        action: Action::Pack,
        name: "packContext",
        summary: "Returns the resolved view for a prompt, layer by layer, within a number of tokens. What \
             does not fit is listed.",
        query: &[
            optional("max_tokens", Kind::Tokens, "The most tokens of the answer."),
            optional("format", Kind::PackFormat, "The form of the answer."),
            optional(
                "origins",
                Kind::Flag,
                "Whether each section says which version it is, by whom and since when.",
            ),
            optional(
                "bytes_per_token",
                Kind::Ratio,
                "How many bytes of such texts a token of your model has. Without it, tokens are counted \
                 so that no current model counts more.",
            ),
        ],
        answers: &[(200, Shape::Pack)],
        ..READING
    },
    Route {
        method: Method::Post,
        path: "/v1/contexts/{level}/{id}/preview",
        action: Action::Preview,
        name: "preview",
        summary: "Returns how writes would change every view below. Stores nothing.",
        body: Body::Typed(BodyType::Preview),
        answers: &[(200, Shape::Preview)],
        errors: EDITS_ERRORS,
        ..READING
    },
    Route {
        path: "/v1/batch",
        action: Action::Batch,
        name: "batch",
        summary: "Runs up to 500 operations in one request.",
        body: Body::Typed(BodyType::Batch),
        conditions: Conditions::None,
        answers: &[(200, Shape::Batch)],
        errors: EDITS_ERRORS,
        ..WRITING
    },
    Route {
        path: "/v1/export",
        action: Action::Export,
        name: "export",
        summary: "Exports all contexts with their history, one context per line.",
        query: &[
            REVEAL,
            optional("all", Kind::Flag, "Whether to add own templates and promotions."),
        ],
        answers: &[(200, Shape::Lines)],
        errors: &[Code::NotFound],
        ..READING
    },
    Route {
        path: "/v1/import",
        action: Action::Import,
        name: "import",
        summary: "Creates or replaces contexts, one per line. Each block of up to 500 lines is one \
             commit.",
        query: &[optional(
            "mode",
            Kind::Mode,
            "`create` (default) refuses contexts that exist; `replace` replaces them.",
        )],
        body: Body::Lines,
        conditions: Conditions::None,
        answers: &[(200, Shape::Imported)],
        errors: &[
            Code::InvalidJson,
            Code::InvalidId,
            Code::NotFound,
            Code::ParentNotFound,
            Code::Locked,
            Code::AlreadyExists,
            Code::MergeConflict,
            Code::TooLarge,
            Code::TooDeep,
            Code::UnsupportedMediaType,
            Code::InvalidRules,
        ],
        ..WRITING
    },
    Route {
        path: "/v1/audit",
        action: Action::Audit,
        name: "listAudit",
        summary: "Lists commits, newest first, with user, time and action, but without values.",
        query: &[CURSOR, LIMIT],
        answers: &[(200, Shape::Audit)],
        errors: &[Code::NotFound],
        ..READING
    },
    Route {
        path: "/v1/live",
        action: Action::Live,
        name: "follow",
        summary: "Opens a WebSocket for live updates and operations. A browser passes its token as a \
             subprotocol: `nacre.v1, bearer.<JWT>`.",
        query: &[optional(
            OWNER_PARAM,
            Kind::User,
            "The owner of the store, for clients that cannot send the header Nacre-Owner.",
        )],
        answers: &[(101, Shape::Nothing)],
        errors: &[Code::InvalidId],
        ..READING
    },
    Route {
        path: "/v1/members",
        action: Action::Members,
        name: "listMembers",
        summary: "Lists the members of shared projects. A guest sees their own memberships.",
        answers: &[(200, Shape::Members)],
        errors: &[Code::NotFound],
        ..READING
    },
    Route {
        path: "/v1/members/{user}",
        action: Action::PutMember,
        name: "putMember",
        summary: "Shares a project with a user, or changes their role.",
        body: Body::Typed(BodyType::Member),
        answers: &[(200, Shape::Member)],
        ..SETTING
    },
    Route {
        path: "/v1/members/{user}",
        action: Action::DeleteMember,
        name: "deleteMember",
        summary: "Stops sharing a project, named in the query or in the body.",
        query: &[optional("project", Kind::Id, "The id of the project.")],
        body: Body::Optional(BodyType::Unshare),
        errors: ENTRY_ERRORS,
        ..ENDING
    },
    promotion_routes::LIST,
    promotion_routes::PROPOSE,
    promotion_routes::APPROVE,
    promotion_routes::DECLINE,
    promotion_routes::UNDO,
    template_routes::LIST,
    template_routes::GET,
    template_routes::PUT,
    template_routes::DELETE,
    template_routes::BEGIN,
    Route {
        path: "/v1/usage",
        action: Action::Usage,
        name: "getUsage",
        summary: "Shows what the caller uses of the store, and may use. A guest sees their own sockets, \
             subscriptions and stored answers.",
        conditions: Conditions::None,
        answers: &[(200, Shape::Usage)],
        errors: &[Code::NotFound],
        ..READING
    },
    Route {
        path: "/v1/revocations",
        action: Action::Revocations,
        name: "listRevocations",
        summary: "Lists the users and tokens whose access to this store was revoked.",
        answers: &[(200, Shape::Revocations)],
        errors: &[Code::NotFound],
        ..READING
    },
    Route {
        path: "/v1/revocations/users/{user}",
        action: Action::RevokeUser,
        name: "revokeUser",
        summary: "Refuses the tokens of a user, or of the owner, that were issued before a time, now \
             by default, and closes their sockets. A token without `iat` is refused too.",
        body: Body::Optional(BodyType::RevokeUser),
        answers: &[(200, Shape::Revocation)],
        ..SETTING
    },
    Route {
        path: "/v1/revocations/users/{user}",
        action: Action::UnrevokeUser,
        name: "unrevokeUser",
        summary: "Accepts the tokens of a user again that have not expired.",
        ..ENDING
    },
    Route {
        path: "/v1/revocations/tokens/{token}",
        action: Action::RevokeToken,
        name: "revokeToken",
        summary: "Refuses the token with this `jti`, and closes its sockets.",
        body: Body::Optional(BodyType::RevokeToken),
        answers: &[(200, Shape::Revocation)],
        ..SETTING
    },
    Route {
        path: "/v1/revocations/tokens/{token}",
        action: Action::UnrevokeToken,
        name: "unrevokeToken",
        summary: "Accepts the token again, if it has not expired.",
        ..ENDING
    },
    Route {
        path: "/v1/keys",
        action: Action::Keys,
        name: "getKeys",
        summary: "Returns the id of the current data key, and whether a rotation is running.",
        conditions: Conditions::None,
        needs: Scopes::ADMIN,
        answers: &[(200, Shape::Keys)],
        errors: &[Code::NotFound],
        ..READING
    },
    Route {
        method: Method::Post,
        path: "/v1/keys/rotate",
        action: Action::RotateKeys,
        name: "rotateKeys",
        summary: "Creates a new data key and reseals all values in the background. While that runs, a \
             second request has no effect.",
        conditions: Conditions::None,
        needs: Scopes::ADMIN,
        answers: &[(200, Shape::Keys)],
        errors: &[Code::NotFound],
        ..WRITING
    },
    Route {
        path: "/v1/search",
        action: Action::Search,
        name: "searchContexts",
        summary: "Finds contexts by words and by meaning, the best first.",
        query: &[
            optional(
                "q",
                Kind::Words,
                "What is searched for: words, \"phrases\", -exclusions, `level:task`, `path:/db`, \
                 and a last prefix*. Of more than 4 KiB, the beginning counts.",
            ),
            optional("mode", Kind::SearchMode, "Whether to go by words, by meaning, or by both."),
            optional(
                "scope",
                Kind::SearchScope,
                "Whether to find the layers where it is said, or the lowest contexts whose resolved \
                 view shows it.",
            ),
            optional("levels", Kind::Levels, "Only these levels: `branch,task`."),
            optional("under", Kind::Address, "Only this context and those below it: `level/id`."),
            optional(
                "since",
                Kind::AsOf,
                "Only contexts that changed after this commit, or from this time on.",
            ),
            optional("by", Kind::User, "Only contexts that this user changed last."),
            optional("path", Kind::Pointer, "Only contexts that have this path."),
            CURSOR,
            optional(
                "limit",
                Kind::SearchLimit,
                "Most items on the page, 1 to 100; 10 by default.",
            ),
            optional("explain", Kind::On, "Whether to say why each item was found."),
        ],
        conditions: Conditions::None,
        answers: &[(200, Shape::Found)],
        errors: SEARCH_ERRORS,
        ..READING
    },
    Route {
        method: Method::Post,
        path: "/v1/search",
        action: Action::SearchByBody,
        name: "searchContextsByBody",
        summary: "Does the same with the parameters as members of a body: a question need not be in \
             a URL, where logs may keep it.",
        body: Body::Typed(BodyType::Question),
        conditions: Conditions::None,
        answers: &[(200, Shape::Found)],
        errors: SEARCH_BY_BODY_ERRORS,
        ..READING
    },
    Route {
        method: Method::Put,
        path: "/v1/contexts/{level}/{id}/vector",
        action: Action::PutVector,
        name: "putVector",
        summary: "Gives a context the vector that a model of the caller made of it, for questions with \
             a `vector`. The context keeps it until it changes. For the owner only.",
        body: Body::Typed(BodyType::Vector),
        conditions: Conditions::None,
        answers: &[(204, Shape::Nothing)],
        errors: VECTOR_ERRORS,
        ..WRITING
    },
    Route {
        path: "/v1/admin/reindex",
        action: Action::IndexProgress,
        name: "getReindex",
        summary: "Returns how many contexts the index of searches has, and how far a reindex is.",
        conditions: Conditions::None,
        needs: Scopes::ADMIN,
        answers: &[(200, Shape::Reindex)],
        errors: &[Code::NotFound],
        ..READING
    },
    Route {
        method: Method::Post,
        path: "/v1/admin/reindex",
        action: Action::Reindex,
        name: "reindex",
        summary: "Makes the index of searches anew in the background. Searches work meanwhile.",
        conditions: Conditions::None,
        needs: Scopes::ADMIN,
        answers: &[(202, Shape::Reindex)],
        errors: &[Code::NotFound],
        ..WRITING
    },
    Route {
        path: "/v1/store",
        action: Action::Erase,
        name: "eraseStore",
        summary: "Deletes the caller's store and its keys. Needs the header `Nacre-Confirm: erase`.",
        needs: Scopes::ADMIN,
        errors: &[Code::NotFound],
        ..ENDING
    },
];

/// Errors of a search.
const SEARCH_ERRORS: &[Code] =
    &[Code::InvalidId, Code::InvalidPointer, Code::NotFound, Code::SearchUnavailable];
