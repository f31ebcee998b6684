//! The table from codes to HTTP statuses. Results in a batch have the status as data.

use nacre_layers::error::Code;

/// The HTTP status of a code.
pub const fn status(code: Code) -> u16 {
    match code {
        Code::InvalidJson | Code::InvalidRequest | Code::InvalidPointer | Code::InvalidId => 400,
        Code::Unauthenticated => 401,
        Code::Forbidden | Code::QuotaExceeded => 403,
        Code::NotFound | Code::ParentNotFound => 404,
        Code::MethodNotAllowed => 405,
        Code::Locked | Code::HasChildren | Code::AlreadyExists | Code::MergeConflict => 409,
        Code::HistoryExpired => 410,
        Code::VersionConflict => 412,
        Code::TooLarge | Code::TooDeep | Code::TooManyOperations => 413,
        Code::UnsupportedMediaType => 415,
        Code::IdempotencyMismatch | Code::InvalidRules => 422,
        Code::RateLimited => 429,
        Code::Internal => 500,
        Code::SearchUnavailable | Code::StoreUnavailable => 503,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nacre_layers::error::Fault;

    /// The table in the order of the contract.
    const CONTRACT: &[(u16, &[&str])] = &[
        (400, &["invalid-json", "invalid-request", "invalid-pointer", "invalid-id"]),
        (401, &["unauthenticated"]),
        (403, &["forbidden", "quota-exceeded"]),
        (404, &["not-found", "parent-not-found"]),
        (405, &["method-not-allowed"]),
        (409, &["locked", "has-children", "already-exists", "merge-conflict"]),
        (410, &["history-expired"]),
        (412, &["version-conflict"]),
        (413, &["too-large", "too-deep", "too-many-operations"]),
        (415, &["unsupported-media-type"]),
        (422, &["idempotency-mismatch", "invalid-rules"]),
        (429, &["rate-limited"]),
        (500, &["internal"]),
        (503, &["search-unavailable", "store-unavailable"]),
    ];

    #[test]
    fn every_code_has_the_status_of_the_contract() {
        let promised = |code: Code| {
            CONTRACT.iter().find(|(_, codes)| codes.contains(&code.as_str())).map(|row| row.0)
        };
        for code in Code::ALL {
            assert_eq!(promised(*code), Some(status(*code)), "{code}");
        }
        assert_eq!(CONTRACT.iter().map(|row| row.1.len()).sum::<usize>(), Code::ALL.len());
    }

    #[test]
    fn only_our_own_faults_are_server_errors() {
        for code in Code::ALL {
            let ours = matches!(code.fault(), Fault::Bug | Fault::Store);
            assert_eq!(status(*code) >= 500, ours, "{code}");
        }
    }
}
