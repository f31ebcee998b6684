//! The errors that routes of one kind share, for the table of routes.

use nacre_core::error::Code;

/// Errors of a write that has a body with data or an edit of data.
pub(super) const EDIT_ERRORS: &[Code] = &[
    Code::InvalidJson,
    Code::InvalidId,
    Code::InvalidPointer,
    Code::NotFound,
    Code::Locked,
    Code::MergeConflict,
    Code::VersionConflict,
    Code::TooLarge,
    Code::TooDeep,
    Code::UnsupportedMediaType,
];

/// Errors of a small write with a body.
pub(super) const ENTRY_ERRORS: &[Code] = &[
    Code::InvalidJson,
    Code::InvalidId,
    Code::NotFound,
    Code::TooLarge,
    Code::TooDeep,
    Code::UnsupportedMediaType,
];

/// Errors of a search with a body.
pub(super) const SEARCH_BY_BODY_ERRORS: &[Code] = &[
    Code::InvalidJson,
    Code::InvalidId,
    Code::InvalidPointer,
    Code::NotFound,
    Code::TooLarge,
    Code::TooDeep,
    Code::UnsupportedMediaType,
    Code::SearchUnavailable,
];

/// Errors of giving a context a vector.
pub(super) const VECTOR_ERRORS: &[Code] = &[
    Code::InvalidJson,
    Code::InvalidId,
    Code::NotFound,
    Code::VersionConflict,
    Code::TooLarge,
    Code::TooDeep,
    Code::UnsupportedMediaType,
    Code::SearchUnavailable,
];

/// Errors of several writes, decided or previewed.
pub(super) const EDITS_ERRORS: &[Code] = &[
    Code::InvalidJson,
    Code::InvalidId,
    Code::InvalidPointer,
    Code::NotFound,
    Code::ParentNotFound,
    Code::Locked,
    Code::HasChildren,
    Code::AlreadyExists,
    Code::MergeConflict,
    Code::HistoryExpired,
    Code::VersionConflict,
    Code::TooLarge,
    Code::TooDeep,
    Code::TooManyOperations,
    Code::UnsupportedMediaType,
    Code::InvalidRules,
];
